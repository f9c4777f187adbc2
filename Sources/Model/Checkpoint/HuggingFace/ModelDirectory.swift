import Files
import Hub
import Text

/// A model directory of Hugging Face or KerasHub: config.json and the weights, single or in shards, mapped.
package struct ModelDirectory: Sendable {
  /// Whose layout a directory has.
  package enum Format: Sendable {
    /// config.json with `model_type`, model.safetensors.
    case huggingFace
    /// config.json with `registered_name`, model.weights.h5. Only read, never written.
    case kerasHub
  }

  /// Where it is.
  package let path: String
  /// Whose layout it has.
  package let format: Format
  /// What its config.json says; where the weights were asked for, tied or not as they are.
  package let configuration: Configuration
  /// Nil where they were not asked for.
  package let weights: ResolvedWeights?
  /// What a person should know, each one line: ignored tensors, a new head.
  package var notes: [String] { weights?.notes ?? [] }
  /// Whether the files hold a trained masked-language-model head, all of it: without one no mask can be filled before
  /// `fit`. False where the weights were not asked for.
  package var hasHead: Bool { weights?.hasHead ?? false }

  /// Reads a directory and checks all of it. Throws where it is no model directory, or its files do not fit each other.
  /// - Parameter loadWeights: without, config.json alone is read.
  package static func open(_ path: String, loadWeights: Bool = true) throws -> ModelDirectory {
    let file = Path.join(path, ModelFiles.configuration)
    guard let kind = Path.kind(path) else { throw FileError.missing(path: path) }
    guard kind == .directory else { throw FileError.notDirectory(path: path) }
    guard Path.kind(file) != nil else {
      let checkpoints = CheckpointFolder(output: path)
      if let newest = checkpoints.newest { throw TrainingCheckpointError.unfinished(output: path, newest: newest) }
      throw CheckpointError.notAModelDirectory(
        path: path, lookedFor: "there is no config.json in it", inside: ModelsInside.find(path))
    }
    let json = try JSONValue.load(file: file)
    let configuration = try Configuration(json: json, file: file)
    let format: Format = ModelFiles.isKerasHub(json) ? .kerasHub : .huggingFace
    let weights: ResolvedWeights? =
      switch (loadWeights, format) {
      case (false, _): nil
      case (true, .huggingFace): try WeightFiles.load(path, configuration)
      case (true, .kerasHub): try KerasWeights.load(path, configuration)
      }
    return ModelDirectory(
      path: path, format: format, configuration: weights?.configuration ?? configuration, weights: weights)
  }

  /// Whether a directory holds the configuration of a DistilBERT model of Hugging Face's layout: what `write` writes and replaces.
  package static func isModelDirectory(_ path: String) -> Bool {
    ModelFiles.readConfiguration(in: path)?["model_type"]?.string == "distilbert"
  }
}

/// Finds the files that hold the weights of a Hugging Face directory.
enum WeightFiles {
  static func load(_ directory: String, _ configuration: Configuration) throws -> ResolvedWeights {
    let single = Path.join(directory, ModelFiles.weights)
    if Path.kind(single) != nil {
      let file = try Safetensors(path: single)
      return try WeightResolver.resolve(configuration, file.tensors, aliases: file.metadata, file: single)
    }
    let index = Path.join(directory, ModelFiles.index)
    if Path.kind(index) != nil { return try loadShards(directory, index, configuration) }
    if let name = OtherWeights.find(directory) {
      throw CheckpointError.onlyOtherWeights(path: directory, found: name)
    }
    throw CheckpointError.noWeights(path: directory, inside: ModelsInside.find(directory))
  }

  static func loadShards(
    _ directory: String, _ index: String, _ configuration: Configuration
  ) throws -> ResolvedWeights {
    let json = try JSONValue.load(file: index)
    guard let map = json["weight_map"]?.object else {
      throw CheckpointError.malformedIndex(file: index, what: "it has no object 'weight_map'")
    }
    let names = TensorNames(configuration, map.lazy.map(\.key))
    let needed = Set(configuration.parameterTable.rows.map(\.name))
    var shards = Shards(directory: directory, index: index)
    var tensors: [TensorView] = []
    var absent: [String] = []
    for (tensor, entry) in map {
      let name = names.canonical(tensor)?.name
      if let name, needed.contains(name) {
        tensors.append(try shards.tensor(tensor, entry))
      } else if let view = try? shards.tensor(tensor, entry) {
        // Metadata may make it an alias.
        tensors.append(view)
      } else if name == nil {
        absent.append(tensor)
      }
    }
    return try WeightResolver.resolve(
      configuration, tensors, aliases: shards.aliases, absent: absent, file: index)
  }

  /// The files that an index names, each opened once.
  private struct Shards {
    let directory: String
    let index: String
    private var files: [String: Safetensors] = [:]
    /// Of all of them.
    private(set) var aliases: [String: String] = [:]

    init(directory: String, index: String) { (self.directory, self.index) = (directory, index) }

