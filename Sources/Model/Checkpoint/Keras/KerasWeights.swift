import Files
import Hub
import Text

/// The weights of a KerasHub preset directory: the encoder in model.weights.h5 (or in shards named by
/// model.weights.json), and the head in task.weights.h5 if a task was saved.
///
/// KerasHub's official presets contain only the encoder. Other contents of these files, mainly the optimizer's
/// variables, are ignored.
enum KerasWeights {
  /// Finds and validates every variable of the model, without copying any.
  static func load(_ directory: String, _ configuration: Configuration) throws -> ResolvedWeights {
    let files = try backboneFiles(directory)
    let task = Path.join(directory, ModelFiles.kerasTask)
    let hasTask = Path.kind(task) != nil
    let configuration = hasTask ? try configuration.tied(asIn: task) : configuration
    let (backbone, head) = (configuration.parameterTable.backbone, configuration.parameterTable.head)
    var found: [String: TensorView] = [:]
    for file in files.paths {
      try collect(backbone.filter { found[$0.name] == nil }, from: file, configuration, into: &found)
    }
    let missing = backbone.filter { found[$0.name] == nil }
    if let first = missing.first {
      // A missing file of an index may be unnecessary.
      if let absent = files.absent.first { throw CheckpointError.missingShard(index: files.shown, shard: absent) }
      throw CheckpointError.missingTensors(
        file: files.shown, first: first.keras.path, count: missing.count, inHead: false)
    }
    if hasTask { try collect(head, from: task, configuration, into: &found) }
    return ResolvedWeights(
      configuration, found, notes: notes(head.filter { found[$0.name] == nil }, of: head.count, task))
  }

  private static func backboneFiles(
    _ directory: String
  ) throws -> (paths: [String], absent: [String], shown: String) {
    let single = Path.join(directory, ModelFiles.kerasWeights)
    if Path.kind(single) != nil { return ([single], [], single) }
    let index = Path.join(directory, ModelFiles.kerasIndex)
    guard Path.kind(index) != nil else { throw CheckpointError.noKerasWeights(path: directory) }
    guard let map = try JSONValue.load(file: index)["weight_map"]?.object else {
      throw CheckpointError.malformedIndex(file: index, what: "missing object 'weight_map'")
    }
    // Each group of variables is in one file, or in a list of files.
    var names: [String] = []
    for (group, entry) in map {
      for file in entry.array ?? [entry] {
        guard let name = file.string else {
          throw CheckpointError.malformedIndex(file: index, what: "the file of '\(group)' is \(file.kindName)")
        }
        if !names.contains(name) { names.append(name) }
      }
    }
    let paths = try names.map { try WeightFiles.path(ofShard: $0, in: directory, index: index) }
    return (paths.filter { Path.kind($0) != nil }, paths.filter { Path.kind($0) == nil }, index)
  }

  /// Adds the tensors of a file by name, and validates their shapes and types.
  private static func collect(
    _ rows: [ParameterTable.Row], from file: String, _ configuration: Configuration,
    into found: inout [String: TensorView]
  ) throws {
    let wanted = rows.map { ($0, $0.keras) }
    let views = try HDF5File.variables(wanted.map(\.1.paths), in: file)
    for (view, (row, variable)) in zip(views, wanted) {
      guard let view else { continue }
      guard view.type.isFloatingPoint else {
        throw CheckpointError.notFloatingPoint(file: file, tensor: view.name, type: view.type.name)
      }
      guard view.shape == variable.shape else {
        throw CheckpointError.wrongShape(
          file: file, tensor: view.name, found: view.shape, expected: variable.shape,
          hint: hint(row, variable, view.shape, configuration))
      }
      found[row.name] = view.reshaped(row.shape, isTransposed: variable.isTransposed)
    }
  }

  /// Notes missing tensors of the head. A completely missing head is reported by `hasHead`.
  private static func notes(
    _ missing: [ParameterTable.Row], of count: Int, _ file: String
  ) -> [String] {
    if missing.isEmpty || missing.count == count { return [] }
    let names = missing.map(\.keras.path)
    if missing.map(\.name) == [ParameterTable.projectorBias] { return ["\(file): missing \(names[0]) is set to zero"] }
    return ["\(file): missing tensors are newly initialized: \(names.joined(separator: ", "))"]
  }

  /// Returns the setting in config.json that a wrong shape contradicts.
  private static func hint(
    _ row: ParameterTable.Row, _ variable: KerasVariable, _ shape: [Int], _ configuration: Configuration
  ) -> String {
    guard shape.count == variable.shape.count,
      let axis = shape.indices.first(where: { shape[$0] != variable.shape[$0] })
    else { return "is this the weights file of another model?" }
    let hasHeads = variable.shape.count != row.shape.count
    let axes = variable.isTransposed ? row.axes.reversed() : row.axes
    let says: String =
      switch hasHeads ? .hidden : axes[axis] {
      case .vocabulary: "vocabulary_size \(configuration.vocabularySize)"
      case .positions: "max_sequence_length \(configuration.maxSequenceLength)"
      case .intermediate: "intermediate_dim \(configuration.intermediateDim)"
      case .hidden where hasHeads && shape.reduce(1, *) == row.count: "num_heads \(configuration.numHeads)"
      case .hidden: "hidden_dim \(configuration.hiddenDim)"
      }
    return "config.json says \(says)"
  }
}

extension Configuration {
  /// Returns the weights with a separate output matrix if a task's file has one. KerasHub's `DistilBertMaskedLM` shares
  /// the token embedding. A `MaskedLMHead` created without one does not, and no configuration records it.
  fileprivate func tied(asIn task: String) throws -> Configuration {
    var untied = self
    untied.tiesWeights = false
    let bias = untied.parameterTable[ParameterTable.projectorBias]?.keras.paths ?? []
    return try HDF5File.variables([bias], in: task).first.flatMap { $0 } == nil ? self : untied
  }
}
