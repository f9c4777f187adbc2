/// The properties of every Unicode scalar that the tokenizer needs: class, decomposition and lower case.
///
/// The values are those of Hugging Face's tokenizers library, with which the weights were trained. They are older than
/// the standard library's `Unicode.Scalar.Properties`, which would give some other ids. The binary holds them as text
/// of about 20 kB, which is unpacked, in a fraction of a millisecond, for the first text that is not ASCII.
///
/// A lookup takes two steps: the upper bits of the scalar select a block of 256, its lower bits an entry of the block.
package final class UnicodeTables: Sendable {
  package static let shared = UnicodeTables()

  package struct Flags {
    package static let removed: UInt16 = 1  // dropped by text cleaning: controls, formats, private use, U+FFFD
    package static let blank: UInt16 = 2  // text cleaning replaces it with a blank
    package static let chinese: UInt16 = 4  // is surrounded with blanks
    package static let whitespace: UInt16 = 8  // separates words
    package static let punctuation: UInt16 = 16  // is a word by itself
    package static let mark: UInt16 = 32  // dropped by accent stripping
    package static let decomposes: UInt16 = 64  // changed by accent stripping
    package static let capital: UInt16 = 128  // changed by lower-casing
    package static let combining: UInt16 = 256  // may be reordered with its neighbors in NFD
  }

  /// The properties of one scalar.
  package struct Entry {
    package var flags: UInt16 = 0
    /// The canonical combining class.
    package var combiningClass: UInt8 = 0
    /// The result of accent stripping is `outputs[output ..< output + outputCount]`.
    package var outputCount: UInt8 = 0
    package var output: UInt16 = 0
    /// The difference between the lower-case scalar and this one.
    package var lowerDifference: Int32 = 0
  }

  private static let blockSize = 1 << 8
  private static let blockCount = 0x110000 >> 8

  /// The start in `numbers` of each block's 256 indices of `entries`.
  @usableFromInline nonisolated(unsafe) let blocks: UnsafeMutablePointer<UInt32>
  @usableFromInline nonisolated(unsafe) let numbers: UnsafeMutablePointer<UInt16>
  @usableFromInline nonisolated(unsafe) let entries: UnsafeMutablePointer<Entry>
  @usableFromInline nonisolated(unsafe) let outputs: UnsafeMutablePointer<UInt32>

  /// `scalar` must be below 0x110000.
  @inlinable @inline(__always)
  package func entry(_ scalar: UInt32) -> UnsafePointer<Entry> {
    let block = blocks[Int(scalar >> 8)]
    return UnsafePointer(entries + Int(numbers[Int(block + scalar & 0xFF)]))
  }

  @inlinable @inline(__always)
  package func output(_ index: Int) -> UInt32 { outputs[index] }

  private init() {
    var builder = Builder()
    var reader = NumberReader(UnicodeTablesData.properties)
    var scalar = 0
    while !reader.isAtEnd {
      scalar += reader.next()
      let length = reader.next() + 1
      var entry = Entry()
      entry.flags = UInt16(truncatingIfNeeded: reader.next())
      entry.combiningClass = UInt8(truncatingIfNeeded: reader.next())
      if entry.combiningClass != 0 { entry.flags |= Flags.combining }
      builder.set(scalar, length, entry)
      scalar += length
    }

    var unpacked: [UInt32] = []
    reader = NumberReader(UnicodeTablesData.decompositions)
    scalar = 0
    var output = 0
    while !reader.isAtEnd {
      scalar += reader.next()
      let count = reader.next()
      builder.change(scalar) {
        $0.flags |= Flags.decomposes
        $0.output = UInt16(truncatingIfNeeded: unpacked.count)
        $0.outputCount = UInt8(truncatingIfNeeded: count)
      }
      for _ in 0..<count {
        output += reader.nextSigned()
        unpacked.append(UInt32(truncatingIfNeeded: output))
      }
      scalar += 1
    }
    // Hangul syllables decompose by arithmetic; see `TextNormalizer`.
    var syllable = Entry()
    syllable.flags = Flags.decomposes
    builder.set(0xAC00, 0xD7A4 - 0xAC00, syllable)

    reader = NumberReader(UnicodeTablesData.lowercase)
    scalar = 0
    while !reader.isAtEnd {
      scalar += reader.next()
      let count = reader.next() + 1
      let stride = reader.next()
      let difference = Int32(truncatingIfNeeded: reader.nextSigned())
      for index in 0..<count {
        builder.change(scalar + index * stride) {
          $0.flags |= Flags.capital
          $0.lowerDifference = difference
        }
      }
    }
    // U+0130 becomes two scalars; the normalizer handles it.
    builder.change(0x130) { $0.flags |= Flags.capital }

    blocks = copy(builder.blocks)
    numbers = copy(builder.numbers)
    entries = copy(builder.entries)
    outputs = copy(unpacked)
  }

  /// Collects entries; equal ones and untouched blocks are shared.
  private struct Builder {
    var blocks = [UInt32](repeating: 0, count: UnicodeTables.blockCount)
    var numbers = [UInt16](repeating: 0, count: UnicodeTables.blockSize)
    var entries = [Entry()]
    /// The blocks that hold a single number, by that number.
    private var uniform: [UInt16: UInt32] = [0: 0]

    mutating func set(_ scalar: Int, _ length: Int, _ entry: Entry) {
      let number = number(of: entry)
      var scalar = scalar
      let end = scalar + length
      while scalar < end {
        let block = scalar >> 8
        if scalar & 0xFF == 0, end - scalar >= UnicodeTables.blockSize {
          blocks[block] = uniformBlock(number)
          scalar += UnicodeTables.blockSize
          continue
        }
        own(block)
        let stop = min(end, (block + 1) << 8)
        let base = Int(blocks[block])
        for index in scalar..<stop { numbers[base + index & 0xFF] = number }
        scalar = stop
      }
    }

    mutating func change(_ scalar: Int, _ body: (inout Entry) -> Void) {
      var entry = entries[Int(numbers[Int(blocks[scalar >> 8]) + scalar & 0xFF])]
      body(&entry)
      set(scalar, 1, entry)
    }

    /// The index of an entry, which is added if it is new. Runs of equal properties and case differences are long, so a
    /// search of the last few entries finds most.
    private mutating func number(of entry: Entry) -> UInt16 {
      for index in entries.indices.suffix(48).reversed() where same(entries[index], entry) {
        return UInt16(truncatingIfNeeded: index)
      }
      entries.append(entry)
      return UInt16(truncatingIfNeeded: entries.count - 1)
    }

    private func same(_ a: Entry, _ b: Entry) -> Bool {
      a.flags == b.flags && a.combiningClass == b.combiningClass && a.output == b.output
        && a.outputCount == b.outputCount && a.lowerDifference == b.lowerDifference
    }

    private mutating func uniformBlock(_ number: UInt16) -> UInt32 {
      if let block = uniform[number] { return block }
      let block = UInt32(numbers.count)
      numbers.append(contentsOf: repeatElement(number, count: UnicodeTables.blockSize))
      uniform[number] = block
      return block
    }

    /// Copies the numbers of a shared block, so that single ones can change.
    private mutating func own(_ block: Int) {
      let base = blocks[block]
      guard uniform.values.contains(base) else { return }
      blocks[block] = UInt32(numbers.count)
      numbers.append(contentsOf: Array(numbers[Int(base)..<Int(base) + UnicodeTables.blockSize]))
    }
  }
}

private func copy<Element>(_ array: [Element]) -> UnsafeMutablePointer<Element> {
  let pointer = UnsafeMutablePointer<Element>.allocate(capacity: max(array.count, 1))
  array.withUnsafeBufferPointer { if let base = $0.baseAddress { pointer.initialize(from: base, count: $0.count) } }
  return pointer
}

/// Reads the numbers in a text that `Scripts/generate-unicode-tables` wrote.
struct NumberReader {
  private let bytes: UnsafePointer<UInt8>
  private let count: Int
  private var position = 0

  init(_ text: StaticString) {
    bytes = text.utf8Start
    count = text.utf8CodeUnitCount
    skip()
  }

  var isAtEnd: Bool { position >= count }

  mutating func next() -> Int {
    var value = 0
    var shift = 0
    while position < count {
      let digit = Int(bytes[position]) - 63
      position += 1
      skip()
      value |= (digit & 31) << shift
      shift += 5
      if digit < 32 { break }
    }
    return value
  }

  mutating func nextSigned() -> Int {
    let value = next()
    return value & 1 == 0 ? value >> 1 : -(value >> 1) - 1
  }

  private mutating func skip() {
    while position < count, bytes[position] < 63 { position += 1 }
  }
}
