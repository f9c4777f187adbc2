import Glibc

/// A model's directory that was opened once. While `reading` runs, every path below it leads into that directory, whatever takes its
/// name meanwhile: configuration, vocabulary and weights are of one model, never of two.
///
/// `fit --overwrite` puts a new directory in the place of the old one and then removes the old one's files. What had not been read by then
/// is gone: that is noticed by the names of the files, and thrown as `DirectoryReplaced`, to be tried again with the new directory.
package final class OpenDirectory: Sendable {
  /// As it was asked for.
  package let path: String
  private let descriptor: Int32
  /// The names in it when it was opened.
  private let names: Set<[UInt8]>

  /// The one that paths on this task are looked up in.
  @TaskLocal private static var current: OpenDirectory?

  /// Nil for what is no directory, or cannot be listed: it is read by its path then.
  package init?(_ path: String) {
    self.path = Path.trimmed(path)
    // Of a directory that was replaced before its names were known, some may be gone.
    for _ in 0..<1000 {
      let descriptor = Glibc.open(path.cPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      if let names = Self.names(in: descriptor), FileIdentity.isSame(descriptor, path) {
        (self.descriptor, self.names) = (descriptor, names)
        return
      }
      close(descriptor)
    }
    return nil
  }

  deinit { close(descriptor) }

  /// Calls `body`, which reads files of a directory: all of one directory, though another take its place meanwhile. Where files of the old
  /// one are gone by then, `body` is called again, with the new one.
  package static func reading<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    try again { try OpenDirectory(path).map { try $0.reading(body) } ?? body() }
  }

  /// Calls `body` until no directory was replaced under its hands, some twenty times at most.
  package static func again<Result>(_ body: () throws -> Result) throws -> Result {
    for _ in 0..<20 {
      do {
        return try body()
      } catch is DirectoryReplaced {
        continue
      }
    }
    return try body()
  }

  /// Calls `body`, in which paths below this one lead into the directory that was opened.
  ///
  /// - Throws: what `body` throws; `DirectoryReplaced` where files of the directory were removed meanwhile, whatever came of it.
  package func reading<Result>(_ body: () throws -> Result) throws -> Result {
    let result = Swift.Result { try Self.$current.withValue(self, operation: body) }
    guard let now = Self.names(in: descriptor), names.isSubset(of: now) else { throw DirectoryReplaced(path: path) }
    return try result.get()
  }

  private static func names(in descriptor: Int32) -> Set<[UInt8]>? {
    // Of its own, as the position in the directory is shared by copies of a descriptor.
    let own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    return (try? Path.list(own, ""))?.reduce(into: []) { $0.insert($1.pathBytes) }
  }

  // MARK: The system's calls

  /// What a path is within the current directory; nil for a path elsewhere.
  private static func place(_ path: String) -> (descriptor: Int32, name: String)? {
    guard let current, path.utf8.starts(with: current.path.utf8) else { return nil }
    let rest = path.utf8.dropFirst(current.path.utf8.count)
    guard rest.first == UInt8(ascii: "/") || rest.isEmpty || current.path == "/" else { return nil }
    let name = String(decoding: rest.drop { $0 == UInt8(ascii: "/") }, as: UTF8.self)
    return (current.descriptor, name.isEmpty ? "." : name)
  }

  /// `open`; the descriptor, or -1.
  package static func open(_ path: String, _ flags: Int32) -> Int32 {
    guard let (descriptor, name) = place(path) else { return Glibc.open(path.cPath, flags) }
    return openat(descriptor, name.cPath, flags)
  }

  /// `stat`; 0, or -1.
  package static func status(of path: String, _ info: inout stat) -> Int32 {
    guard let (descriptor, name) = place(path) else { return stat(path.cPath, &info) }
    return fstatat(descriptor, name.cPath, &info, 0)
  }

  /// A path for a library that opens files itself.
  package static func systemPath(_ path: String) -> String {
    guard let (descriptor, name) = place(path) else { return path }
    return "/proc/self/fd/\(descriptor)/\(name)"
  }
}

/// A model's directory whose files were removed while it was read.
struct DirectoryReplaced: ModelError, Equatable {
  let path: String
  var kind: ErrorKind { .directory }
  var message: String { "\(path): files of it were removed while it was read" }
  var hint: String? { "try again; is something replacing it again and again?" }
}
