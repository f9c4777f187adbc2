import Glibc

/// A system library that is loaded on first use, so that programs that do not need it start without it.
package struct DynamicLibrary: @unchecked Sendable {
  private let handle: UnsafeMutableRawPointer

  /// - Parameters:
  ///   - names: file names to try, newest first.
  ///   - package: the Debian package, for the error.
  package init(_ names: [String], package: String) throws(DynamicLibraryError) {
    for name in names {
      if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) {
        self.handle = handle
        return
      }
    }
    throw .missing(name: names.first ?? "", package: package)
  }

  /// A function or variable of the library. It is valid until the process ends.
  package func symbol(_ name: String) throws(DynamicLibraryError) -> UnsafeMutableRawPointer {
    guard let symbol = dlsym(handle, name) else { throw .unsuitable(symbol: name) }
    return symbol
  }

  package func function<Function>(_ name: String, as type: Function.Type) throws(DynamicLibraryError) -> Function {
    unsafeBitCast(try symbol(name), to: type)
  }
}

/// An error for a system library that is missing, or lacks a symbol.
package enum DynamicLibraryError: ModelError, Equatable {
  /// The library is missing. `package`: the Debian package that has it.
  case missing(name: String, package: String)
  /// A function or variable that the library lacks.
  case unsuitable(symbol: String)

  package var kind: ErrorKind { .hub }
  package var message: String {
    switch self {
    case .missing(let name, _): "\(name) is not installed, or cannot be loaded"
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
