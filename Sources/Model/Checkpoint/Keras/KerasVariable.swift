/// Where KerasHub's files hold a parameter, and how.
///
/// Source: what KerasHub's `save_to_preset` writes.
struct KerasVariable: Equatable {
  /// The groups that hold a model's layers, in Keras 3 and before it.
  static let roots = ["layers", "_layer_checkpoint_dependencies"]

  /// The paths under which the versions of Keras store it; a file has one of them.
  let paths: [String]
  /// As it is stored.
  let shape: [Int]
  /// Kernels are stored as [in, out], with the heads of attention as an axis of their own: read as a matrix, the transposed of ours.
  let isTransposed: Bool

  var path: String { paths.first ?? "" }
}
