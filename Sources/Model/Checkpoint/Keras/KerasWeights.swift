/// The weights of a KerasHub preset directory: the encoder in model.weights.h5 (or in shards that model.weights.json names), the
/// head in task.weights.h5 where a task was saved.
///
/// KerasHub's official presets hold the encoder alone. Everything else in these files, the optimizer's variables above all, is
/// passed over.
enum KerasWeights {
  static let weightsName = "model.weights.h5"
  static let indexName = "model.weights.json"
  static let taskName = "task.weights.h5"

  /// Finds and checks every variable of the model; none is copied yet.
  static func load(_ directory: String, _ configuration: Configuration) throws -> ResolvedWeights {
    let files = try backboneFiles(directory)
    let task = Path.join(directory, taskName)
    let hasTask = Path.kind(task) != nil
    let configuration = hasTask ? try configuration.tied(asIn: task) : configuration
    let variables = configuration.kerasVariables
    let specifications = configuration.tensors
    var found: [String: TensorView] = [:]
    let backbone = specifications.filter(\.isBackbone)
    for file in files.paths {
      try collect(backbone.filter { found[$0.name] == nil }, variables, from: file, configuration, into: &found)
    }
    let missing = backbone.filter { found[$0.name] == nil }
    if let first = missing.first {
      // What an index names may be of no use.
      if let absent = files.absent.first { throw CheckpointError.missingShard(index: files.shown, shard: absent) }
      throw CheckpointError.missingTensors(
        file: files.shown, first: variables[first.name]?.path ?? first.name, count: missing.count, inHead: false)
    }
    let head = specifications.filter { !$0.isBackbone }
    if hasTask { try collect(head, variables, from: task, configuration, into: &found) }
    return ResolvedWeights(
      configuration, found, notes: notes(head.filter { found[$0.name] == nil }, of: head.count, variables, task))
  }

  private static func backboneFiles(
    _ directory: String
  ) throws -> (paths: [String], absent: [String], shown: String) {
    let single = Path.join(directory, weightsName)
    if Path.kind(single) != nil { return ([single], [], single) }
    let index = Path.join(directory, indexName)
    guard Path.kind(index) != nil else { throw CheckpointError.noKerasWeights(path: directory) }
    guard let map = try JSONValue.load(file: index)["weight_map"]?.object else {
      throw CheckpointError.malformedIndex(file: index, what: "it has no object 'weight_map'")
    }
    // Each group of variables has one file, or a list of them.
    var names: [String] = []
    for (group, entry) in map {
      for file in entry.array ?? [entry] {
        guard let name = file.string else {
          throw CheckpointError.malformedIndex(file: index, what: "the file of '\(group)' is \(file.kindName)")
        }
        if !names.contains(name) { names.append(name) }
      }
    }
    let paths = try names.map { try WeightFiles.place(ofShard: $0, in: directory, index: index) }
    return (paths.filter { Path.kind($0) != nil }, paths.filter { Path.kind($0) == nil }, index)
  }

  /// Adds the tensors that a file holds, by name, and checks their shapes and types.
  private static func collect(
    _ specifications: [TensorSpecification], _ variables: [String: KerasVariable], from file: String,
    _ configuration: Configuration, into found: inout [String: TensorView]
  ) throws {
    let wanted = specifications.compactMap { specification in
      variables[specification.name].map { (specification, $0) }
    }
    let views = try HDF5File.variables(wanted.map(\.1.paths), in: file)
    for (view, (specification, variable)) in zip(views, wanted) {
      guard let view else { continue }
      guard view.type.isFloatingPoint else {
        throw CheckpointError.notFloatingPoint(file: file, tensor: view.name, type: view.type.name)
      }
      guard view.shape == variable.shape else {
        throw CheckpointError.wrongShape(
          file: file, tensor: view.name, found: view.shape, expected: variable.shape,
          hint: hint(specification, variable, view.shape, configuration))
      }
      found[specification.name] = view.reshaped(specification.shape, isTransposed: variable.isTransposed)
    }
  }

  /// A head that is missing as a whole is said by `hasHead`.
  private static func notes(
    _ missing: [TensorSpecification], of count: Int, _ variables: [String: KerasVariable], _ file: String
  ) -> [String] {
    if missing.isEmpty || missing.count == count { return [] }
    let names = missing.map { variables[$0.name]?.path ?? $0.name }
    if missing.map(\.name) == [WeightName.projectorBias] { return ["\(file): \(names[0]) is missing; it is zero"] }
    return ["\(file): initialized anew, since missing: \(names.joined(separator: ", "))"]
  }

  /// Which line of config.json a wrong shape contradicts.
  private static func hint(
    _ specification: TensorSpecification, _ variable: KerasVariable, _ shape: [Int], _ configuration: Configuration
  ) -> String {
    guard shape.count == variable.shape.count,
      let axis = shape.indices.first(where: { shape[$0] != variable.shape[$0] })
    else { return "is this the weights file of another model?" }
    let name = specification.name
    let says: String =
      switch (name, axis) {
      case (WeightName.wordEmbeddings, 0), (WeightName.projectorBias, 0), (WeightName.projector, 1):
        "vocabulary_size \(configuration.vocabularySize)"
      case ("distilbert.embeddings.position_embeddings.weight", 0):
        "max_sequence_length \(configuration.maxSequenceLength)"
      case _ where variable.shape.count != specification.shape.count && shape.reduce(1, *) == specification.count:
        "num_heads \(configuration.numHeads)"
      case (_, 1) where name.hasSuffix("ffn.lin1.weight"), (_, 0) where name.hasSuffix("ffn.lin1.bias"),
        (_, 0) where name.hasSuffix("ffn.lin2.weight"):
        "intermediate_dim \(configuration.intermediateDim)"
      default: "hidden_dim \(configuration.hiddenDim)"
      }
    return "config.json says \(says)"
  }
}

extension Configuration {
  /// With an output matrix of the head's own, where a task's file has one. KerasHub's `DistilBertMaskedLM` shares the token embedding; a
  /// `MaskedLMHead` that was made without one does not, and no configuration tells.
  fileprivate func tied(asIn task: String) throws -> Configuration {
    var untied = self
    untied.tiesWeights = false
    let bias = untied.kerasVariables[WeightName.projectorBias]?.paths ?? []
    return try HDF5File.variables([bias], in: task).first.flatMap { $0 } == nil ? self : untied
  }
}
