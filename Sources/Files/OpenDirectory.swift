import Glibc

/// A model's directory, opened once. While `reading` runs, every path below it leads into that directory, even if
/// another directory takes its name: configuration, vocabulary and weights belong to one model, never to two.
///
/// `fit --overwrite` replaces the old directory with a new one and then removes the old one's files. If files were
/// removed during `reading`, their names are missing afterward: it throws `DirectoryReplaced`, and the caller tries
/// again with the new directory.
package final class OpenDirectory: Sendable {
  /// The path as given, without trailing slashes.
  package let path: String
  private let descriptor: Int32
  /// The names in the directory when it was opened.
  private let names: Set<[UInt8]>

  /// The directory in which this task looks up paths.
  @TaskLocal private static var current: OpenDirectory?

  /// Opens a directory; nil if the path is not a directory or cannot be listed. The caller then reads it by its path.
  package init?(_ path: String) {
    self.path = Path.trimmed(path)
    // If the directory was replaced before its names were listed, some may be missing: try again.
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

  /// Calls `body`, which reads files of a directory. All files belong to one directory, even if another one replaces
  /// it. If files of the old directory were removed, `body` is called again with the new one.
  package static func reading<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    try again { try OpenDirectory(path).map { try $0.reading(body) } ?? body() }
  }

  /// Calls `body` until no directory is replaced while it runs, at most 21 times.
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
  /// - Throws: the error of `body`; `DirectoryReplaced` if files of the directory were removed while `body` ran,
  ///   whether or not it succeeded.
  package func reading<Result>(_ body: () throws -> Result) throws -> Result {
    let result = Swift.Result { try Self.$current.withValue(self, operation: body) }
    guard let now = Self.names(in: descriptor), names.isSubset(of: now) else { throw DirectoryReplaced(path: path) }
    return try result.get()
  }

  private static func names(in descriptor: Int32) -> Set<[UInt8]>? {
    // A separate descriptor, as copies of a descriptor share the position in the directory.
    let own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    return (try? Path.list(own, ""))?.reduce(into: []) { $0.insert($1.pathBytes) }
  }

  // MARK: System calls

  /// The name of a path within the current directory; nil if the path lies elsewhere.
  private static func relativeName(_ path: String) -> (descriptor: Int32, name: String)? {
    guard let current, path.utf8.starts(with: current.path.utf8) else { return nil }
    let rest = path.utf8.dropFirst(current.path.utf8.count)
    guard rest.first == UInt8(ascii: "/") || rest.isEmpty || current.path == "/" else { return nil }
    let name = String(decoding: rest.drop { $0 == UInt8(ascii: "/") }, as: UTF8.self)
    return (current.descriptor, name.isEmpty ? "." : name)
  }

  /// Calls `open`; returns the descriptor, or -1.
  package static func open(_ path: String, _ flags: Int32) -> Int32 {
    guard let (descriptor, name) = relativeName(path) else { return Glibc.open(path.cPath, flags) }
    return openat(descriptor, name.cPath, flags)
  }

  /// Calls `stat`; returns 0, or -1.
  package static func status(of path: String, _ info: inout stat) -> Int32 {
    guard let (descriptor, name) = relativeName(path) else { return stat(path.cPath, &info) }
    return fstatat(descriptor, name.cPath, &info, 0)
  }

  /// A path for a library that opens files itself.
  package static func systemPath(_ path: String) -> String {
    guard let (descriptor, name) = relativeName(path) else { return path }
    return "/proc/self/fd/\(descriptor)/\(name)"
  }
}

/// An error for a model directory whose files were removed while it was being read.
struct DirectoryReplaced: ModelError, Equatable {
  let path: String
  var kind: ErrorKind { .directory }
  var message: String { "\(path): files were removed while the directory was being read" }
  var hint: String? { "try again; is another process replacing the directory repeatedly?" }
}
