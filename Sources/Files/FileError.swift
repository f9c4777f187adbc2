import Glibc

/// What can be wrong with a file or directory, whatever is in it.
public enum FileError: ModelError, Equatable {
  /// There is nothing of that name.
  case missing(path: String)
  /// A directory where a file should be.
  case isDirectory(path: String)
  /// A file where a directory should be.
  case notDirectory(path: String)
  /// The system does not allow it.
  case notPermitted(path: String, writing: Bool)
  /// The file system, or a quota, is full.
  case noSpace(path: String)
  /// Something of that name is there already.
  case alreadyExists(path: String)
  /// It was longer when it was opened.
  case becameShorter(path: String)
  /// Another failure of the system, with its `errno`.
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

  /// Finds out whether a file can be read before anything is done that takes long.
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
    case .alreadyExists(let path): "\(path) exists already"
    case .becameShorter(let path): "\(path) became shorter while it was read"
    case .failed(let operation, let path, let code): "\(path): cannot \(operation): \(Self.text(of: code))"
    }
  }

  public var hint: String? {
    switch self {
    case .noSpace: "make room, or write to another place; nothing was left half-written"
    default: nil
    }
  }

  package static func text(of code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Paths as text.
package enum Path {
  package static func join(_ directory: String, _ name: String) -> String {
    directory.isEmpty ? name : directory.utf8.last == UInt8(ascii: "/") ? directory + name : directory + "/" + name
  }

  /// Without slashes at the end, except for the root.
  package static func trimmed(_ path: String) -> String {
    var path = path
    while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
    return path
  }

  /// What stands after the last slash.
  package static func name(_ path: String) -> String {
    let path = trimmed(path)
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
  }

  /// What stands before the last slash; "." for a bare name.
  package static func parent(_ path: String) -> String {
    let path = trimmed(path)
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The absolute path with links followed, as far as there is something.
  package static func resolved(_ path: String) -> String {
    if let real = realpath(path.cPath, nil) {
      defer { free(real) }
      return String(cPath: real)
    }
    let parent = Path.parent(path)
    if parent == path { return path }
    return Path.join(resolved(parent), Path.name(path))
  }

  /// Makes a directory and those above it that are missing.
  /// - Parameter created: those that were made are added, the innermost last.
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

  /// What is there, links followed; nil where there is nothing, or it cannot be seen.
  package static func kind(_ path: String) -> Kind? {
    var info = stat()
    guard OpenDirectory.status(of: path, &info) == 0 else { return nil }
    switch info.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .directory
    default: return .other
    }
  }

  /// Bytes of a file; nil where there is none.
  package static func size(_ path: String) -> Int? {
    var info = stat()
    return OpenDirectory.status(of: path, &info) == 0 ? Int(info.st_size) : nil
  }

  /// Where a symbolic link leads, as it is written in it; nil for what is none.
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

  /// The same of a descriptor, which is closed.
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
