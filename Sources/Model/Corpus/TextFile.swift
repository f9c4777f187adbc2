import Files
import Glibc

/// An open text file, with its name in messages. The file must not change while it is in use.
package struct TextFile: Sendable {
  /// The name in messages: the path, or "standard input".
  package let name: String
  /// All of its bytes, to be read from start to end and released after reading.
  let mapping: FileMapping
  /// The same file, for random access to parts of it.
  private let file: OpenFile
  /// Whether it is a copy, because the source could be read only once.
  let isCopy: Bool

  var bytes: UnsafeBufferPointer<UInt8> { mapping.text }

  private init(name: String, _ file: OpenFile, isCopy: Bool = false) throws(FileError) {
    self.name = name
    self.file = file
    self.isCopy = isCopy
    mapping = try FileMapping(descriptor: file.descriptor, path: file.path)
  }

  /// Opens text files. "-" is standard input. Input that is not a regular file is first copied to `temporaryDirectory`.
  ///
  /// - Throws: `FileError`, or `PreprocessorError` if a file is certainly not text.
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

  /// Opens a file; "-" is standard input. Input that cannot be mapped (a pipe, a terminal) is first copied to an
  /// unlinked temporary file, which takes no memory and disappears with the process.
  static func open(
    _ path: String, temporaryDirectory: String, standardInput: Int32
  ) throws -> TextFile {
    if path == "-" {
      let name = "standard input"
      // `mlm fit - < file`: uses the file itself if nothing has been read from it yet.
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

  /// Calls `body` with a part of the bytes, which is in memory during the call.
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

  /// Throws if the content is certainly not UTF-8 text.
  func requireText() throws(PreprocessorError) { try PlainText.check(bytes, name: name) }
}
