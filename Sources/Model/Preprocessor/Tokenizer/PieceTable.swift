import Glibc

/// The hash table behind `Vocabulary`, which maps the bytes of a piece to its id.
///
/// The hash of a string is a polynomial in its bytes. Given the hashes of a word's prefixes, the hash of any part of
/// the word takes one multiplication: `hash(a ..< b) = prefix[b] − prefix[a] · power[b − a]`. Greedy longest match
/// needs the hashes of many parts of one word. Continuation pieces are stored without their `##` in a separate space,
/// so that a part of a word is looked up unchanged.
struct PieceTable {
  /// The multiplier of the hash: each byte updates it to `hash · multiplier + byte + 1`.
  static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
  private static let continuationSalt: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  /// Prefixes longer than this are never looked up; a longer piece is found only by `id(ofPiece:)`.
  private let text: UnsafePointer<UInt8>
  private let starts: UnsafePointer<UInt32>
  /// 32 bits of the hash above id + 1; 0 is a free slot. At most half full.
  private let slots: UnsafeMutablePointer<UInt64>
  private let mask: Int
  private let shift: UInt64
  /// The length of the longest piece that begins with a byte: initial pieces at 0 …< 256, continuations at 256 …< 512.
  private let longest: UnsafeMutablePointer<UInt32>
  /// A bit set of the lengths of pieces that begin with the same three bytes (or others of the same hash): bit n for n
  /// bytes, bit 63 for 63 or more. Most lengths that a word allows have no piece, and need no lookup.
  private let lengths: UnsafeMutablePointer<UInt64>
  private let lengthShift: UInt64
  /// The powers of `multiplier` for each length up to that of the longest piece.
  private let powers: UnsafeMutablePointer<UInt64>

  /// Creates an empty table for `count` ids beginning with `first`.
  init(text: UnsafePointer<UInt8>, starts: UnsafePointer<UInt32>, first: Int = 0, count: Int) {
    self.text = text
    self.starts = starts
    var bits: UInt64 = 4
    while 1 << bits < count * 2 { bits += 1 }
    mask = 1 << bits - 1
    shift = 64 - bits
    slots = .allocate(capacity: 1 << bits)
    slots.initialize(repeating: 0, count: 1 << bits)
    longest = .allocate(capacity: 512)
    longest.initialize(repeating: 0, count: 512)
    let lengthBits = bits - 3
    lengthShift = 64 - lengthBits
    lengths = .allocate(capacity: 1 << lengthBits)
    lengths.initialize(repeating: 0, count: 1 << lengthBits)
    var length: UInt32 = 0
    for id in first..<first + count { length = max(length, starts[id + 1] - starts[id]) }
    powers = .allocate(capacity: Int(length) + 1)
    var power: UInt64 = 1
    for exponent in 0...Int(length) {
      powers[exponent] = power
      power &*= Self.multiplier
    }
  }

  func deallocate() {
    slots.deallocate()
    longest.deallocate()
    lengths.deallocate()
    powers.deallocate()
  }

  /// Inserts a piece into the table; returns the id of an equal piece that is already there.
  func insert(_ id: Int) -> Int? {
    let (body, length, isContinuation) = Self.body(of: text + Int(starts[id]), count: Int(starts[id + 1] - starts[id]))
    let mixed = Self.mix(Self.hash(body, length), isContinuation)
    if let first = find(mixed, body, length, isContinuation) { return Int(first) }
    var slot = Int(truncatingIfNeeded: mixed >> shift)
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = mixed << 32 | UInt64(id + 1)
    let first = Int(body[0]) + (isContinuation ? 256 : 0)
    longest[first] = max(longest[first], UInt32(length))
    if length >= 3 { lengths[lengthSlot(body, isContinuation)] |= 1 << UInt64(min(length, 63)) }
    return nil
  }

  /// Returns the id of a piece spelled as in the vocabulary, or -1.
  func id(ofPiece piece: UnsafePointer<UInt8>, count: Int) -> Int32 {
    guard count > 0 else { return -1 }
    let (body, length, isContinuation) = Self.body(of: piece, count: count)
    return find(Self.mix(Self.hash(body, length), isContinuation), body, length, isContinuation) ?? -1
  }

  /// Returns the id and end of the longest piece that begins at `start` of a word and ends at or before its end, or -1.
  ///
  /// `prefixes[i]` is the hash of the word's first `i` bytes.
  @inline(__always)
  func longestMatch(
    in word: UnsafePointer<UInt8>, from start: Int, count: Int, prefixes: UnsafePointer<UInt64>
  ) -> (id: Int32, end: Int) {
    let isContinuation = start > 0
    let part = word + start
    let bound = Int(longest[Int(part[0]) + (isContinuation ? 256 : 0)])
    var length = min(count - start, bound)
    let before = prefixes[start]
    // Short lengths are all tried, because checking which exist would take longer. (Going from one known length to the
    // next by their bits was 10 % slower on text of many scripts.)
    let known = length > 4 ? lengths[lengthSlot(part, isContinuation)] | 0b110 : ~0
    while length > 0 {
      // A piece ends at the end of a scalar.
      if known >> UInt64(min(length, 63)) & 1 != 0, start + length == count || part[length] & 0xC0 != 0x80 {
        let hash = prefixes[start + length] &- before &* powers[length]
        if let id = find(Self.mix(hash, isContinuation), part, length, isContinuation) { return (id, start + length) }
      }
      length -= 1
    }
    return (-1, start)
  }

  /// The index of the lengths for pieces that begin with these three bytes.
  @inline(__always)
  private func lengthSlot(_ bytes: UnsafePointer<UInt8>, _ isContinuation: Bool) -> Int {
    let first = UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16 | (isContinuation ? 1 << 24 : 0)
    return Int(truncatingIfNeeded: (first &* Self.multiplier) >> lengthShift)
  }

  @inline(__always)
  private func find(
    _ mixed: UInt64, _ body: UnsafePointer<UInt8>, _ length: Int, _ isContinuation: Bool
  ) -> Int32? {
    var slot = Int(truncatingIfNeeded: mixed >> shift)
    while true {
      let entry = slots[slot]
      if entry == 0 { return nil }
      if entry >> 32 == mixed & 0xFFFF_FFFF {
        let id = Int(entry & 0xFFFF_FFFF) - 1
        let piece = text + Int(starts[id])
        let prefix = isContinuation ? 2 : 0
        if Int(starts[id + 1] - starts[id]) == length + prefix, memcmp(piece + prefix, body, length) == 0,
          !isContinuation || (piece[0] == 0x23 && piece[1] == 0x23)
        {
          return Int32(truncatingIfNeeded: id)
        }
      }
      slot = (slot + 1) & mask
    }
  }

  /// A piece without its `##`. `##` alone is an ordinary piece.
  @inline(__always)
  private static func body(of piece: UnsafePointer<UInt8>, count: Int) -> (UnsafePointer<UInt8>, Int, Bool) {
    count > 2 && piece[0] == 0x23 && piece[1] == 0x23 ? (piece + 2, count - 2, true) : (piece, count, false)
  }

  @inline(__always)
  private static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    var hash: UInt64 = 0
    for index in 0..<count { hash = hash &* multiplier &+ UInt64(bytes[index]) &+ 1 }
    return hash
  }

  @inline(__always)
  private static func mix(_ hash: UInt64, _ isContinuation: Bool) -> UInt64 {
    var mixed = isContinuation ? hash ^ continuationSalt : hash
    mixed ^= mixed >> 32
    mixed &*= 0xD6E8_FEB8_6659_FD93
    return mixed ^ mixed >> 32
  }
}
