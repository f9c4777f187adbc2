/// Finds the tensors of a configuration in a file, whatever tool named them.
///
/// Recognized: the names that `TensorNames` maps, aliases in the file's metadata, a second copy of the tied output
/// matrix, and a separate output matrix. Other heads and unknown names are ignored with a note.
struct WeightResolver {
  /// The configuration, initially tied or not as in config.json, then as the weights are.
  var configuration: Configuration
  let names: TensorNames
  /// The name in errors: the file, or the index of several.
  let file: String
  var found: [String: TensorView] = [:]
  /// Tensors that belong to quantized weights, by their names in the files.
  var quantization: [String: TensorView] = [:]
  var unused: [String]
  var notes: [String] = []

  /// - Parameters:
  ///   - aliases: names of tensors that represent other tensors (from `__metadata__`).
  ///   - absent: names of tensors that an index lists, but that no file contains and no model needs.
  static func resolve(
    _ configuration: Configuration, _ tensors: [TensorView], aliases: [String: String], absent: [String] = [],
    file: String
  ) throws(CheckpointError) -> ResolvedWeights {
    var resolver = WeightResolver(
      configuration: configuration, names: TensorNames(configuration, tensors.lazy.map(\.name)), file: file,
      unused: absent)
    try resolver.collect(tensors, aliases)
    return try resolver.resolve()
  }

  mutating func collect(_ tensors: [TensorView], _ aliases: [String: String]) throws(CheckpointError) {
    var stored: [String: TensorView] = [:]
    var wrapped: [(name: String, tensor: TensorView)] = []
    for tensor in tensors {
      stored[tensor.name] = tensor
      if QuantizedTensors.weight(of: tensor.name) != nil {
        quantization[tensor.name] = tensor
        continue
      }
      guard let (name, isWrapped) = names.canonical(tensor.name) else {
        unused.append(tensor.name)
        continue
      }
      if name == TensorNames.positionIDs { continue }
      if isWrapped { wrapped.append((name, tensor)) } else { try take(tensor, as: name) }
    }
    // A prefixed tensor whose plain name is also in the file belongs to another model.
    let plain = Set(found.keys)
    unused += wrapped.lazy.filter { plain.contains($0.name) }.map(\.tensor.name)
    wrapped.removeAll { plain.contains($0.name) }
    for (name, tensor) in wrapped { try take(tensor, as: name) }
    if let (name, tensor) = wrapped.first {
      notes.append("\(file): removed a prefix from the tensor names: '\(tensor.name)' is read as '\(name)'")
    }
    for (alias, target) in aliases.sorted(by: { $0.key < $1.key }) {
      guard let (name, _) = names.canonical(alias), found[name] == nil, let tensor = stored[target] else { continue }
      found[name] = tensor
    }
  }

  private mutating func take(_ tensor: TensorView, as name: String) throws(CheckpointError) {
    if let other = found[name] {
      throw .ambiguousTensor(file: file, name: name, first: other.name, second: tensor.name)
    }
    found[name] = tensor
  }

  mutating func resolve() throws(CheckpointError) -> ResolvedWeights {
    try attachScales()
    tieOutput()
    let table = configuration.parameterTable
    let missing = table.rows.filter { found[$0.name] == nil }
    let missingBackbone = missing.filter(\.isBackbone)
    if let first = missingBackbone.first {
      let hint = hint(missing: missingBackbone)
      let present = hint == nil ? (unused.isEmpty ? found.values.map(\.name) : unused).sortedByBytes : []
      throw .missingTensors(
        file: file, first: first.name, count: missingBackbone.count, inHead: false, present: present, hint: hint)
    }
    for row in table.rows {
      guard let tensor = found[row.name] else { continue }
      guard tensor.type.isFloatingPoint || tensor.rowScales != nil else {
        throw .notFloatingPoint(file: file, tensor: tensor.name, type: tensor.type.name)
      }
      guard tensor.shape == row.shape else {
        throw .wrongShape(
          file: file, tensor: tensor.name, found: tensor.shape, expected: row.shape,
          hint: hint(row, tensor.shape))
      }
    }
    noteMissing(missing)
    noteUnused()
    return ResolvedWeights(configuration, found, notes: notes)
  }

  /// Gives matrices of integers their scales.
  private mutating func attachScales() throws(CheckpointError) {
    var used: Set<String> = []
    if configuration.quantization != nil {
      for (name, tensor) in found.sorted(by: { $0.key < $1.key })
      where tensor.type == .int8 && tensor.shape.count == 2 {
        let (scale, zeroPoint) = (QuantizedTensors.scale(of: tensor.name), QuantizedTensors.zeroPoint(of: tensor.name))
        guard let scales = quantization[scale] else {
          throw .missingScales(file: file, tensor: tensor.name, scales: scale)
        }
        var matrix = tensor
        matrix.rowScales = try rowScales(scales, rows: tensor.shape[0])
        found[name] = matrix
        if let points = quantization[zeroPoint], try !isZero(points) {
          throw .unsupportedQuantization(file: file, found: "tensor '\(zeroPoint)' is not zero")
        }
        used.formUnion([scale, zeroPoint])
      }
    }
    unused += quantization.keys.filter { !used.contains($0) && !QuantizedTensors.isOfActivations($0) }
  }

