import Text

/// The normalized word that is being read: its bytes, the hash of each of its prefixes, and the origin of each byte in
/// the text.
///
/// Holds at most `limit` scalars, so that no hostile text can make it grow. For a longer word, only the length is known
/// (it becomes [UNK] anyway).
struct WordBuffer {
  /// The maximum number of scalars in a word.
  let limit: Int
  let bytes: UnsafeMutablePointer<UInt8>
  /// `prefixes[i]`: the hash of the first `i` bytes, as in `PieceTable`.
  let prefixes: UnsafeMutablePointer<UInt64>
  /// For each byte, the byte range of the text from which its scalar was made. Kept only if offsets are needed.
  let starts: UnsafeMutablePointer<Int>
  let ends: UnsafeMutablePointer<Int>

  /// The number of bytes.
  var count = 0
  /// The number of scalars in the word, including those beyond the limit.
  var scalars = 0
  /// The range of the text from the first to the last scalar.
  var start = 0
  var end = 0
  /// The end and beginning of the run of combining scalars at the end of the buffer; the end is -1 if there is none.
  private var runEnd = -1
  private var runStart = 0

  var isEmpty: Bool { scalars == 0 }
  var isTooLong: Bool { scalars > limit }

  /// The memory that a buffer needs: 4 bytes per scalar, and a hash and two offsets per byte.
  static func byteCount(limit: Int, tracking: Bool) -> Int {
    let capacity = 4 * limit + 4
    return capacity * 8 * (tracking ? 3 : 1) + 8 + capacity
  }

  init(limit: Int, tracking: Bool, memory: UnsafeMutableRawPointer) {
    self.limit = limit
    let capacity = 4 * limit + 4
    var address = memory
    prefixes = address.bindMemory(to: UInt64.self, capacity: capacity + 1)
    prefixes[0] = 0
    address += (capacity + 1) * 8
    starts = address.bindMemory(to: Int.self, capacity: tracking ? capacity : 0)
    if tracking { address += capacity * 8 }
    ends = address.bindMemory(to: Int.self, capacity: tracking ? capacity : 0)
    if tracking { address += capacity * 8 }
    bytes = address.bindMemory(to: UInt8.self, capacity: capacity)
  }

  @inline(__always)
  mutating func clear() {
    count = 0
    scalars = 0
    runEnd = -1
  }

  /// Adds a scalar made from the text's bytes `start ..< end`.
  @inline(__always)
  mutating func append(_ scalar: UInt32, from start: Int, to end: Int, tracking: Bool) {
    if scalars == 0 { self.start = start }
    self.end = end
    scalars += 1
    guard scalars <= limit else { return }
    let length = encodeScalar(scalar, to: bytes + count)
    rehash(from: count, to: count + length)
    if tracking {
      for index in count..<count + length {
        starts[index] = start
        ends[index] = end
      }
    }
    count += length
  }

  /// Inserts a combining scalar in canonical order (Unicode 3.11): after those of its own and lower classes, within the
  /// run of combining scalars at the end of the word.
  mutating func insert(
    _ scalar: UInt32, combiningClass: UInt8, from start: Int, to end: Int, tracking: Bool, tables: UnicodeTables
  ) {
    if runEnd != count { runStart = count }
    append(scalar, from: start, to: end, tracking: tracking)
    guard scalars <= limit else { return }
    runEnd = count
    // Moves back over scalars of higher classes.
    let length = count - scalarStart(before: count)
    var offset = count - length
    while offset > runStart {
      let before = scalarStart(before: offset)
      let other = decodeScalar(bytes, at: before, count: offset).scalar
      guard tables.entry(other).pointee.combiningClass > combiningClass else { break }
      offset = before
    }
    guard offset < count - length else { return }
    rotate(bytes, from: offset, by: length)
    if tracking {
      rotate(starts, from: offset, by: length)
      rotate(ends, from: offset, by: length)
    }
    rehash(from: offset, to: count)
  }

  /// Notes that a scalar of class 0 was dropped here: later combining scalars may not move before it.
  mutating func endRun() { runEnd = -1 }

  @inline(__always)
  private func rehash(from first: Int, to last: Int) {
    var hash = prefixes[first]
    for index in first..<last {
      hash = hash &* PieceTable.multiplier &+ UInt64(bytes[index]) &+ 1
      prefixes[index + 1] = hash
    }
  }

  private func scalarStart(before end: Int) -> Int {
    var index = end - 1
    while index > 0, bytes[index] & 0xC0 == 0x80 { index -= 1 }
    return index
  }

  /// Moves the last `length` elements of `offset ..< count` to its front.
  private func rotate<Element>(_ elements: UnsafeMutablePointer<Element>, from offset: Int, by length: Int) {
    let moved = (count - length..<count).map { elements[$0] }
    var index = count - 1
    while index >= offset + length {
      elements[index] = elements[index - length]
      index -= 1
    }
    for (index, element) in moved.enumerated() { elements[offset + index] = element }
  }
}
