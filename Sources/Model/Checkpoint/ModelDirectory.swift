/// A model directory of Hugging Face or KerasHub: config.json and the weights, single or in shards, mapped.
public struct ModelDirectory: Sendable {
  /// Whose layout a directory has.
  public enum Format: Sendable {
    /// config.json with `model_type`, model.safetensors.
    case huggingFace
    /// config.json with `registered_name`, model.weights.h5. Only read, never written.
    case kerasHub
  }

  /// Where it is.
  public let path: String
  /// Whose layout it has.
  public let format: Format
  /// What its config.json says.
  public let configuration: Configuration
  /// Nil where they were not asked for.
  public let weights: ResolvedWeights?
  /// What a person should know, each one line: ignored tensors, a new head.
  public var notes: [String] { weights?.notes ?? [] }
  /// Whether the files hold a trained masked-language-model head, all of it: without one no mask can be filled before
  /// `fit`. False where the weights were not asked for.
  public var hasHead: Bool { weights?.hasHead ?? false }

  static let configurationName = "config.json"
  static let weightsName = "model.safetensors"
  static let indexName = "model.safetensors.index.json"

  /// Reads a directory and checks all of it. Throws where it is no model directory, or its files do not fit each other.
  /// - Parameter loadWeights: without, config.json alone is read.
  public static func open(_ path: String, loadWeights: Bool = true) throws -> ModelDirectory {
    let file = Path.join(path, configurationName)
    guard let kind = Path.kind(path) else { throw FileError.missing(path: path) }
    guard kind == .directory else { throw FileError.notDirectory(path: path) }
    guard Path.kind(file) != nil else {
      let checkpoints = CheckpointFolder(output: path)
      if let newest = checkpoints.newest { throw TrainingCheckpointError.unfinished(output: path, newest: newest) }
      throw CheckpointError.notAModelDirectory(path: path, lookedFor: "there is no config.json in it")
    }
    let json = try JSONValue.load(file: file)
    let configuration = try Configuration(json: json, file: file)
    let format: Format = Configuration.isKerasHub(json) ? .kerasHub : .huggingFace
    let weights: ResolvedWeights? =
      switch (loadWeights, format) {
      case (false, _): nil
      case (true, .huggingFace): try WeightFiles.load(path, configuration)
      case (true, .kerasHub): try KerasWeights.load(path, configuration)
      }
    return ModelDirectory(path: path, format: format, configuration: configuration, weights: weights)
  }

  /// Whether a directory holds the configuration of a DistilBERT model of Hugging Face's layout: what `write` writes and replaces.
  public static func isModelDirectory(_ path: String) -> Bool {
    configurationJSON(path)?["model_type"]?.string == "distilbert"
  }

  /// Whether a directory has the configuration of a KerasHub preset.
  static func isKerasHub(_ path: String) -> Bool { configurationJSON(path).map(Configuration.isKerasHub) ?? false }

  /// Nil where there is no config.json that can be read as JSON.
  private static func configurationJSON(_ path: String) -> JSONValue? {
    let file = Path.join(path, configurationName)
    guard Path.isFile(file), let bytes = try? FileMapping.contents(of: file) else { return nil }
    return try? JSONValue.parse(bytes)
  }
}

/// Finds the files that hold the weights of a Hugging Face directory.
enum WeightFiles {
  static func load(_ directory: String, _ configuration: Configuration) throws -> ResolvedWeights {
    let single = Path.join(directory, ModelDirectory.weightsName)
    if Path.kind(single) != nil {
      let file = try Safetensors(path: single)
      return try WeightResolver.resolve(configuration, file.tensors, aliases: file.metadata, file: single)
    }
    let index = Path.join(directory, ModelDirectory.indexName)
    if Path.kind(index) != nil { return try loadShards(directory, index, configuration) }
    for name in OtherWeights.names where Path.kind(Path.join(directory, name)) != nil {
      throw CheckpointError.onlyOtherWeights(path: directory, found: name)
    }
    throw CheckpointError.noWeights(path: directory)
  }

  static func loadShards(
    _ directory: String, _ index: String, _ configuration: Configuration
  ) throws -> ResolvedWeights {
    let json = try JSONValue.load(file: index)
    guard let map = json["weight_map"]?.object else {
      throw CheckpointError.malformedIndex(file: index, what: "it has no object 'weight_map'")
    }
    var shards: [String: Safetensors] = [:]
    var tensors: [TensorView] = []
    var aliases: [String: String] = [:]
    for (tensor, entry) in map {
      guard let name = entry.string else {
        throw CheckpointError.malformedIndex(file: index, what: "the file of '\(tensor)' is \(entry.kindName)")
      }
      let file = try shardPath(name, in: directory, index: index)
      let shard: Safetensors
      if let open = shards[name] {
        shard = open
      } else {
        shard = try Safetensors(path: file)
        shards[name] = shard
        aliases.merge(shard.metadata) { old, _ in old }
      }
      guard let view = shard[tensor] else {
        throw CheckpointError.malformedIndex(file: index, what: "'\(tensor)' is not in \(name)")
      }
      tensors.append(view)
    }
    return try WeightResolver.resolve(configuration, tensors, aliases: aliases, file: index)
  }

  /// Whether a name that an index lists is that of a file beside it, and leads nowhere else.
  static func isName(ofShard name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == 0 }
  }

  /// The path of a file that an index names. Only files beside the index are taken.
  static func shardPath(_ name: String, in directory: String, index: String) throws(CheckpointError) -> String {
    guard isName(ofShard: name) else {
      throw .malformedIndex(file: index, what: "'\(name)' is not the name of a file beside it")
    }
    let file = Path.join(directory, name)
    guard Path.kind(file) != nil else { throw .missingShard(index: index, shard: file) }
    return file
  }
}

/// Weights in formats of other frameworks, by the names of their files.
enum OtherWeights {
  static let names = [
    "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack", "model.weights.h5",
    "rust_model.ot", "model.onnx",
  ]
}
