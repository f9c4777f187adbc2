import Files
import Glibc

/// A kind of hash by which the hub identifies a file's content.
public enum Digest: Sendable, Equatable {
  /// SHA-256, for files in the hub's large-file storage.
  case sha256
  /// Git's object ID, SHA-1 of `"blob " + length + "\0" + content`, for all other files.
  case gitBlob

  /// The kind of an ETag of the hub, by its length; nil if it is neither.
  package init?(tag: String) {
    guard tag.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 || $0 &- UInt8(ascii: "a") < 6 }) else { return nil }
    switch tag.utf8.count {
    case 64: self = .sha256
    case 40: self = .gitBlob
    default: return nil
    }
  }

  /// The name for messages.
  package var name: String {
    switch self {
    case .sha256: "SHA-256"
    case .gitBlob: "git blob id"
    }
  }

  /// The hash of a file in hexadecimal, computed by OpenSSL's libcrypto.
  /// - Parameter shouldStop: called after each megabyte; true ends the computation with `HubError.interrupted`.
  /// - Throws: `FileError`; `HubError.missingLibrary` if libcrypto is not installed.
  package func ofFile(_ path: String, shouldStop: () -> Bool = { false }) throws -> String {
    let descriptor = OpenDirectory.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError.system("open", path) }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw FileError.system("read", path) }

    let hash = try LibCrypto.shared.get().hash(self)
    defer { hash.free() }
    if self == .gitBlob { try Array("blob \(info.st_size)\0".utf8).withUnsafeBytes { try hash.add($0) } }
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { chunk.deallocate() }
    while true {
      if shouldStop() { throw HubError.interrupted(kept: nil) }
      let count = read(descriptor, chunk.baseAddress, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw FileError.system("read", path) }
      if count == 0 { return try hash.finish() }
      try hash.add(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
    }
  }

  /// The hash of bytes in memory, in hexadecimal.
  /// - Throws: `HubError.missingLibrary` if libcrypto is not installed.
  package func ofBytes(_ bytes: UnsafeRawBufferPointer) throws -> String {
    let hash = try LibCrypto.shared.get().hash(self)
    defer { hash.free() }
    if self == .gitBlob { try Array("blob \(bytes.count)\0".utf8).withUnsafeBytes { try hash.add($0) } }
    try hash.add(bytes)
    return try hash.finish()
  }
}

/// OpenSSL's hash functions.
private struct LibCrypto: @unchecked Sendable {
  typealias Pointer = UnsafeMutableRawPointer

  static let shared = Result { () throws(DynamicLibraryError) in try LibCrypto() }.mapError(HubError.init)

  let newContext: @convention(c) () -> Pointer?
  let freeContext: @convention(c) (Pointer) -> Void
  let initialize: @convention(c) (Pointer, Pointer?, Pointer?) -> Int32
  let update: @convention(c) (Pointer, UnsafeRawPointer?, Int) -> Int32
  let finish: @convention(c) (Pointer, UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt32>) -> Int32
  let sha256, sha1: @convention(c) () -> Pointer?

  init() throws(DynamicLibraryError) {
    let library = try DynamicLibrary(["libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so"], package: "libssl3")
    newContext = try library.function("EVP_MD_CTX_new", as: (@convention(c) () -> Pointer?).self)
    freeContext = try library.function("EVP_MD_CTX_free", as: (@convention(c) (Pointer) -> Void).self)
    initialize = try library.function(
      "EVP_DigestInit_ex", as: (@convention(c) (Pointer, Pointer?, Pointer?) -> Int32).self)
    update = try library.function(
      "EVP_DigestUpdate", as: (@convention(c) (Pointer, UnsafeRawPointer?, Int) -> Int32).self)
    finish = try library.function(
      "EVP_DigestFinal_ex",
      as: (@convention(c) (Pointer, UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt32>) -> Int32).self)
    sha256 = try library.function("EVP_sha256", as: (@convention(c) () -> Pointer?).self)
    sha1 = try library.function("EVP_sha1", as: (@convention(c) () -> Pointer?).self)
  }

  func hash(_ digest: Digest) throws(HubError) -> Hash {
    let algorithm = digest == .sha256 ? sha256() : sha1()
    guard let context = newContext() else { throw .unsuitableLibrary(symbol: "EVP_MD_CTX_new") }
    guard initialize(context, algorithm, nil) == 1 else {
      freeContext(context)
      throw .unsuitableLibrary(symbol: "EVP_DigestInit_ex")
    }
    return Hash(library: self, context: context)
  }

  struct Hash {
    let library: LibCrypto
    let context: Pointer

    func add(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
      guard library.update(context, bytes.baseAddress, bytes.count) == 1 else {
        throw .unsuitableLibrary(symbol: "EVP_DigestUpdate")
      }
    }

    func finish() throws(HubError) -> String {
      var value = [UInt8](repeating: 0, count: 64)
      var count: UInt32 = 0
      guard library.finish(context, &value, &count) == 1 else {
        throw .unsuitableLibrary(symbol: "EVP_DigestFinal_ex")
      }
      let digits = Array("0123456789abcdef".utf8)
      return String(
        decoding: value.prefix(Int(count)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    func free() { library.freeContext(context) }
  }
}
