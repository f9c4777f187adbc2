import Glibc

/// A system library that is loaded when it is first needed, so that nobody else waits for it.
struct DynamicLibrary: @unchecked Sendable {
  private let handle: UnsafeMutableRawPointer

  /// - Parameters:
  ///   - names: file names to try, newest first.
  ///   - package: Debian's package, for the error.
  init(_ names: [String], package: String) throws(HubError) {
    for name in names {
      if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) {
        self.handle = handle
        return
      }
    }
    throw .missingLibrary(name: names.first ?? "", package: package)
  }

  /// A function or variable of the library. It stays as long as the process.
  func symbol(_ name: String) throws(HubError) -> UnsafeMutableRawPointer {
    guard let symbol = dlsym(handle, name) else { throw .unsuitableLibrary(symbol: name) }
    return symbol
  }

  func function<Function>(_ name: String, as type: Function.Type) throws(HubError) -> Function {
    unsafeBitCast(try symbol(name), to: type)
  }
}
