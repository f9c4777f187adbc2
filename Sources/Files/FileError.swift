import Glibc

/// An error of a file or directory, regardless of its content.
public enum FileError: ModelError, Equatable {
  /// The file or directory does not exist.
  case missing(path: String)
  /// The path is a directory instead of a file.
  case isDirectory(path: String)
  /// The path is not a directory.
  case notDirectory(path: String)
  /// The system denies permission to read or write.
  case notPermitted(path: String, writing: Bool)
  /// The file system, or a quota, is full.
  case noSpace(path: String)
  /// The path already exists.
  case alreadyExists(path: String)
  /// The file was truncated after it was opened.
  case becameShorter(path: String)
  /// Another failed system call, with its `errno`.
  case failed(operation: String, path: String, code: Int32)

  /// The error of a failed system call.
  package static func system(_ operation: String, _ path: String, writing: Bool = false, code: Int32 = errno)
    -> FileError
  {
    switch code {
    case ENOENT: .missing(path: path)
    case EISDIR: .isDirectory(path: path)
    case ENOTDIR: .notDirectory(path: path)
    case EACCES, EPERM, EROFS: .notPermitted(path: path, writing: writing)
    case ENOSPC, EDQUOT: .noSpace(path: path)
    case EEXIST: .alreadyExists(path: path)
    default: .failed(operation: operation, path: path, code: code)
    }
  }

  /// Checks that a file is readable, so that a long computation need not start first.
  ///
  /// - Throws: `FileError` if the file is missing, unreadable, or a directory.
  public static func checkReadable(_ path: String) throws(FileError) {
    guard access(path.cPath, R_OK) == 0 else { throw .system("open", path) }
    if Path.isDirectory(path) { throw .isDirectory(path: path) }
  }

  public var kind: ErrorKind { .directory }
  public var message: String {
    switch self {
    case .missing(let path): "\(path): no such file or directory"
    case .isDirectory(let path): "\(path) is a directory, not a file"
    case .notDirectory(let path): "\(path) is not a directory"
    case .notPermitted(let path, let writing): "\(path): no permission to \(writing ? "write" : "read") it"
    case .noSpace(let path): "\(path): no space left on the device"
    case .alreadyExists(let path): "\(path) already exists"
    case .becameShorter(let path): "\(path) was truncated while it was being read"
    case .failed(let operation, let path, let code): "\(path): cannot \(operation): \(Self.text(of: code))"
    }
  }

  public var hint: String? {
    switch self {
    case .noSpace: "free some space, or write to another disk; no incomplete file was left behind"
    default: nil
    }
  }

  package static func text(of code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Operations on paths.
package enum Path {
  package static func join(_ directory: String, _ name: String) -> String {
    directory.isEmpty ? name : directory.utf8.last == UInt8(ascii: "/") ? directory + name : directory + "/" + name
  }

  /// The path without trailing slashes, except for the root.
  package static func trimmed(_ path: String) -> String {
    var path = path
    while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
    return path
  }

  /// The part of the path after the last slash.
  package static func name(_ path: String) -> String {
    let path = trimmed(path)
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
  }

  /// The part of the path before the last slash; "." for a bare name.
  package static func parent(_ path: String) -> String {
    let path = trimmed(path)
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The absolute path, with links resolved in the part that exists.
  package static func resolved(_ path: String) -> String {
    if let real = realpath(path.cPath, nil) {
      defer { free(real) }
      return String(cPath: real)
    }
    let parent = Path.parent(path)
    if parent == path { return path }
    return Path.join(resolved(parent), Path.name(path))
  }

  /// Creates a directory and its missing parents.
  package static func makeDirectories(_ path: String) throws(FileError) {
    var created: [String] = []
    try makeDirectories(path, created: &created)
  }

  /// Creates a directory and its missing parents.
  /// - Parameter created: the directories created are appended, the innermost last.
  package static func makeDirectories(_ path: String, created: inout [String]) throws(FileError) {
    if kind(path) != nil { return }
    let parent = parent(path)
    if parent != path { try makeDirectories(parent, created: &created) }
    guard mkdir(path.cPath, 0o777) == 0 else {
      if errno == EEXIST { return }
      throw .system("create", path, writing: true)
    }
    created.append(path)
  }

  package enum Kind { case file, directory, other }

  /// The kind of the file at a path, with links followed; nil if it does not exist or is inaccessible.
  package static func kind(_ path: String) -> Kind? {
    var info = stat()
    guard OpenDirectory.status(of: path, &info) == 0 else { return nil }
    switch info.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .directory
    default: return .other
    }
  }

  /// The size of a file in bytes; nil if it does not exist.
  package static func size(_ path: String) -> Int? {
    var info = stat()
    return OpenDirectory.status(of: path, &info) == 0 ? Int(info.st_size) : nil
  }

  /// The target of a symbolic link, as stored in the link; nil if the path is not a link.
  package static func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path.cPath, &buffer, buffer.count)
    return count > 0 ? String(path: buffer.prefix(count).map { UInt8(bitPattern: $0) }) : nil
  }

  package static func isDirectory(_ path: String) -> Bool { kind(path) == .directory }
  package static func isFile(_ path: String) -> Bool { kind(path) == .file }

  /// The names in a directory, sorted by bytes, without "." and "..".
  package static func list(_ path: String) throws(FileError) -> [String] {
    try list(OpenDirectory.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path)
  }

  /// The names in the directory of a descriptor, which is closed.
  package static func list(_ descriptor: Int32, _ path: String) throws(FileError) -> [String] {
    guard descriptor >= 0 else { throw .system("list", path) }
    guard let directory = fdopendir(descriptor) else {
      close(descriptor)
      throw .system("list", path)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cPath: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
