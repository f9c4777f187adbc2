import CBLAS

/// The library that multiplies matrices.
public enum MatrixLibrary {
  /// Its version, and the kernels it took for this processor: last digits may depend on either. `OpenBLAS 0.3.21 … SkylakeX …`.
  public static var version: String { openblas_get_config().map { String(cString: $0) } ?? "OpenBLAS" }
}
