import CBLAS

/// The library for matrix products.
package enum MatrixLibrary {
  /// The version, and the kernels chosen for this processor, on which last digits may depend: `OpenBLAS 0.3.21 …
  /// SkylakeX …`. Read once, as each call of OpenBLAS rewrites the text, which another thread may be reading.
  package static let version = openblas_get_config().map { String(cString: $0) } ?? "OpenBLAS"
}
