/// What can be wrong with the files of a model: configuration, weights, index, directory.
public enum CheckpointError: ModelError, Equatable {
  // config.json
  case notAnObject(file: String, found: String)
  case missingModelType(file: String)
  case otherModelType(file: String, found: String)
  case otherKerasModel(file: String, found: String)
  case missingKey(file: String, key: String)
  case wrongKind(file: String, key: String, expected: String, found: String)
  case outOfRange(file: String, key: String, value: String, range: String)
  case disagreeing(file: String, key: String, value: Int, alias: String, other: Int)
  case headsDoNotDivide(file: String, dim: Int, heads: Int)
  case unknownActivation(file: String, name: String)
  case tooManyParameters(file: String, count: Int)

  // safetensors
  case gitLFSPointer(file: String, oid: String?, size: String?)
  case otherFormat(file: String, what: String)
  case tooShort(file: String, bytes: Int)
  case headerTooLong(file: String, bytes: UInt64)
  case headerTruncated(file: String, have: Int, need: Int)
  case malformedHeader(file: String, what: String)
  case duplicateTensor(file: String, name: String)
  case unknownDataType(file: String, tensor: String, name: String)
  case malformedTensor(file: String, tensor: String, what: String)
  case truncated(file: String, have: Int, need: Int)
  case bytesAfterEnd(file: String, count: Int)

  // KerasHub's HDF5 files
  case kerasWeightsNotBuilt(file: String)
  case notHDF5(file: String, what: String?)
  case damagedHDF5(file: String, what: String)
  case unsupportedVariable(file: String, variable: String, what: String)
  case noKerasWeights(path: String)

  // Weights and their names
  case missingTensors(file: String, first: String, count: Int, inHead: Bool)
  case ambiguousTensor(file: String, name: String, first: String, second: String)
  case wrongShape(file: String, tensor: String, found: [Int], expected: [Int], hint: String?)
  case notFloatingPoint(file: String, tensor: String, type: String)
  case untiedOutput(file: String)
  case beyondHalfPrecision(tensor: String, value: Float)

  // Directories
  case notAModelDirectory(path: String, lookedFor: String)
  case noWeights(path: String)
  case onlyOtherWeights(path: String, found: String)
  case malformedIndex(file: String, what: String)
  case missingShard(index: String, shard: String)
  case outputExists(path: String, canOverwrite: Bool)
  case outputIsNoModelDirectory(path: String)
  case outputIsCurrentDirectory(path: String)

  public var message: String {
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

    case .gitLFSPointer(let file, let oid, let size):
      "\(file): this is a Git LFS pointer, not the weights (oid \(oid ?? "unknown"), size \(size ?? "unknown"))"
    case .otherFormat(let file, let what): "\(file): this is \(what), not a safetensors file"
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
    case .notHDF5(let file, let what): "\(file): \(what.map { "this is \($0), " } ?? "")not an HDF5 file"
    case .damagedHDF5(let file, let what): "\(file): truncated or damaged: \(what)"
    case .unsupportedVariable(let file, let variable, let what): "\(file): variable '\(variable)' \(what)"
    case .noKerasWeights(let path): "\(path) has no weights: neither model.weights.h5 nor model.weights.json"

    case .missingTensors(let file, let first, let count, let inHead):
      count == 1
        ? "\(file): tensor '\(first)' is missing"
        : "\(file): \(count) tensors of the \(inHead ? "head" : "encoder") are missing, the first is '\(first)'"
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
    case .untiedOutput(let file):
      "\(file): 'vocab_projector.weight' differs from 'distilbert.embeddings.word_embeddings.weight'"

    case .notAModelDirectory(let path, let lookedFor): "\(path) is not a model directory: \(lookedFor)"
    case .beyondHalfPrecision(let tensor, let value):
      "'\(tensor)' has the number \(value), which is beyond 16-bit floats"
    case .noWeights(let path): "\(path) has no weights: neither model.safetensors nor model.safetensors.index.json"
    case .onlyOtherWeights(let path, let found): "\(path) has no model.safetensors, only \(found)"
    case .malformedIndex(let file, let what): "\(file): malformed index: \(what)"
    case .missingShard(let index, let shard): "\(shard) is missing, which \(index) names"
    case .outputExists(let path, _): "\(path) exists already"
    case .outputIsNoModelDirectory(let path): "\(path) exists and is not a model directory; it is not replaced"
    case .outputIsCurrentDirectory(let path): "\(path) is the current directory, which cannot be replaced"
    }
  }

  public var hint: String? {
    switch self {
    case .missingModelType, .notAModelDirectory:
      "a model directory has a config.json with \"model_type\": \"distilbert\", and model.safetensors"
    case .otherModelType, .otherKerasModel: "only DistilBERT models can be loaded"
    case .kerasWeightsNotBuilt:
      "build with: swift build -c release --traits KerasWeights (needs Debian's libhdf5-dev); "
        + "or start from random weights with --no-load-weights"
    case .unsupportedVariable: "save the preset anew with KerasHub: save_to_preset(DIR)"
    case .gitLFSPointer: "fetch the weights themselves: git lfs pull, or download the file anew"
    case .otherFormat(_, let what):
      what.hasPrefix("a PyTorch")
        ? "convert it to safetensors: AutoModelForMaskedLM.from_pretrained(DIR).save_pretrained(OTHER)"
        : "download the file anew"
    case .tooShort, .headerTooLong, .headerTruncated, .truncated, .notHDF5, .damagedHDF5: "download the file anew"
    case .wrongShape(_, _, _, _, let hint): hint
    case .untiedOutput:
      "config.json says that the output matrix is not tied to the word embedding, which is not supported"
    case .noWeights, .noKerasWeights: "with --no-load-weights the model starts from random weights"
    case .onlyOtherWeights(_, let found):
      found == "pytorch_model.bin"
        ? "it must be converted to safetensors: AutoModelForMaskedLM.from_pretrained(DIR).save_pretrained(OTHER)"
        : "save the model as safetensors with transformers: save_pretrained(DIR)"
    case .outputExists(_, let canOverwrite):
      canOverwrite ? "replace it with --overwrite, or name another with --output" : "name another with --output"
    case .outputIsNoModelDirectory, .outputIsCurrentDirectory: "name another with --output"
    default: nil
    }
  }
}
