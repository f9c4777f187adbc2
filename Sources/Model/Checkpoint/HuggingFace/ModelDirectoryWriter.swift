import Files
import Glibc
import Hub
import Text

extension ModelDirectory {
  /// Writes a model directory, whole or not at all: it is built beside its place, flushed to the disk, and renamed.
  ///
  /// - Parameters:
  ///   - path: missing folders above it are made.
  ///   - tensors: see `ParameterTable`; those of a head may be left out.
  ///   - files: more files: the tokenizer's, history.csv, a README. Names without folders.
  ///   - overwrite: take the place of a model directory that is there, or of a training's checkpoints. What a model directory does not
  ///     know and is not given (a README, a repository, checkpoints) stays in it. At no moment is there neither the old nor the new one.
  package static func write(
    to path: String, configuration: Configuration, tensors: [TensorSource], files: [(name: String, bytes: [UInt8])],
    overwrite: Bool = false
  ) throws {
    try checkWritable(path, overwrite: overwrite)
    let replacement = try DirectoryReplacement(path)
    try replacement.write(configuration, tensors, files)
    // So that there is no moment without them.
    replacement.link(CheckpointFolder.name)
    // It may have come while the model was trained.
    try replacement.commit(keeping: { !isModelFile($0) }, check: { try checkWritable(path, overwrite: overwrite) })
  }

  /// Throws what `write` would throw for its place, before any work is done: something is there that may not be replaced, or
  /// the folder cannot be written.
  package static func checkWritable(_ path: String, overwrite: Bool) throws {
    let resolved = Path.resolved(path)
    if let kind = Path.kind(resolved) {
      let isEmpty = kind == .directory ? try Path.list(resolved).isEmpty : false
      if !isEmpty { try checkReplaceable(path, resolved, kind, overwrite) }
      // A shell that stands in it would be left in a directory that is gone.
      guard !resolved.hasSameBytes(as: Path.resolved(".")) else {
        throw CheckpointError.outputIsCurrentDirectory(path: path)
      }
    } else {
      var info = stat()
      // A link to nothing.
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

  /// Files that belong to the model that is replaced: they would be stale beside another.
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
    let backbone = Set(configuration.parameterTable.backbone.map(\.name))
    try write(
      ModelFiles.configuration,
      configuration.fileBytes(
        weights: tensors.first?.type ?? .float32, hasHead: tensors.contains { !backbone.contains($0.name) }))
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
