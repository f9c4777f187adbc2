import Files

/// What can be wrong with the files of a model: configuration, weights, index, directory.
package enum CheckpointError: ModelError, Equatable {
  // config.json
  /// A config.json that is not an object.
  case notAnObject(file: String, found: String)
  /// A config.json that does not say whose it is.
  case missingModelType(file: String)
  /// The config.json of another architecture.
  case otherModelType(file: String, found: String)
  /// A KerasHub preset of another model.
  case otherKerasModel(file: String, found: String)
  /// A key that has no default is not there.
  case missingKey(file: String, key: String)
  /// A key with another kind of value: text where a number should stand.
  case wrongKind(file: String, key: String, expected: String, found: String)
  /// A number that makes no model.
  case outOfRange(file: String, key: String, value: String, range: String)
  /// A size that stands there under two names, with two values.
  case disagreeing(file: String, key: String, value: Int, alias: String, other: Int)
  /// A width that cannot be shared by the attention heads.
  case headsDoNotDivide(file: String, dim: Int, heads: Int)
  /// An activation function that is not provided for.
  case unknownActivation(file: String, name: String)
  /// Sizes that multiply to more than 2³⁴ numbers.
  case tooManyParameters(file: String, count: Int)

  // safetensors
  /// What is certainly of another format than it should be: `a safetensors file`.
  case otherFormat(file: String, ForeignFormat, expected: String)
  /// Fewer bytes than a header has.
  case tooShort(file: String, bytes: Int)
  /// A header longer than any real one, in bytes.
  case headerTooLong(file: String, bytes: UInt64)
  /// The file ends within its header; in bytes.
  case headerTruncated(file: String, have: Int, need: Int)
  /// A header that does not have the form of one.
  case malformedHeader(file: String, what: String)
  /// A name that stands in a header twice.
  case duplicateTensor(file: String, name: String)
  /// A type that safetensors do not have.
  case unknownDataType(file: String, tensor: String, name: String)
  /// A tensor whose shape, type and place do not fit each other.
  case malformedTensor(file: String, tensor: String, what: String)
  /// The file ends within a tensor; in bytes.
  case truncated(file: String, have: Int, need: Int)
  /// Bytes behind the last tensor.
  case bytesAfterEnd(file: String, count: Int)

  // KerasHub's HDF5 files
  /// KerasHub's weights, with a build without the trait KerasWeights.
  case kerasWeightsNotBuilt(file: String)
  /// What is no HDF5 file.
  case notHDF5(file: String)
  /// An HDF5 file that cannot be read to its end.
  case damagedHDF5(file: String, what: String)
  /// A variable of a type or layout that is not provided for.
  case unsupportedVariable(file: String, variable: String, what: String)
  /// A KerasHub preset without weights.
  case noKerasWeights(path: String)

  // Weights and their names
  /// Tensors that no file holds: the first, how many, and what is there instead.
  case missingTensors(
    file: String, first: String, count: Int, inHead: Bool, present: [String] = [], hint: String? = nil)
  /// Two tensors of one role under different names.
  case ambiguousTensor(file: String, name: String, first: String, second: String)
  /// A tensor of other sizes than config.json says.
  case wrongShape(file: String, tensor: String, found: [Int], expected: [Int], hint: String?)
  /// Weights that are integers.
  case notFloatingPoint(file: String, tensor: String, type: String)
  /// A weight that 16 bits cannot hold.
  case beyondHalfPrecision(tensor: String, value: Float)

  /// More word pieces than the model has rows for.
  case vocabularyLargerThanModel(preset: String, pieces: Int, rows: Int)

  // Directories
  /// A directory without a model, what was looked for, and the models in directories below it.
  case notAModelDirectory(path: String, lookedFor: String, inside: [String] = [])
  /// A directory without weights, and the models in directories below it.
  case noWeights(path: String, inside: [String] = [])
  /// Weights in the format of another framework, or under another name, alone.
  case onlyOtherWeights(path: String, found: String)
  /// An index of shards that does not have the form of one.
  case malformedIndex(file: String, what: String)
  /// A file that an index names is not there.
  case missingShard(index: String, shard: String)
  /// Something stands where a model is to be written; whether `overwrite` may replace it.
  case outputExists(path: String, canOverwrite: Bool)
  /// Something stands there that no `overwrite` replaces.
  case outputIsNoModelDirectory(path: String)
  /// The directory that the process stands in.
  case outputIsCurrentDirectory(path: String)

  package var kind: ErrorKind { .directory }
  package var message: String {
    switch self {
    case .notAnObject(let file, let found): "\(file): \(found) where an object should stand"
    case .missingModelType(let file): "\(file): 'model_type' is missing"
    case .otherModelType(let file, let found): "\(file): model_type is '\(found)', expected 'distilbert'"
    case .otherKerasModel(let file, let found):
      "\(file): this is the preset of a '\(found)', expected 'DistilBertBackbone'"
    case .missingKey(let file, let key): "\(file): '\(key)' is missing"
    case .wrongKind(let file, let key, let expected, let found): "\(file): '\(key)' is \(found), expected \(expected)"
    case .outOfRange(let file, let key, let value, let range): "\(file): '\(key)' is \(value), expected \(range)"
    case .disagreeing(let file, let key, let value, let alias, let other):
      "\(file): '\(key)' is \(value), but '\(alias)', which means the same, is \(other)"
    case .headsDoNotDivide(let file, let dim, let heads): "\(file): dim \(dim) cannot be shared by \(heads) heads"
    case .unknownActivation(let file, let name): "\(file): activation '\(name)' is not known, expected 'gelu' or 'relu'"
    case .tooManyParameters(let file, let count): "\(file): a model of \(count) parameters is beyond what is supported"

    case .otherFormat(let file, let format, let expected):
      if case .gitLFSPointer = format {
        "\(file): this is \(format.what)"
      } else {
        "\(file): this is \(format.what), not \(expected)"
      }
    case .tooShort(let file, let bytes): "\(file): too short for a safetensors file (\(bytes) bytes)"
    case .headerTooLong(let file, let bytes):
      "\(file): not a safetensors file, or damaged: its header would have \(bytes) bytes"
    case .headerTruncated(let file, let have, let need):
      "\(file): truncated in its header: have \(have) of \(need) bytes"
    case .malformedHeader(let file, let what): "\(file): malformed header: \(what)"
    case .duplicateTensor(let file, let name): "\(file): malformed header: '\(name)' stands there twice"
    case .unknownDataType(let file, let tensor, let name): "\(file): tensor '\(tensor)' has the unknown dtype '\(name)'"
    case .malformedTensor(let file, let tensor, let what): "\(file): malformed header: tensor '\(tensor)' \(what)"
    case .truncated(let file, let have, let need): "\(file): truncated: have \(have) of \(need) bytes"
    case .bytesAfterEnd(let file, let count): "\(file): \(count) bytes after the last tensor belong to none"

    case .kerasWeightsNotBuilt(let file): "\(file): this build cannot read Keras' weights (HDF5)"
    case .notHDF5(let file): "\(file): not an HDF5 file"
    case .damagedHDF5(let file, let what): "\(file): truncated or damaged: \(what)"
    case .unsupportedVariable(let file, let variable, let what): "\(file): variable '\(variable)' \(what)"
    case .noKerasWeights(let path): "\(path) has no weights: neither model.weights.h5 nor model.weights.json"

    case .missingTensors(let file, let first, let count, let inHead, let present, _):
      (count == 1
        ? "\(file): tensor '\(first)' is missing"
        : "\(file): \(count) tensors of the \(inHead ? "head" : "encoder") are missing, the first is '\(first)'")
        + Self.list(present)
    case .ambiguousTensor(let file, let name, let first, let second):
      "\(file): '\(first)' and '\(second)' both stand for '\(name)'"
    case .wrongShape(let file, let tensor, let found, let expected, _):
      if found.count == 1 && expected.count == 1 {
        "\(file): tensor '\(tensor)' has \(found[0]) values, expected \(expected[0])"
      } else {
        "\(file): tensor '\(tensor)' has shape \(found), expected \(expected)"
      }
    case .notFloatingPoint(let file, let tensor, let type):
      "\(file): tensor '\(tensor)' has dtype \(type), expected F32, F16, BF16 or F64"

    case .vocabularyLargerThanModel(let preset, let pieces, let rows):
      "the vocabulary of '\(preset)' has \(pieces) word pieces, but its config.json says vocab_size \(rows)"
    case .notAModelDirectory(let path, let lookedFor, _): "\(path) is not a model directory: \(lookedFor)"
    case .beyondHalfPrecision(let tensor, let value):
      "'\(tensor)' has the number \(value), which is beyond 16-bit floats"
    case .noWeights(let path, _): "\(path) has no weights: neither model.safetensors nor model.safetensors.index.json"
    case .onlyOtherWeights(let path, let found): "\(path) has no model.safetensors, only \(found)"
    case .malformedIndex(let file, let what): "\(file): malformed index: \(what)"
    case .missingShard(let index, let shard): "\(shard) is missing, which \(index) names"
    case .outputExists(let path, _): "\(path) exists already"
    case .outputIsNoModelDirectory(let path): "\(path) exists and is not a model directory; it is not replaced"
    case .outputIsCurrentDirectory(let path): "\(path) is the current directory, which cannot be replaced"
    }
  }

  package var hint: String? {
    switch self {
    case .notAModelDirectory(_, _, let inside) where !inside.isEmpty, .noWeights(_, let inside) where !inside.isEmpty:
      "there \(inside.count == 1 ? "is a model" : "are models") below it: name "
        + inside.prefix(3).joined(separator: ", or ") + (inside.count > 3 ? ", …" : "")
    case .missingModelType, .notAModelDirectory:
      "a model directory has a config.json with \"model_type\": \"distilbert\", and model.safetensors"
    case .otherModelType, .otherKerasModel: "only DistilBERT models can be loaded"
    case .kerasWeightsNotBuilt:
      "build with: swift build -c release --traits KerasWeights (needs Debian's libhdf5-dev); "
        + "or load it without weights, and start from random ones"
    case .unsupportedVariable: "save the preset anew with KerasHub: save_to_preset(DIR)"
    case .otherFormat(_, .other(let what), _) where what.hasPrefix("a PyTorch"):
      "convert it to safetensors: AutoModelForMaskedLM.from_pretrained(DIR).save_pretrained(OTHER)"
    // Weights are no text that could be converted.
    case .otherFormat(_, .markedText, _), .otherFormat(_, .otherEncoding, _): "download the file again"
    case .otherFormat(_, let format, _): format.remedy
    case .vocabularyLargerThanModel:
      "vocabulary and weights must be of one model: was a cased one mixed with an uncased one?"
    case .missingTensors(_, _, _, _, _, let hint): hint
    case .tooShort, .headerTooLong, .headerTruncated, .truncated, .notHDF5, .damagedHDF5: "download the file anew"
    case .wrongShape(_, _, _, _, let hint): hint
    case .noWeights, .noKerasWeights: "loaded without weights, the model starts from random ones"
    case .onlyOtherWeights(_, let found): OtherWeights.remedy(for: found)
    case .outputExists(_, let canOverwrite):
      canOverwrite ? "overwrite it, or write to another directory" : "write to another directory"
    case .outputIsNoModelDirectory, .outputIsCurrentDirectory: "write to another directory"
    default: nil
    }
  }

  /// The first names of those that are there, as the end of a sentence.
  private static func list(_ names: [String]) -> String {
    guard !names.isEmpty else { return "" }
    let more = names.count > 3 ? " and \(names.count - 3) more" : ""
    return "; it has " + names.prefix(3).map { "'\($0)'" }.joined(separator: ", ") + more
  }
}
