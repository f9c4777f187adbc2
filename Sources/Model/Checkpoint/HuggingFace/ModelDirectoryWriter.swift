import Files
import Glibc
import Hub
import Text

extension ModelDirectory {
  /// Writes a model directory atomically: it is built next to its final path, flushed to disk, and renamed.
  ///
  /// - Parameters:
  ///   - path: the output directory; missing parent directories are created.
  ///   - tensors: see `ParameterTable`; those of a head may be missing.
  ///   - files: additional files: the tokenizer's, history.csv, a README. Names without directories.
  ///   - overwrite: whether to replace an existing model directory, or a run's checkpoints. Files in it that are not
  ///     part of a model and not replaced (a README, a repository, checkpoints) remain. At any moment, either the old
  ///     or the new directory exists.
  package static func write(
    to path: String, configuration: Configuration, tensors: [TensorSource], files: [(name: String, bytes: [UInt8])],
    overwrite: Bool = false
  ) throws {
    try checkWritable(path, overwrite: overwrite)
    let replacement = try DirectoryReplacement(path)
    try replacement.write(configuration, tensors, files)
    // So that the checkpoints exist at any moment.
    replacement.link(CheckpointFolder.name)
    // The directory may have been created during training.
    try replacement.commit(keeping: { !isModelFile($0) }, check: { try checkWritable(path, overwrite: overwrite) })
  }

  /// Throws the error that `write` would throw for this path, before any work is done: the output exists and may not be
  /// replaced, or the folder is not writable.
  package static func checkWritable(_ path: String, overwrite: Bool) throws {
    let resolved = Path.resolved(path)
    if let kind = Path.kind(resolved) {
      let isEmpty = kind == .directory ? try Path.list(resolved).isEmpty : false
      if !isEmpty { try checkReplaceable(path, resolved, kind, overwrite) }
      // A shell whose current directory it is would be left in a deleted directory.
      guard !resolved.hasSameBytes(as: Path.resolved(".")) else {
        throw CheckpointError.outputIsCurrentDirectory(path: path)
      }
    } else {
      var info = stat()
      // A dangling symbolic link.
      if lstat(path.cPath, &info) == 0 { throw CheckpointError.outputExists(path: path, canOverwrite: false) }
    }
    try DirectoryReplacement.checkPlace(resolved)
  }

  private static func checkReplaceable(
    _ path: String, _ resolved: String, _ kind: Path.Kind, _ overwrite: Bool
  ) throws {
    if kind == .directory, isModelDirectory(resolved) {
      guard overwrite else { throw CheckpointError.outputExists(path: path, canOverwrite: true) }
    } else if kind == .directory, CheckpointFolder(output: resolved).isOfUnfinishedTraining {
      guard !overwrite, let newest = CheckpointFolder(output: path).newest else { return }
      throw TrainingCheckpointError.outputHoldsCheckpoints(output: path, newest: newest)
    } else {
      throw overwrite
        ? CheckpointError.outputIsNoModelDirectory(path: path)
        : CheckpointError.outputExists(path: path, canOverwrite: false)
    }
  }

  /// Returns whether a file belongs to the replaced model, so that it would be stale next to another.
  static func isModelFile(_ name: String) -> Bool {
    let known = [
      "config.json", "model.safetensors", "model.safetensors.index.json", "vocab.txt", "tokenizer.json",
      "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "generation_config.json", "history.csv",
      "history.svg", "training.json", "MODEL_CARD.md",
    ]
    return known.contains(name) || OtherWeights.names.contains(name)
      || (name.hasPrefix("model-") && name.hasSuffix(".safetensors"))
      || (name.hasPrefix("pytorch_model-") && name.hasSuffix(".bin"))
  }
}

extension DirectoryReplacement {
  /// Writes the files of a model.
  func write(
    _ configuration: Configuration, _ tensors: [TensorSource], _ files: [(name: String, bytes: [UInt8])]
  ) throws(FileError) {
    let table = configuration.parameterTable
    let backbone = Set(table.backbone.map(\.name))
    let integers = Set(tensors.lazy.filter { $0.type == .int8 }.map(\.name))
    // A tied output matrix is a layer of transformers' model, but not a tensor.
    let dense = table.rows.filter { $0.specification.role == .kernel }.map(\.name) + [ParameterTable.projector]
    let unquantized = Set(dense).subtracting(integers).map { String($0.dropLast(".weight".count)) }.sorted()
    try write(
      ModelFiles.configuration,
      configuration.fileBytes(
        weights: integers.isEmpty ? tensors.first?.type ?? .float32 : .int8,
        hasHead: tensors.contains { !backbone.contains($0.name) && QuantizedTensors.weight(of: $0.name) == nil },
        unquantized: unquantized))
    for file in files { try write(file.name, file.bytes) }
    try write(ModelFiles.weights, tensors)
  }

  /// Writes a safetensors file.
  func write(_ name: String, _ tensors: [TensorSource]) throws(FileError) {
    try write(name) { output throws(FileError) in
      try SafetensorsWriter.write(tensors, metadata: [], output: output)
    }
  }
}