  private func rowScales(_ scales: TensorView, rows: Int) throws(CheckpointError) -> [Float] {
    guard [[rows, 1], [rows], [1], [1, 1], []].contains(scales.shape) else {
      throw .wrongShape(
        file: file, tensor: scales.name, found: scales.shape, expected: [rows, 1],
        hint: "quantized weights have one scale per output row, or one in all")
    }
    let values = try scales.floats()
    if let row = values.firstIndex(where: { !($0 > 0 && $0.isFinite) }) {
      throw .invalidScale(file: file, tensor: scales.name, row: row, value: values[row])
    }
    return values.count == rows ? values : Array(repeating: values[0], count: rows)
  }

  private func isZero(_ tensor: TensorView) throws(CheckpointError) -> Bool {
    if let integers = tensor.integers() { return integers.allSatisfy { $0 == 0 } }
    return try tensor.floats().allSatisfy { $0 == 0 }
  }

  /// Decides whether the output matrix is the word embedding, as in transformers: yes, unless config.json says no, or
  /// the file contains both and they differ. A file may also contain the tied matrix only under the name of the output
  /// matrix.
  mutating func tieOutput() {
    guard configuration.tiesWeights, let projector = found[ParameterTable.projector] else { return }
    guard let embedding = found[ParameterTable.wordEmbeddings] else {
      found[ParameterTable.wordEmbeddings] = projector
      return
    }
    if projector.shape == embedding.shape, projector.hasSameValues(as: embedding) { return }
    configuration.tiesWeights = false
    notes.append(
      "\(file): '\(projector.name)' differs from the word embedding and is used as a separate output matrix")
  }

  /// Notes missing tensors of the head. A completely missing head is reported by `hasHead`.
  mutating func noteMissing(_ missing: [ParameterTable.Row]) {
    let names = missing.map(\.name)
    if names.isEmpty || names.count == configuration.parameterTable.head.count { return }
    if names == [ParameterTable.projectorBias] {
      notes.append("\(file): missing '\(ParameterTable.projectorBias)' is set to zero")
      return
    }
    notes.append("\(file): missing tensors are newly initialized: " + names.joined(separator: ", "))
    if names.contains(ParameterTable.projector) {
      notes.append(
        "config.json says \"tie_word_embeddings\": false, so the word embedding is not the output matrix; "
          + "if the model was trained with tied embeddings, change it to true")
    }
  }

  mutating func noteUnused() {
    if unused.isEmpty { return }
    let heads = ["pre_classifier.", "classifier.", "qa_outputs."]
    let ofHeads = unused.filter { name in heads.contains { name.hasPrefix($0) } }
    if !ofHeads.isEmpty {
      notes.append("\(file): ignored weights of another head: " + Self.list(ofHeads))
    }
    let others = unused.filter { name in !heads.contains { name.hasPrefix($0) } }
    if !others.isEmpty { notes.append("\(file): ignored unknown tensors: " + Self.list(others)) }
  }

  static func list(_ names: [String]) -> String {
    let names = names.sortedByBytes
    return names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " and \(names.count - 4) more" : "")
  }

  /// Returns the setting in config.json that missing tensors contradict.
  private func hint(missing: [ParameterTable.Row]) -> String? {
    let there = (0..<configuration.numLayers).prefix { layer in
      !missing.contains { $0.part == .layer(layer) }
    }.count
    let isBehind = missing.allSatisfy { row in if case .layer(let layer) = row.part { layer >= there } else { false } }
    let ofALayer = configuration.parameterTable.rows.count { $0.part == .layer(0) }
    guard there > 0, isBehind, missing.count == (configuration.numLayers - there) * ofALayer else { return nil }
    return "config.json says n_layers \(configuration.numLayers), but the weights have \(there)"
  }

  /// Returns the setting in config.json that a wrong shape contradicts.
  private func hint(_ row: ParameterTable.Row, _ shape: [Int]) -> String? {
    guard shape.count == row.shape.count, let axis = shape.indices.first(where: { shape[$0] != row.shape[$0] })
    else { return "is this the weights file of another model?" }
    switch row.axes[axis] {
    case .vocabulary: return vocabularyHint(row.name, shape[axis])
    case .positions: return "config.json says max_position_embeddings \(configuration.maxSequenceLength)"
    case .intermediate: return "config.json says hidden_dim \(configuration.intermediateDim)"
    case .hidden: return "config.json says dim \(configuration.hiddenDim)"
    }
  }

  private func vocabularyHint(_ name: String, _ rows: Int) -> String {
    let size = configuration.vocabularySize
    if name != ParameterTable.wordEmbeddings, found[ParameterTable.wordEmbeddings]?.shape.first == size {
      // In this case, the vocabulary is that of config.json.
      return
        "the word embedding has \(size) rows, as in config.json: it was resized, but '\(name)' was not; "
        + (rows < size ? "pad it with zeros to \(size)" : "cut it to \(size)")
    }
    let usual = [30522: "n uncased", 28996: " cased", 119547: " multilingual"]
    let says = "config.json says vocab_size \(size)"
    if let config = usual[size], let weights = usual[rows] {
      return says + "; is this a\(config) configuration with a\(weights) checkpoint?"
    }
    return says + ", but the weights have a vocabulary of \(rows)"
  }
}

extension [String] {
  fileprivate var sortedByBytes: [String] { sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}
