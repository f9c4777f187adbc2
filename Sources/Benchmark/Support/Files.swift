import Files
import Glibc

/// The file operations that a benchmark needs.
enum Files {
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func size(_ path: String) -> Int {
    var information = stat()
    return stat(path, &information) == 0 ? Int(information.st_size) : 0
  }

  /// Seconds since 1970.
  static func modificationTime(_ path: String) -> Int {
    var information = stat()
    return stat(path, &information) == 0 ? information.st_mtim.tv_sec : 0
  }

  static func read(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rb") else { throw BenchmarkError("cannot read \(path): \(reason())") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return bytes
  }

  static func text(_ path: String) -> String? { (try? read(path)).map { String(decoding: $0, as: UTF8.self) } }

  static func write(_ bytes: [UInt8], to path: String, appending: Bool = false) throws {
    guard let file = fopen(path, appending ? "ab" : "wb") else {
      throw BenchmarkError("cannot write \(path): \(reason())")
    }
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else {
      throw BenchmarkError("cannot write \(path): \(reason())")
    }
  }

  static func makeFolder(_ path: String) throws {
    do {
      try Path.makeDirectories(path)
    } catch {
      throw BenchmarkError("cannot create the folder: \(error.message)", hint: "choose another with --cache")
    }
  }

  /// The names in a folder.
  static func names(in path: String) -> [String] { (try? Path.list(path)) ?? [] }

  /// Removes a folder and its contents.
  static func removeFolder(_ path: String) { DirectoryReplacement.remove(path) }

  private static func reason() -> String { FileError.text(of: errno) }
}
