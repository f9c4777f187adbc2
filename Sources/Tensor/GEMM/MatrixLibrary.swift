import CBLAS

/// The library that multiplies matrices.
package enum MatrixLibrary {
  /// Its version, and the kernels it took for this processor: last digits may depend on either. `OpenBLAS 0.3.21 … SkylakeX …`.
  /// Read once: each call of OpenBLAS writes the text anew, where another thread may be reading it.
  package static let version = openblas_get_config().map { String(cString: $0) } ?? "OpenBLAS"
}
