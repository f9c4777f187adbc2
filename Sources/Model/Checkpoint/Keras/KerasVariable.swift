/// The location and format of a parameter in KerasHub's files.
///
/// Source: the files that KerasHub's `save_to_preset` writes.
struct KerasVariable: Equatable {
  /// The groups that contain a model's layers, in Keras 3 and in earlier versions.
  static let roots = ["layers", "_layer_checkpoint_dependencies"]

  /// The possible paths, by version of Keras; a file has one of them.
  let paths: [String]
  /// The stored shape.
  let shape: [Int]
  /// Whether the stored matrix is the transpose of ours. Kernels are stored as [in, out], with the attention heads as a
  /// separate axis.
  let isTransposed: Bool

  var path: String { paths.first ?? "" }
}