    /// - Parameter entry: what the index says of the tensor.
    mutating func tensor(_ tensor: String, _ entry: JSONValue) throws -> TensorView {
      guard let name = entry.string else {
        throw CheckpointError.malformedIndex(file: index, what: "the file of '\(tensor)' is \(entry.kindName)")
      }
      guard let view = try file(name)[tensor] else {
        throw CheckpointError.malformedIndex(file: index, what: "'\(tensor)' is not in \(name)")
      }
      return view
    }

    private mutating func file(_ name: String) throws -> Safetensors {
      if let open = files[name] { return open }
      let file = try Safetensors(path: try WeightFiles.shardPath(name, in: directory, index: index))
      files[name] = file
      aliases.merge(file.metadata) { old, _ in old }
      return file
    }
  }

  /// The path of a file that an index names. Only files beside the index are taken.
  static func shardPath(_ name: String, in directory: String, index: String) throws(CheckpointError) -> String {
    let file = try place(ofShard: name, in: directory, index: index)
    guard Path.kind(file) != nil else { throw .missingShard(index: index, shard: file) }
    return file
  }

  /// The same, whether or not it is there.
  static func place(ofShard name: String, in directory: String, index: String) throws(CheckpointError) -> String {
    guard ModelFiles.isName(ofShard: name) else {
      throw .malformedIndex(file: index, what: "'\(name)' is not the name of a file beside it")
    }
    return Path.join(directory, name)
  }
}

/// Weights in formats of other frameworks, or under names that are not looked for.
enum OtherWeights {
  static let names = [
    "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack", "model.weights.h5",
    "rust_model.ot", "model.onnx",
  ]

  /// The one in a directory that comes nearest to what is looked for.
  static func find(_ directory: String) -> String? {
    let all = (try? Path.list(directory)) ?? []
    let safetensors = all.filter { $0.hasSuffix(".safetensors") }
    return all.first(where: isIndexOfVariant) ?? safetensors.first(where: isVariant)
      ?? safetensors.first { $0 != CheckpointFolder.momentsName }
      ?? (names + ["adapter_model.bin"]).first(where: all.contains)
  }

  /// `model.fp16.safetensors`, as transformers' `variant` names it.
  private static func isVariant(_ name: String) -> Bool {
    name.hasPrefix("model.") && name.hasSuffix(".safetensors") && !isPart(name)
  }

  /// `model-00001-of-00002.safetensors`.
  private static func isPart(_ name: String) -> Bool {
    name.hasPrefix("model") && name.contains("-of-") && name.hasSuffix(".safetensors")
  }

  /// `model.safetensors.index.fp16.json`.
  private static func isIndexOfVariant(_ name: String) -> Bool {
    name.hasPrefix("model.safetensors.index.") && name.hasSuffix(".json") && name != ModelFiles.index
  }

  static func remedy(for name: String) -> String {
    if name.hasPrefix("adapter_model.") {
      return "an adapter is no model: merge it into its own with PEFT, merge_and_unload() and save_pretrained(DIR)"
    }
    if isVariant(name) { return "it is a variant of the weights: rename it to \(ModelFiles.weights)" }
    if isIndexOfVariant(name) {
      return "it is the index of a variant of the weights: rename it to \(ModelFiles.index)"
    }
    if name.hasSuffix(".safetensors") {
      return isPart(name)
        ? "it is a part of the weights: fetch the other parts and their index, \(ModelFiles.index)"
        : "if it holds the model's weights, rename it to \(ModelFiles.weights)"
    }
    return name.hasPrefix("pytorch_model.")
      ? "it must be converted to safetensors: AutoModelForMaskedLM.from_pretrained(DIR).save_pretrained(OTHER)"
      : "save the model as safetensors with transformers: save_pretrained(DIR)"
  }
}

/// Models in directories below one that has none itself.
enum ModelsInside {
  /// Trainer's `checkpoint-N`, the newest first; a snapshot in the hub's cache; then any other, as sentence-transformers'
  /// `0_Transformer`.
  static func find(_ directory: String) -> [String] {
    func models(_ folder: String) -> [String] {
      ((try? Path.list(folder)) ?? []).map { Path.join(folder, $0) }.filter(isModel)
    }
    func step(_ path: String) -> Int {
      let (name, prefix) = (Path.name(path), "checkpoint-")
      return name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) ?? -1 : -1
    }
    // The sort is stable: the others stay in the order of their names.
    return models(directory).sorted { step($0) > step($1) } + models(Path.join(directory, "snapshots"))
  }

  private static func isModel(_ path: String) -> Bool {
    let weights = [
      ModelFiles.weights, ModelFiles.index, ModelFiles.kerasWeights, ModelFiles.kerasIndex,
    ]
    return Path.isDirectory(path) && weights.contains { Path.isFile(Path.join(path, $0)) }
      && (ModelDirectory.isModelDirectory(path) || ModelFiles.isKerasHub(directory: path))
  }
}
