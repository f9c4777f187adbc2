import Files
import Hub
import Text

/// A model directory in Hugging Face's or KerasHub's layout: config.json and the mapped weights, in one file or in
/// shards.
package struct ModelDirectory: Sendable {
  /// The layout of a directory.
  package enum Format: Sendable {
    /// config.json with `model_type`, model.safetensors.
    case huggingFace
    /// config.json with `registered_name`, model.weights.h5. Read-only.
    case kerasHub
  }

  /// The directory's path.
  package let path: String
  /// The directory's layout.
  package let format: Format
  /// The contents of its config.json; if the weights were loaded, tied or not as they are.
  package let configuration: Configuration
  /// The weights; nil if they were not requested.
  package let weights: ResolvedWeights?
  /// Notes for the user, one line each: ignored tensors, a new head.
  package var notes: [String] { weights?.notes ?? [] }
  /// Whether the files contain a complete trained masked-language-model head. Without one, masks can be filled only
  /// after `fit`. False if the weights were not requested.
  package var hasHead: Bool { weights?.hasHead ?? false }

  /// Reads and validates a directory. Throws if it is not a model directory, or its files are inconsistent.
  /// - Parameter loadWeights: whether to load the weights; otherwise, only config.json is read.
  package static func open(_ path: String, loadWeights: Bool = true) throws -> ModelDirectory {
    let file = Path.join(path, ModelFiles.configuration)
    guard let kind = Path.kind(path) else { throw FileError.missing(path: path) }
    guard kind == .directory else { throw FileError.notDirectory(path: path) }
    guard Path.kind(file) != nil else {
      let checkpoints = CheckpointFolder(output: path)
      if let newest = checkpoints.newest { throw TrainingCheckpointError.unfinished(output: path, newest: newest) }
      throw CheckpointError.notAModelDirectory(
        path: path, lookedFor: "it has no config.json", inside: ModelsInside.find(path))
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

  /// Returns whether a directory contains the configuration of a DistilBERT model in Hugging Face's layout, which
  /// `write` creates and replaces.
  package static func isModelDirectory(_ path: String) -> Bool {
    ModelFiles.readConfiguration(in: path)?["model_type"]?.string == "distilbert"
  }
}

/// Finds the files that contain the weights of a Hugging Face directory.
enum WeightFiles {
  static func load(_ directory: String, _ configuration: Configuration) throws -> ResolvedWeights {
    if let quantization = configuration.quantization {
      try QuantizationConfiguration.check(
        quantization, file: Path.join(directory, ModelFiles.configuration))
    }
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
      throw CheckpointError.malformedIndex(file: index, what: "missing object 'weight_map'")
    }
    let names = TensorNames(configuration, map.lazy.map(\.key))
    let needed = Set(configuration.parameterTable.rows.map(\.name))
    var shards = Shards(directory: directory, index: index)
    var tensors: [TensorView] = []
    var absent: [String] = []
    for (tensor, entry) in map {
      let name = names.canonical(QuantizedTensors.weight(of: tensor) ?? tensor)?.name
      if let name, needed.contains(name) {
        tensors.append(try shards.tensor(tensor, entry))
      } else if let view = try? shards.tensor(tensor, entry) {
        // The metadata may make it an alias.
        tensors.append(view)
      } else if name == nil {
        absent.append(tensor)
      }
    }
    return try WeightResolver.resolve(
      configuration, tensors, aliases: shards.aliases, absent: absent, file: index)
  }

  /// The files named in an index, each opened once.
  private struct Shards {
    let directory: String
    let index: String
    private var files: [String: Safetensors] = [:]
    /// The aliases in all of them.
    private(set) var aliases: [String: String] = [:]

    init(directory: String, index: String) { (self.directory, self.index) = (directory, index) }

    /// - Parameter entry: the index entry of the tensor.
    mutating func tensor(_ tensor: String, _ entry: JSONValue) throws -> TensorView {
      guard let name = entry.string else {
        throw CheckpointError.malformedIndex(file: index, what: "the file of '\(tensor)' is \(entry.kindName)")
      }
      guard let view = try file(name)[tensor] else {
        throw CheckpointError.malformedIndex(file: index, what: "\(name) has no tensor '\(tensor)'")
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

  /// Returns the path of a file named in an index. Only files next to the index are accepted.
  static func shardPath(_ name: String, in directory: String, index: String) throws(CheckpointError) -> String {
    let file = try path(ofShard: name, in: directory, index: index)
    guard Path.kind(file) != nil else { throw .missingShard(index: index, shard: file) }
    return file
  }

  /// Returns the path, whether or not the file exists.
  static func path(ofShard name: String, in directory: String, index: String) throws(CheckpointError) -> String {
    guard ModelFiles.isName(ofShard: name) else {
      throw .malformedIndex(file: index, what: "'\(name)' is not the name of a file next to it")
    }
    return Path.join(directory, name)
  }
}

/// Weights in formats of other frameworks, or with unsupported names.
enum OtherWeights {
  static let names = [
    "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack", "model.weights.h5",
    "rust_model.ot", "model.onnx",
  ]

  /// Returns the file in a directory that best matches the weights looked for.
  static func find(_ directory: String) -> String? {
    let all = (try? Path.list(directory)) ?? []
    let safetensors = all.filter { $0.hasSuffix(".safetensors") }
    return all.first(where: isIndexOfVariant) ?? safetensors.first(where: isVariant)
      ?? safetensors.first { $0 != CheckpointFolder.momentsName }
      ?? (names + ["adapter_model.bin"]).first(where: all.contains)
  }

  /// `model.fp16.safetensors`, named after transformers' `variant`.
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
      return "merge the adapter into its model with PEFT: merge_and_unload() and save_pretrained(DIR)"
    }
    if isVariant(name) { return "this is a variant of the weights: rename it to \(ModelFiles.weights)" }
    if isIndexOfVariant(name) {
      return "this is the index of a variant of the weights: rename it to \(ModelFiles.index)"
    }
    if name.hasSuffix(".safetensors") {
      return isPart(name)
        ? "this is one part of the weights: download the other parts and their index, \(ModelFiles.index)"
        : "if it contains the model's weights, rename it to \(ModelFiles.weights)"
    }
    return name.hasPrefix("pytorch_model.")
      ? "convert it to safetensors: AutoModelForMaskedLM.from_pretrained(DIR).save_pretrained(OTHER)"
      : "save the model as safetensors with transformers: save_pretrained(DIR)"
  }
}

/// Models in the subdirectories of a directory that is not a model itself.
enum ModelsInside {
  /// Finds Trainer's `checkpoint-N`, newest first; a snapshot in the hub's cache; then any other, such as
  /// `0_Transformer` of sentence-transformers.
  static func find(_ directory: String) -> [String] {
    func models(_ folder: String) -> [String] {
      ((try? Path.list(folder)) ?? []).map { Path.join(folder, $0) }.filter(isModel)
    }
    func step(_ path: String) -> Int {
      let (name, prefix) = (Path.name(path), "checkpoint-")
      return name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) ?? -1 : -1
    }
    // The sort is stable: the others remain sorted by name.
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
