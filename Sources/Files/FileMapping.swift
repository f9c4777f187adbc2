import Glibc

/// The bytes of a file, mapped into memory: only the pages that are accessed are read.
///
/// A file that cannot be mapped (a pipe, a file in /proc) is read to its end instead. An empty file gives an empty
/// buffer. Other processes must not truncate the file while it is mapped. The file is unmapped with the last reference.
package final class FileMapping: @unchecked Sendable {
  /// The file's path, or its name in messages.
  package let path: String
  /// The file's bytes, valid as long as this object. Swift may release a local variable right after its last use: keep
  /// it alive with `withExtendedLifetime`, or use `withText`.
  package let bytes: UnsafeRawBufferPointer
  /// False if the bytes were read into memory, or are part of the program.
  package let isMapped: Bool
  private let isOwned: Bool

  /// Maps a file. Throws if it is missing, a directory, or unreadable.
  package convenience init(path: String) throws(FileError) {
    let descriptor = OpenDirectory.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path) }
    defer { close(descriptor) }
    try self.init(descriptor: descriptor, path: path)
  }

  /// Maps the file of a descriptor, which may be closed afterward.
  package init(descriptor: Int32, path: String) throws(FileError) {
    self.path = path
    isOwned = true
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw .system("read", path) }
    if info.st_mode & S_IFMT == S_IFDIR { throw .isDirectory(path: path) }
    guard info.st_mode & S_IFMT == S_IFREG, info.st_size > 0 else {
      bytes = try Self.readToEnd(descriptor, path)
      isMapped = false
      return
    }
    let length = Int(info.st_size)
    guard let address = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw .system("map", path)
    }
    bytes = UnsafeRawBufferPointer(start: address, count: length)
    isMapped = true
  }

  /// Bytes that are part of the program, with a name for messages.
  package init(constant bytes: UnsafeRawBufferPointer, name: String) {
    (path, self.bytes) = (name, bytes)
    (isMapped, isOwned) = (false, false)
  }

  deinit {
    guard isOwned, let address = bytes.baseAddress else { return }
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
    } else {
      free(UnsafeMutableRawPointer(mutating: address))
    }
  }

  /// The bytes as a buffer of `UInt8`.
  package var text: UnsafeBufferPointer<UInt8> { bytes.bindMemory(to: UInt8.self) }

  /// Calls `body` with the bytes, and keeps them alive until it returns.
  package func withText<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(text)
  }

  /// Releases the pages of a part that is not needed for now: they no longer count as memory of the process.
  package func release(_ part: Range<Int>) {
    guard isMapped, let base = bytes.baseAddress, !part.isEmpty else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = part.lowerBound / page * page
    madvise(UnsafeMutableRawPointer(mutating: base + start), part.upperBound - start, MADV_DONTNEED)
  }

  /// Releases the pages of a part of `bytes`.
  package func release(_ part: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, let start = part.baseAddress else { return }
    release((start - base)..<(start - base + part.count))
  }

  /// Whether an address lies in this mapping.
  package func holds(_ address: UnsafeRawPointer) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    return address >= base && address < base + bytes.count
  }

  /// A copy of all bytes of a file.
  package static func contents(of path: String) throws(FileError) -> [UInt8] {
    let mapping = try FileMapping(path: path)
    defer { withExtendedLifetime(mapping) {} }
    return Array(mapping.bytes)
  }

  private static func readToEnd(_ descriptor: Int32, _ path: String) throws(FileError) -> UnsafeRawBufferPointer {
    var capacity = 1 << 16
    var count = 0
    guard var block = malloc(capacity) else { throw .failed(operation: "read", path: path, code: ENOMEM) }
    while true {
      if count == capacity {
        guard let larger = realloc(block, capacity * 2) else {
          free(block)
          throw .failed(operation: "read", path: path, code: ENOMEM)
        }
        block = larger
        capacity *= 2
      }
      let length = read(descriptor, block + count, capacity - count)
      if length < 0 && errno == EINTR { continue }
      if length < 0 {
        let error = FileError.system("read", path)
        free(block)
        throw error
      }
      if length == 0 { break }
      count += length
    }
    if count == 0 {
      free(block)
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return UnsafeRawBufferPointer(start: block, count: count)
  }
}
