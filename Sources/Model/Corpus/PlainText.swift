import Text

/// Distinguishes UTF-8 text from other formats by the first 64 KiB.
package enum PlainText {
  /// The number of bytes examined.
  package static let beginning = 1 << 16

  /// Throws `PreprocessorError.notText` if the bytes are certainly not UTF-8 text: another encoding, or a binary file.
  /// A few NUL bytes, or bytes of an 8-bit encoding, are accepted.
  ///
  /// - Parameters:
  ///   - bytes: the first bytes of the text, or all of it.
  ///   - name: the name in the error.
  ///   - isFile: false for typed text, which may begin with the magic bytes of a file format: "%PDF-", "BZh".
  package static func check(
    _ bytes: UnsafeBufferPointer<UInt8>, name: String, isFile: Bool = true
  ) throws(PreprocessorError) {
    guard let other = other(UnsafeBufferPointer(rebasing: bytes.prefix(beginning)), isFile: isFile) else { return }
    var remedy: String?
    switch other.remedy {
    case .none: break
    case .advice(let text): remedy = text
    case .filter(let verb, let filter): remedy = "\(verb) it: \(filter)"
    }
    throw .notText(file: name, looksLike: other.what, remedy: remedy)
  }

  /// The detected format, and a remedy.
  private struct Other {
    enum Remedy {
      case none
      case advice(String)
      /// A command that outputs the text.
      case filter(_ verb: String, String)
    }

    let what: String
    let remedy: Remedy

    init(_ what: String, _ remedy: Remedy = .none) { (self.what, self.remedy) = (what, remedy) }

    /// - Parameter iconv: the encoding's name in iconv.
    static func text(_ name: String, iconv: String) -> Other {
      Other("\(name) text", .filter("convert", "iconv -f \(iconv) -t UTF-8 FILE"))
    }
  }

  private static let magics: [(bytes: [UInt8], other: Other)] = [
    ([0x7F, 0x45, 0x4C, 0x46], Other("a program (ELF)")),
    ([0x89, 0x50, 0x4E, 0x47], Other("a PNG image")),
    ([0xFF, 0xD8, 0xFF], Other("a JPEG image")),
    (
      [0x25, 0x50, 0x44, 0x46, 0x2D],
      Other("a PDF document", .advice("extract its text first, for example with pdftotext"))
    ),
    ([0x1F, 0x8B], Other("gzip-compressed data", .filter("decompress", "zcat FILE"))),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], Other("xz-compressed data", .filter("decompress", "xzcat FILE"))),
    ([0x28, 0xB5, 0x2F, 0xFD], Other("zstd-compressed data", .filter("decompress", "zstdcat FILE"))),
    ([0x42, 0x5A, 0x68], Other("bzip2-compressed data", .filter("decompress", "bzcat FILE"))),
    ([0x50, 0x4B, 0x03, 0x04], Other("a zip archive", .filter("unpack", "unzip -p FILE"))),
    ([0x89, 0x48, 0x44, 0x46], Other("an HDF5 file")),
    // Byte-order marks. The mark of UTF-32 begins with that of UTF-16.
    ([0xFF, 0xFE, 0x00, 0x00], .text("UTF-32", iconv: "UTF-32")),
    ([0x00, 0x00, 0xFE, 0xFF], .text("UTF-32", iconv: "UTF-32")),
    ([0xFF, 0xFE], .text("UTF-16", iconv: "UTF-16")),
    ([0xFE, 0xFF], .text("UTF-16", iconv: "UTF-16")),
  ]

  private static func other(_ bytes: UnsafeBufferPointer<UInt8>, isFile: Bool) -> Other? {
    for (magic, other) in magics where bytes.starts(with: magic) {
      if !isFile, magic.allSatisfy({ 0x20..<0x7F ~= $0 }) { continue }
      // "BZh" could begin a text. In the format, a digit and a block header follow.
      if magic[0] == 0x42, bytes.count < 5 || bytes[4] != 0x31 { continue }
      return other
    }
    // A little-endian header length below 2^32, then JSON.
    if bytes.count > 9, bytes[4..<8].allSatisfy({ $0 == 0 }), bytes[8] == UInt8(ascii: "{") {
      return Other("a safetensors file", .advice("load it, or its directory, as a model"))
    }
    return byContent(bytes)
  }

  /// Detects a format from the bytes alone, without a magic number.
  private static func byContent(_ bytes: UnsafeBufferPointer<UInt8>) -> Other? {
    var (zeros, controls) = (0, 0)
    for byte in bytes {
      switch byte {
      case 0: zeros += 1
      case 0x01...0x08, 0x0E...0x1A, 0x1C...0x1F, 0x7F: controls += 1
      default: break
      }
    }
    if zeros == 0, controls == 0 { return nil }
    let invalid = UTF8Validation.count(bytes).count
    func isMore(_ count: Int, thanOneIn parts: Int) -> Bool { count * parts > bytes.count }
    // In UTF-16, every second byte of Latin text is zero, of Cyrillic text a control character, and much of Chinese
    // text is invalid UTF-8. If such bytes are fewer, as in Devanagari or kana, the characters belong to one script,
    // unlike pairs of ASCII letters.
    let unlike = zeros + controls + invalid
    if zeros > 0, isMore(unlike, thanOneIn: 10),
      let encoding = WideEncoding(of: bytes, inOneScript: !isMore(unlike, thanOneIn: 4))
    {
      return .text(encoding.name, iconv: encoding.name)
    }
    if isMore(zeros, thanOneIn: 10) {
      return Other(
        "binary data (\(zeros * 100 / bytes.count) % NUL bytes)",
        .filter("if it is text of another encoding, convert", "iconv -f ENCODING -t UTF-8 FILE"))
    }
    if isMore(zeros + controls, thanOneIn: 20), isMore(invalid, thanOneIn: 5) {
      return Other("binary data (\((zeros + controls) * 100 / bytes.count) % control characters)")
    }
    return nil
  }
}

