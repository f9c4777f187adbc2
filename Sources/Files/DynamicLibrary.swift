import Glibc

/// A system library that is loaded when it is first needed, so that nobody else waits for it.
package struct DynamicLibrary: @unchecked Sendable {
  private let handle: UnsafeMutableRawPointer

  /// - Parameters:
  ///   - names: file names to try, newest first.
  ///   - package: Debian's package, for the error.
  package init(_ names: [String], package: String) throws(DynamicLibraryError) {
    for name in names {
      if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) {
        self.handle = handle
        return
      }
    }
    throw .missing(name: names.first ?? "", package: package)
  }

  /// A function or variable of the library. It stays as long as the process.
  package func symbol(_ name: String) throws(DynamicLibraryError) -> UnsafeMutableRawPointer {
    guard let symbol = dlsym(handle, name) else { throw .unsuitable(symbol: name) }
    return symbol
  }

  package func function<Function>(_ name: String, as type: Function.Type) throws(DynamicLibraryError) -> Function {
    unsafeBitCast(try symbol(name), to: type)
  }
}

/// Reports a system library that is not there, or does not have what is needed of it.
package enum DynamicLibraryError: ModelError, Equatable {
  /// `package`: Debian's package that has it.
  case missing(name: String, package: String)
  /// A function or variable that the library lacks.
  case unsuitable(symbol: String)

  package var kind: ErrorKind { .hub }
  package var message: String {
    switch self {
    case .missing(let name, _): "\(name) is not installed on this system, or cannot be loaded"
    case .unsuitable(let symbol): "a system library is too old or broken: \(symbol) does not work"
    }
  }

  package var hint: String? {
    switch self {
    case .missing(_, let package): "as root: apt-get install \(package)"
    case .unsuitable: nil
    }
  }
}
