/// A format that is sometimes found instead of the expected one, recognized by the first bytes.
package enum ForeignFormat: Sendable, Equatable {
  /// A pointer that Git LFS keeps for a large file, with its values.
  case gitLFSPointer(oid: String?, size: String?)
  /// UTF-8 text that begins with a byte-order mark, which JSON does not allow.
  case markedText
  /// Text in another encoding: UTF-16 or UTF-32.
  case otherEncoding(String)
  /// Another format, with an article: `a gzip file`.
  case other(String)

  /// Recognizes a format; nil if it is unknown.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    let head = bytes.prefix(512)
    func begins(_ magic: [UInt8]) -> Bool { head.starts(with: magic) }
    let text = head.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }.prefix(15)
    let lower = text.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
    if begins(Array("version https://git-lfs.github.com/spec/".utf8)) {
      var values: [Substring: Substring] = [:]
      for line in String(decoding: head, as: UTF8.self).split(separator: "\n") {
        let words = line.split(separator: " ", maxSplits: 1)
        if words.count == 2 { values[words[0]] = words[1] }
      }
      self = .gitLFSPointer(oid: values["oid"].map(String.init), size: values["size"].map(String.init))
    } else if begins([0xEF, 0xBB, 0xBF]) {
      self = .markedText
    } else if begins([0xFF, 0xFE, 0, 0]) || begins([0, 0, 0xFE, 0xFF]) {
      self = .otherEncoding("UTF-32")
    } else if begins([0xFF, 0xFE]) || begins([0xFE, 0xFF]) {
      self = .otherEncoding("UTF-16")
    } else if begins([0x7B, 0]) || begins([0x5B, 0]) {
      // No mark: recognized by the bracket that JSON and vocabularies begin with.
      self = .otherEncoding("UTF-16LE")
    } else if begins([0, 0x7B]) || begins([0, 0x5B]) {
      self = .otherEncoding("UTF-16BE")
    } else if begins([0x50, 0x4B, 0x03, 0x04]) || begins([0x80, 0x02]) || begins([0x80, 0x03]) || begins([0x80, 0x04]) {
      self = .other("a PyTorch or Python pickle file")
    } else if begins([0x89, 0x48, 0x44, 0x46]) {
      self = .other("an HDF5 file (Keras)")
    } else if begins([0x1F, 0x8B]) {
      self = .other("a gzip file")
    } else if lower.starts(with: Array("<!doctype".utf8)) || lower.starts(with: Array("<html".utf8)) {
      self = .other("a saved web page")
    } else {
      return nil
    }
  }

  /// A description of the format, with an article.
  package var what: String {
    switch self {
    case .gitLFSPointer(let oid, let size):
      "a Git LFS pointer, not the file itself (oid \(oid ?? "unknown"), size \(size ?? "unknown"))"
    case .markedText: "UTF-8 text with a byte-order mark"
    case .otherEncoding(let name): "\(name) text"
    case .other(let what): what
    }
  }

  /// A hint for the user.
  package var remedy: String {
    switch self {
    case .gitLFSPointer: "fetch the file itself: git lfs pull, or download it again"
    case .markedText: "remove the mark, for example: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE"
    case .otherEncoding(let name): "convert it: iconv -f \(name) -t UTF-8 FILE > OTHER"
    case .other: "download the file again"
    }
  }
}

/// An error for a file in another format where text is expected.
package struct ForeignFileError: ModelError, Equatable {
  /// The file's path.
  package let file: String
  /// The file's format.
  package let format: ForeignFormat

  package var kind: ErrorKind { .directory }
  package var message: String { "\(file): this is \(format.what)" }
  package var hint: String? { format.remedy }

  /// Throws if the bytes are certainly not UTF-8 text, such as a vocab.txt. A byte-order mark is left to the caller.
  package static func checkText(_ bytes: UnsafeRawBufferPointer, file: String) throws(ForeignFileError) {
    switch ForeignFormat(bytes) {
    case nil, .markedText: break
    case .some(let format): throw ForeignFileError(file: file, format: format)
    }
  }
}