/// UTF-16 or UTF-32 without a byte-order mark.
private struct WideEncoding {
  let name: String

  /// Finds the encoding in which all units are text characters; if several are possible, the one with the most ASCII
  /// characters. Returns nil if there is none.
  ///
  /// - Parameter inOneScript: for UTF-16, requires at least half of the non-ASCII characters to be in one block of 256.
  init?(of bytes: UnsafeBufferPointer<UInt8>, inOneScript: Bool) {
    func unit(_ index: Int, size: Int, isLittle: Bool) -> UInt32 {
      (0..<size).reduce(0) { value, offset in
        value << 8 | UInt32(bytes[index * size + (isLittle ? size - 1 - offset : offset)])
      }
    }
    var best = (ascii: 0, name: "")
    for (size, isLittle) in [(4, true), (4, false), (2, true), (2, false)] {
      let units = (0..<bytes.count / size).lazy.map { unit($0, size: size, isLittle: isLittle) }
      guard let ascii = size == 4 ? Self.asciiCount(scalars: units) : Self.asciiCount(utf16: units) else { continue }
      if size == 2, inOneScript, !Self.areInOneBlock(units) { continue }
      if ascii > best.ascii { best = (ascii, "UTF-\(size * 8)\(isLittle ? "LE" : "BE")") }
    }
    guard best.ascii > 0 else { return nil }
    name = best.name
  }

  private static func areInOneBlock(_ units: some Sequence<UInt32>) -> Bool {
    var blocks = [Int](repeating: 0, count: 256)
    for unit in units where unit > 0x7F { blocks[Int(unit >> 8)] += 1 }
    return (blocks.max() ?? 0) * 2 >= blocks.reduce(0, +)
  }

  /// The number of ASCII characters among some scalars; nil if one is not a text character.
  private static func asciiCount(scalars: some Sequence<UInt32>) -> Int? {
    var count = 0
    for value in scalars {
      guard let scalar = Unicode.Scalar(value), isText(scalar) else { return nil }
      if value < 0x80 { count += 1 }
    }
    return count
  }

  private static func asciiCount(utf16 units: some Sequence<UInt32>) -> Int? {
    var (count, high) = (0, UInt32?.none)
    for value in units {
      if let first = high {
        guard 0xDC00...0xDFFF ~= value,
          let scalar = Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + value & 0x3FF), isText(scalar)
        else { return nil }
        high = nil
      } else if 0xD800...0xDBFF ~= value {
        high = value
      } else {
        guard let scalar = Unicode.Scalar(value), isText(scalar) else { return nil }
        if value < 0x80 { count += 1 }
      }
    }
    return count
  }

  private static func isText(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .unassigned, .privateUse, .surrogate: false
    case .control: [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1B, 0x85].contains(scalar.value)
    default: true
    }
  }
}
