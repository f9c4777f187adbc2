/// The classes of 64 bytes of text: one bit per byte, the first byte lowest.
///
/// Bytes are classified in integers of eight: an addition carries into the top bit of each byte above a bound. The top
/// bits of eight integers are combined into one, and a transposition restores the order of the text.
struct ByteClasses {
  /// The number of bytes read.
  static let size = 64

  /// ASCII letters and digits.
  let letters: UInt64
  /// Blanks, according to the normalizer's classes.
  private(set) var blanks: UInt64
  /// Control characters and non-ASCII bytes, which cannot be classified by single bytes. Bytes in none of the three
  /// sets are punctuation.
  private(set) var others: UInt64

  /// 16 bytes of text.
  private typealias Pair = SIMD2<UInt64>

  /// `classes`: the classes that determine control characters.
  @inline(__always)
  init(_ bytes: UnsafePointer<UInt8>, classes: UnsafePointer<UInt8>) {
    var letters = Pair.zero
    var blanks = Pair.zero
    var unusual = Pair.zero
    for step in 0..<4 {
      let text = Self.load(bytes, step)
      let seven = text & Self.each(0x7F)
      let small = seven | Self.each(0x20)
      let isLetter = (small &+ Self.each(0x80 - 0x61)) & ~(small &+ Self.each(0x80 - 0x7B))
      let isDigit = (seven &+ Self.each(0x80 - 0x30)) & ~(seven &+ Self.each(0x80 - 0x3A))
      // Zero is the only difference to which adding 0x7F does not set the top bit.
      let isNoBlank = ((seven ^ Self.each(0x20)) &+ Self.each(0x7F)) | text
      letters |= Self.shift((isLetter | isDigit) & ~text, step)
      blanks |= Self.shift(~isNoBlank, step)
      // Not ASCII, below U+0020, or U+007F.
      unusual |= text | ~(seven &+ Self.each(0x60)) | (seven &+ Self.each(1))
    }
    self.letters = Self.ordered(letters)
    self.blanks = Self.ordered(blanks)
    others = 0
    if (unusual[0] | unusual[1]) & 0x8080_8080_8080_8080 != 0 { judgeUnusual(bytes, classes) }
  }

  @inline(never)
  private mutating func judgeUnusual(_ bytes: UnsafePointer<UInt8>, _ classes: UnsafePointer<UInt8>) {
    var high = Pair.zero
    var controls = Pair.zero
    for step in 0..<4 {
      let text = Self.load(bytes, step)
      let seven = text & Self.each(0x7F)
      high |= Self.shift(text, step)
      controls |= Self.shift((~(seven &+ Self.each(0x60)) | (seven &+ Self.each(1))) & ~text, step)
    }
    others = Self.ordered(high)
    var left = Self.ordered(controls)
    while left != 0 {
      let bit = left & (0 &- left)
      let isBlank = classes[Int(bytes[left.trailingZeroBitCount])] == TextNormalizer.ByteClass.blank
      if isBlank { blanks |= bit } else { others |= bit }
      left ^= bit
    }
  }

  @inline(__always)
  private static func load(_ bytes: UnsafePointer<UInt8>, _ step: Int) -> Pair {
    let raw = UnsafeRawPointer(bytes + 16 * step)
    return Pair(
      UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self)),
      UInt64(littleEndian: (raw + 8).loadUnaligned(as: UInt64.self)))
  }

  @inline(__always)
  private static func each(_ byte: UInt64) -> Pair { Pair(repeating: byte &* 0x0101_0101_0101_0101) }

  /// Moves the top bits to the position of this step: bit 2 · step of their bytes.
  @inline(__always)
  private static func shift(_ marks: Pair, _ step: Int) -> Pair {
    (marks & each(0x80)) &>> Pair(repeating: UInt64(7 - 2 * step))
  }

  /// Moves bit k of byte b, which represents byte b of the k-th integer, to bit b of byte k.
  @inline(__always)
  private static func ordered(_ marks: Pair) -> UInt64 {
    var bits = marks[0] | marks[1] << 1
    var moved = (bits ^ (bits >> 7)) & 0x00AA_00AA_00AA_00AA
    bits ^= moved ^ (moved << 7)
    moved = (bits ^ (bits >> 14)) & 0x0000_CCCC_0000_CCCC
    bits ^= moved ^ (moved << 14)
    moved = (bits ^ (bits >> 28)) & 0x0000_0000_F0F0_F0F0
    return bits ^ moved ^ (moved << 28)
  }
}
