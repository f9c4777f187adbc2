import Files
import Glibc

/// A file of text, open, and the name it goes by in messages. It must not change while it is used.
package struct TextFile: Sendable {
  /// What it is called in messages: its path, or "standard input".
  package let name: String
  /// All of its bytes: to be read from start to end, and let go behind.
  let mapping: FileMapping
  /// The same file, for parts of it at any place.
  private let file: OpenFile
  /// Whether it is a copy, because it could be read only once.
  let isCopy: Bool

  var bytes: UnsafeBufferPointer<UInt8> { mapping.text }

  private init(name: String, _ file: OpenFile, isCopy: Bool = false) throws(FileError) {
    self.name = name
    self.file = file
    self.isCopy = isCopy
    mapping = try FileMapping(descriptor: file.descriptor, path: file.path)
  }

  /// Opens files of text. "-" is standard input; what is not a regular file is first copied to `temporaryDirectory`.
  ///
  /// - Throws: `FileError`, or `PreprocessorError` where a file is certainly not text.
  package static func open(
    _ paths: [String], temporaryDirectory: String = "/tmp", standardInput: Int32 = 0
  ) throws -> [TextFile] {
    guard !paths.isEmpty else { throw PreprocessorError.noFiles }
    guard paths.count(where: { $0 == "-" }) < 2 else { throw PreprocessorError.standardInputTwice }
    return try paths.map { path in
      let file = try open(path, temporaryDirectory: temporaryDirectory, standardInput: standardInput)
      try file.requireText()
      return file
    }
  }

  /// Opens a file; "-" is standard input. What cannot be mapped (a pipe, a terminal) is first copied to a temporary
  /// file that has no name any more, so that it takes no memory and vanishes with the process.
  static func open(
    _ path: String, temporaryDirectory: String, standardInput: Int32
  ) throws -> TextFile {
    if path == "-" {
      let name = "standard input"
      // `mlm fit - < file`: the file itself, if nothing of it has been read yet.
      if isRegular(standardInput), lseek(standardInput, 0, SEEK_CUR) == 0 {
        let copy = dup(standardInput)
        if copy >= 0 { return try TextFile(name: name, OpenFile(descriptor: copy, path: name)) }
      }
      return try TextFile(name: name, spool(standardInput, name, in: temporaryDirectory), isCopy: true)
    }
    let file = try OpenFile(path: path)
    guard Path.kind(path) == .other else { return try TextFile(name: path, file) }
    return try TextFile(name: path, spool(file.descriptor, path, in: temporaryDirectory), isCopy: true)
  }

  /// Calls `body` with a part of the bytes, read into memory for the time.
  func withPart<Result>(_ part: Range<Int>, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result) throws -> Result {
    guard mapping.isMapped else { return try body(UnsafeBufferPointer(rebasing: bytes[part])) }
    return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: part.count) { buffer in
      try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: part.lowerBound)
      return try body(UnsafeBufferPointer(buffer))
    }
  }

  private static func isRegular(_ descriptor: Int32) -> Bool {
    var info = stat()
    return fstat(descriptor, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
  }

  private static func spool(
    _ source: Int32, _ name: String, in directory: String
  ) throws -> OpenFile {
    func failure(_ code: Int32) -> PreprocessorError {
      .spoolFailed(source: name, directory: directory, reason: FileError.text(of: code))
    }
    let copy: OpenFile
    do { copy = try OpenFile.temporary(in: directory) } catch { throw failure(errno) }
    let size = 1 << 18
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = read(source, buffer, size)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw failure(errno) }
      if count == 0 { return copy }
      do {
        try copy.write(UnsafeRawBufferPointer(start: buffer, count: count))
      } catch {
        throw failure(errno)
      }
    }
  }

  /// Refuses what is certainly not UTF-8 text.
  func requireText() throws(PreprocessorError) { try PlainText.check(bytes, name: name) }
}
