import Glibc

/// Finds the tensors of a configuration among those of a file, whatever tool named them.
///
/// Understood: names with and without `distilbert.`, LayerNorm's `gamma` and `beta`, aliases in the file's metadata, the tied output
/// matrix stored a second time. Ignored with a note: other heads, names that are not known.
struct WeightResolver {
  let configuration: Configuration
  /// Named in errors: the file, or the index of several.
  let file: String
  var found: [String: TensorView] = [:]
  var unused: [String] = []
  var notes: [String] = []

  /// - Parameter aliases: tensor names that stand for other tensors (from `__metadata__`).
  static func resolve(
    _ configuration: Configuration, _ tensors: [TensorView], aliases: [String: String], file: String
  ) throws(CheckpointError) -> ResolvedWeights {
    var resolver = WeightResolver(configuration: configuration, file: file)
    try resolver.collect(tensors, aliases)
    return try resolver.resolve()
  }

  mutating func collect(_ tensors: [TensorView], _ aliases: [String: String]) throws(CheckpointError) {
    let known = Set(configuration.tensors.map(\.name)).union([WeightName.projector])
    var stored: [String: TensorView] = [:]
    for tensor in tensors {
      stored[tensor.name] = tensor
      let name = Self.canonical(tensor.name)
      if name == "distilbert.embeddings.position_ids" { continue }  // a buffer that old versions saved
      guard known.contains(name) else {
        unused.append(tensor.name)
        continue
      }
      if let other = found[name] {
        throw .ambiguousTensor(file: file, name: name, first: other.name, second: tensor.name)
      }
      found[name] = tensor
    }
    for (alias, target) in aliases.sorted(by: { $0.key < $1.key }) {
      let name = Self.canonical(alias)
      if found[name] == nil, known.contains(name), let tensor = stored[target] { found[name] = tensor }
    }
  }

  /// The name that DistilBertForMaskedLM gives a tensor.
  static func canonical(_ name: String) -> String {
    var name = name
    if name.hasPrefix("embeddings.") || name.hasPrefix("transformer.") { name = "distilbert." + name }
    for (old, new) in [("gamma", "weight"), ("beta", "bias")] where name.hasSuffix("." + old) {
      let module = name.dropLast(old.utf8.count + 1)
      if module.hasSuffix("LayerNorm") || module.hasSuffix("layer_norm") { name = module + "." + new }
    }
    return name
  }

  mutating func resolve() throws(CheckpointError) -> ResolvedWeights {
    try tieOutput()
    let specifications = configuration.tensors
    let missing = specifications.filter { found[$0.name] == nil }
    let missingBackbone = missing.filter(\.isBackbone)
    if let first = missingBackbone.first {
      throw .missingTensors(file: file, first: first.name, count: missingBackbone.count, inHead: false)
    }
    for specification in specifications {
      guard let tensor = found[specification.name] else { continue }
      guard tensor.type.isFloatingPoint else {
        throw .notFloatingPoint(file: file, tensor: tensor.name, type: tensor.type.name)
      }
      guard tensor.shape == specification.shape else {
        throw .wrongShape(
          file: file, tensor: tensor.name, found: tensor.shape, expected: specification.shape,
          hint: hint(specification, tensor.shape))
      }
    }
    noteMissing(missing)
    noteUnused()
    return ResolvedWeights(
      specifications: specifications, tensors: specifications.map { found[$0.name] }, notes: notes)
  }

  /// The output matrix is the word embedding. A file may hold it again, or only under that name.
  mutating func tieOutput() throws(CheckpointError) {
    guard let projector = found[WeightName.projector] else {
      if !configuration.tiesWeights {
        notes.append(
          "\(file): config.json says that the output matrix is not tied to the word embedding, but there is no "
            + "'\(WeightName.projector)'; it is tied")
      }
      return
    }
    guard let embedding = found[WeightName.wordEmbeddings] else {
      found[WeightName.wordEmbeddings] = configuration.tiesWeights ? projector : nil
      return
    }
    guard projector.shape == embedding.shape else {
      throw .wrongShape(
        file: file, tensor: projector.name, found: projector.shape, expected: embedding.shape, hint: nil)
    }
    if projector.hasSameValues(as: embedding) { return }
    guard configuration.tiesWeights else { throw .untiedOutput(file: file) }
    notes.append(
      "\(file): '\(projector.name)' differs from the word embedding and is not used, since config.json says that "
        + "they are tied")
  }

  /// A head that is missing as a whole is said by `hasHead`.
  mutating func noteMissing(_ missing: [TensorSpecification]) {
    let head = configuration.tensors.filter { !$0.isBackbone }.count
    if missing.isEmpty || missing.count == head { return }
    notes.append("\(file): initialized anew, since missing: " + missing.map(\.name).joined(separator: ", "))
  }

  mutating func noteUnused() {
    if unused.isEmpty { return }
    let heads = ["pre_classifier.", "classifier.", "qa_outputs."]
    let ofHeads = unused.filter { name in heads.contains { name.hasPrefix($0) } }
    if !ofHeads.isEmpty {
      notes.append("\(file): the weights of another head are not used: " + Self.list(ofHeads))
    }
    let others = unused.filter { name in !heads.contains { name.hasPrefix($0) } }
    if !others.isEmpty { notes.append("\(file): tensors that are not known are not used: " + Self.list(others)) }
  }

  static func list(_ names: [String]) -> String {
    let names = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return names.prefix(4).joined(separator: ", ") + (names.count > 4 ? " and \(names.count - 4) more" : "")
  }

  /// Which line of config.json a wrong shape contradicts.
  func hint(_ specification: TensorSpecification, _ shape: [Int]) -> String? {
    guard shape.count == specification.shape.count,
      let axis = shape.indices.first(where: { shape[$0] != specification.shape[$0] })
    else { return "is this the weights file of another model?" }
    let name = specification.name
    if axis == 0, name == WeightName.wordEmbeddings || name == "vocab_projector.bias" {
      let usual = [30522: "n uncased", 28996: " cased", 119547: " multilingual"]
      let says = "config.json says vocab_size \(configuration.vocabularySize)"
      if let config = usual[configuration.vocabularySize], let weights = usual[shape[0]] {
        return says + "; is this a\(config) configuration with a\(weights) checkpoint?"
      }
      return says + ", the weights are of a vocabulary of \(shape[0])"
    }
    if axis == 0, name.hasSuffix("position_embeddings.weight") {
      return "config.json says max_position_embeddings \(configuration.maxSequenceLength)"
    }
    if (axis == 0 && name.contains("ffn.lin1")) || (axis == 1 && name.contains("ffn.lin2")) {
      return "config.json says hidden_dim \(configuration.intermediateDim)"
    }
    return "config.json says dim \(configuration.hiddenDim)"
  }
}
