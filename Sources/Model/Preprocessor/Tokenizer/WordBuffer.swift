import Text

/// The normalized word that is being read: its bytes, the hash of each of its prefixes, and where in the text each byte
/// comes from.
///
/// Holds at most `limit` scalars; of a longer word only the length is known (it becomes [UNK] anyway), so that no text,
/// however hostile, makes it grow.
struct WordBuffer {
  /// The most scalars that a word may have.
  let limit: Int
  let bytes: UnsafeMutablePointer<UInt8>
  /// `prefixes[i]`: `PieceTable`'s hash of the first `i` bytes.
  let prefixes: UnsafeMutablePointer<UInt64>
  /// For each byte, the part of the text (in bytes) that its scalar was made from. Kept only where offsets are wanted.
  let starts: UnsafeMutablePointer<Int>
  let ends: UnsafeMutablePointer<Int>

  /// The bytes held.
  var count = 0
  /// The scalars of the word, those beyond the limit too.
  var scalars = 0
  /// The part of the text from the first to the last scalar.
  var start = 0
  var end = 0
  /// Where the run of combining scalars at the end of the buffer ends and begins; the end is -1 where there is none.
  private var runEnd = -1
  private var runStart = 0

  var isEmpty: Bool { scalars == 0 }
  var isTooLong: Bool { scalars > limit }

  /// The memory a buffer needs: 4 bytes a scalar, each with a hash and two offsets.
  static func byteCount(limit: Int, tracking: Bool) -> Int {
    let capacity = 4 * limit + 4
    return capacity * 8 * (tracking ? 3 : 1) + 8 + capacity
  }

  init(limit: Int, tracking: Bool, memory: UnsafeMutableRawPointer) {
    self.limit = limit
    let capacity = 4 * limit + 4
    var place = memory
    prefixes = place.bindMemory(to: UInt64.self, capacity: capacity + 1)
    prefixes[0] = 0
    place += (capacity + 1) * 8
    starts = place.bindMemory(to: Int.self, capacity: tracking ? capacity : 0)
    if tracking { place += capacity * 8 }
    ends = place.bindMemory(to: Int.self, capacity: tracking ? capacity : 0)
    if tracking { place += capacity * 8 }
    bytes = place.bindMemory(to: UInt8.self, capacity: capacity)
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

  /// Adds a combining scalar where the canonical order (Unicode 3.11) has it: behind those of its own and lower classes,
  /// within the run of combining scalars at the end of the word.
  mutating func insert(
    _ scalar: UInt32, combiningClass: UInt8, from start: Int, to end: Int, tracking: Bool, tables: UnicodeTables
  ) {
    if runEnd != count { runStart = count }
    append(scalar, from: start, to: end, tracking: tracking)
    guard scalars <= limit else { return }
    runEnd = count
    // Walk back over the higher classes.
    let length = count - scalarStart(before: count)
    var place = count - length
    while place > runStart {
      let before = scalarStart(before: place)
      let other = decodeScalar(bytes, at: before, count: place).scalar
      guard tables.entry(other).pointee.combiningClass > combiningClass else { break }
      place = before
    }
    guard place < count - length else { return }
    rotate(bytes, from: place, by: length)
    if tracking {
      rotate(starts, from: place, by: length)
      rotate(ends, from: place, by: length)
    }
    rehash(from: place, to: count)
  }

  /// A scalar of class 0 was left out here: the combining scalars behind it may not go before it.
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

  /// Moves the last `length` elements of `place ..< count` to its front.
  private func rotate<Element>(_ elements: UnsafeMutablePointer<Element>, from place: Int, by length: Int) {
    let moved = (count - length..<count).map { elements[$0] }
    var index = count - 1
    while index >= place + length {
      elements[index] = elements[index - length]
      index -= 1
    }
    for (offset, element) in moved.enumerated() { elements[place + offset] = element }
  }
}
