/// A cache of word ids, one per worker. Words repeat in text, and finding a word here costs less than splitting it.
///
/// Consists of two tables of fixed size, which no text can make grow: words of up to 15 bytes with up to 4 ids, and
/// words of up to 31 bytes with up to 8. A word's whole key is compared. Words with the same hash share a set of two
/// slots: a new word takes the first, and the previous one moves to the second.
///
/// A word is a run of bytes whose ids do not depend on its context. The caller defines which bytes form a word. Not
/// thread-safe: `WordCachePool` lends a cache to each thread.
struct WordCache {
  /// The bytes of a word, padded with zeros. The last byte of an entry's key has the word's length in its lower half
  /// and the number of its ids in the upper one. No word has the length 0, so entries of zeros match nothing.
  struct ShortKey {
    static let capacity = 15
    var low: UInt64
    var high: UInt64

    /// Reads `length` ASCII letters and digits, 1 to 15; accesses 16 bytes. `caseBits` lower-cases capital letters:
    /// 0x20 in each byte, which digits have anyway.
    @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>, length: Int, caseBits: UInt64) {
      let raw = UnsafeRawPointer(bytes)
      let first = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
      let second = UInt64(littleEndian: (raw + 8).loadUnaligned(as: UInt64.self))
      let lowBits = UInt64(truncatingIfNeeded: min(length, 8) &* 8)
      let highBits = UInt64(truncatingIfNeeded: max(length, 8) &* 8 &- 64)
      low = (first | caseBits) & (~0 &>> (64 &- lowBits))
      high = (second | caseBits) & ~(~0 &<< highBits) | UInt64(truncatingIfNeeded: length) << 56
    }
  }

  struct ShortEntry {
    static let idCapacity = 4
    var low: UInt64
    var high: UInt64
    var ids: SIMD4<Int32>
  }

  /// The key of a longer word, with 5 bits for the length and 3 for the number of ids.
  struct LongKey {
    static let capacity = 31
    var words: SIMD4<UInt64>
  }

  struct LongEntry {
    static let idCapacity = 7
    var words: SIMD4<UInt64>
    var ids: SIMD8<Int32>
  }

  // 2 MB for short words. 512 kB, which fits into a core's second-level cache, was 10 to 20 % slower on prose, and no
  // different on code.
  private static let shortSetBits: UInt64 = 15
  private static let longSetBits: UInt64 = 11
  private static let shortBytes = 2 * MemoryLayout<ShortEntry>.stride << Int(shortSetBits)
  private static let longBytes = 2 * MemoryLayout<LongEntry>.stride << Int(longSetBits)
  static let byteCount = shortBytes + longBytes
  static let alignment = 64

  private let shortEntries: UnsafeMutablePointer<ShortEntry>
  private let longEntries: UnsafeMutablePointer<LongEntry>

  /// `memory`: `byteCount` bytes, zeroed or as left by a cache.
  init(memory: UnsafeMutableRawPointer) {
    shortEntries = memory.assumingMemoryBound(to: ShortEntry.self)
    longEntries = (memory + Self.shortBytes).assumingMemoryBound(to: LongEntry.self)
  }

  // MARK: Short words

  /// Returns the entry of a word, and whether there is one. Which of the two entries matches is unpredictable, so the
  /// choice uses arithmetic: the compiler makes branches of comparisons.
  @inline(__always)
  func find(_ key: ShortKey) -> (entry: UnsafePointer<ShortEntry>, isHit: Bool) {
    let set = self.set(of: key)
    let first = Self.difference(set, key)
    let second = Self.difference(set + 1, key)
    let isNotSecond = (second | (0 &- second)) >> 63
    return (UnsafePointer(set + Int(isNotSecond ^ 1)), first & (0 &- isNotSecond) == 0)
  }

  @inline(__always)
  static func idCount(_ entry: UnsafePointer<ShortEntry>) -> Int { Int(entry.pointee.high >> 60) }

  func insert(_ key: ShortKey, _ ids: UnsafePointer<Int32>, count: Int) {
    guard count <= ShortEntry.idCapacity else { return }
    let set = self.set(of: key)
    set[1] = set[0]
    var entry = ShortEntry(low: key.low, high: key.high | UInt64(count) << 60, ids: .zero)
    for index in 0..<count { entry.ids[index] = ids[index] }
    set[0] = entry
  }

  @inline(__always)
  private func set(of key: ShortKey) -> UnsafeMutablePointer<ShortEntry> {
    shortEntries + Self.fold(key.low, key.high, bits: Self.shortSetBits) * 2
  }

  @inline(__always)
  private static func difference(_ entry: UnsafeMutablePointer<ShortEntry>, _ key: ShortKey) -> UInt64 {
    (entry.pointee.low ^ key.low) | ((entry.pointee.high ^ key.high) << 4)
  }

  // MARK: Longer words

  @inline(__always)
  func find(_ key: LongKey) -> UnsafePointer<LongEntry>? {
    let set = self.set(of: key)
    if Self.matches(set, key) { return UnsafePointer(set) }
    if Self.matches(set + 1, key) { return UnsafePointer(set + 1) }
    return nil
  }

  @inline(__always)
  static func idCount(_ entry: UnsafePointer<LongEntry>) -> Int { Int(entry.pointee.words[3] >> 61) }

  func insert(_ key: LongKey, _ ids: UnsafePointer<Int32>, count: Int) {
    guard count <= LongEntry.idCapacity else { return }
    let set = self.set(of: key)
    set[1] = set[0]
    var entry = LongEntry(words: key.words, ids: .zero)
    entry.words[3] |= UInt64(count) << 61
    for index in 0..<count { entry.ids[index] = ids[index] }
    set[0] = entry
  }

  @inline(__always)
  private func set(of key: LongKey) -> UnsafeMutablePointer<LongEntry> {
    let low = key.words[0] ^ (key.words[2] &* 0x9E37_79B9_7F4A_7C15)
    let high = key.words[1] &+ (key.words[3] &* 0xC2B2_AE3D_27D4_EB4F)
    return longEntries + Self.fold(low, high, bits: Self.longSetBits) * 2
  }

  @inline(__always)
  private static func matches(_ entry: UnsafeMutablePointer<LongEntry>, _ key: LongKey) -> Bool {
    let difference = entry.pointee.words ^ key.words
    return difference[0] | difference[1] | difference[2] | (difference[3] << 3) == 0
  }

  /// A hash of 16 bytes: the upper bits of a product, with both halves folded together.
  @inline(__always)
  private static func fold(_ low: UInt64, _ high: UInt64, bits: UInt64) -> Int {
    let product = (low ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: high ^ 0xD6E8_FEB8_6659_FD93)
    return Int(truncatingIfNeeded: ((product.high ^ product.low) &* 0xA076_1D64_78BD_642F) >> (64 - bits))
  }
}
