import Files

/// Errors in the files of a model: configuration, weights, index, directory.
package enum CheckpointError: ModelError, Equatable {
  // config.json
  /// A config.json that is not an object.
  case notAnObject(file: String, found: String)
  /// A config.json without 'model_type'.
  case missingModelType(file: String)
  /// The config.json of another architecture.
  case otherModelType(file: String, found: String)
  /// A KerasHub preset of another model.
  case otherKerasModel(file: String, found: String)
  /// A missing key that has no default.
  case missingKey(file: String, key: String)
  /// A value of the wrong kind, such as text instead of a number.
  case wrongKind(file: String, key: String, expected: String, found: String)
  /// A number outside the valid range.
  case outOfRange(file: String, key: String, value: String, range: String)
  /// A size given under two names, with two values.
  case disagreeing(file: String, key: String, value: Int, alias: String, other: Int)
  /// A width that is not divisible by the number of attention heads.
  case headsDoNotDivide(file: String, dim: Int, heads: Int)
  /// An unsupported activation function.
  case unknownActivation(file: String, name: String)
  /// Sizes whose product exceeds 2³⁴ parameters.
  case tooManyParameters(file: String, count: Int)

  // safetensors
  /// A file that is certainly of another format than `expected`, for example "a safetensors file".
  case otherFormat(file: String, ForeignFormat, expected: String)
  /// Fewer bytes than a header takes.
  case tooShort(file: String, bytes: Int)
  /// A header longer than any real one, in bytes.
  case headerTooLong(file: String, bytes: UInt64)
  /// The file ends within its header; in bytes.
  case headerTruncated(file: String, have: Int, need: Int)
  /// A header with an invalid structure.
  case malformedHeader(file: String, what: String)
  /// A duplicate name in a header.
  case duplicateTensor(file: String, name: String)
  /// A data type that safetensors does not define.
  case unknownDataType(file: String, tensor: String, name: String)
  /// A tensor whose shape, type and data offsets are inconsistent.
  case malformedTensor(file: String, tensor: String, what: String)
  /// The file ends within a tensor; in bytes.
  case truncated(file: String, have: Int, need: Int)
  /// Bytes after the last tensor.
  case bytesAfterEnd(file: String, count: Int)

  // KerasHub's HDF5 files
  /// KerasHub's weights, in a build without the trait KerasWeights.
  case kerasWeightsNotBuilt(file: String)
  /// A file that is not HDF5.
  case notHDF5(file: String)
  /// An HDF5 file that cannot be read completely.
  case damagedHDF5(file: String, what: String)
  /// A variable of an unsupported type or layout.
  case unsupportedVariable(file: String, variable: String, what: String)
  /// A KerasHub preset without weights.
  case noKerasWeights(path: String)

  // Weights and their names
  /// Missing tensors: the first, their number, and the tensors that the file has.
  case missingTensors(
    file: String, first: String, count: Int, inHead: Bool, present: [String] = [], hint: String? = nil)
  /// Two tensors with different names for one role.
  case ambiguousTensor(file: String, name: String, first: String, second: String)
  /// A tensor whose shape differs from config.json.
  case wrongShape(file: String, tensor: String, found: [Int], expected: [Int], hint: String?)
  /// Integer weights.
  case notFloatingPoint(file: String, tensor: String, type: String)
  /// Weights in a quantized format that cannot be read.
  case unsupportedQuantization(file: String, found: String)
  /// Integer weights without their scales.
  case missingScales(file: String, tensor: String, scales: String)
  /// A scale that is not a positive number.
  case invalidScale(file: String, tensor: String, row: Int, value: Float)
  /// A weight that is not a number, or infinite, which cannot be quantized.
  case notFinite(tensor: String)
  /// A weight that exceeds the range of 16-bit floats.
  case beyondHalfPrecision(tensor: String, value: Float)

  /// A vocabulary with more word pieces than the model has rows.
  case vocabularyLargerThanModel(preset: String, pieces: Int, rows: Int)

  // Directories
  /// A directory without a model, what was looked for, and the models in its subdirectories.
  case notAModelDirectory(path: String, lookedFor: String, inside: [String] = [])
  /// A directory without weights, and the models in its subdirectories.
  case noWeights(path: String, inside: [String] = [])
  /// A directory whose only weights have another framework's format, or another name.
  case onlyOtherWeights(path: String, found: String)
  /// An index of shards with an invalid structure.
  case malformedIndex(file: String, what: String)
  /// A missing file that an index names.
  case missingShard(index: String, shard: String)
  /// An existing output, and whether `overwrite` may replace it.
  case outputExists(path: String, canOverwrite: Bool)
  /// An existing output that `overwrite` never replaces.
  case outputIsNoModelDirectory(path: String)
  /// An output that is the current directory.
  case outputIsCurrentDirectory(path: String)

  package var kind: ErrorKind { .directory }
  package var message: String {
    switch self {
    case .notAnObject(let file, let found): "\(file): found \(found), expected an object"
    case .missingModelType(let file): "\(file): missing key 'model_type'"
    case .otherModelType(let file, let found): "\(file): model_type is '\(found)', expected 'distilbert'"
    case .otherKerasModel(let file, let found):
      "\(file): the preset's class is '\(found)', expected 'DistilBertBackbone'"
    case .missingKey(let file, let key): "\(file): missing key '\(key)'"
    case .wrongKind(let file, let key, let expected, let found): "\(file): '\(key)' is \(found), expected \(expected)"
    case .outOfRange(let file, let key, let value, let range): "\(file): '\(key)' is \(value), expected \(range)"
    case .disagreeing(let file, let key, let value, let alias, let other):
      "\(file): '\(key)' is \(value), but its alias '\(alias)' is \(other)"
    case .headsDoNotDivide(let file, let dim, let heads): "\(file): dim \(dim) is not divisible by \(heads) heads"
    case .unknownActivation(let file, let name): "\(file): unknown activation '\(name)', expected 'gelu' or 'relu'"
    case .tooManyParameters(let file, let count): "\(file): \(count) parameters are more than the maximum of 2³⁴"

    case .otherFormat(let file, let format, let expected):
      if case .gitLFSPointer = format {
        "\(file): this is \(format.what)"
      } else {
        "\(file): this is \(format.what), not \(expected)"
      }
    case .tooShort(let file, let bytes): "\(file): too short for a safetensors file (\(bytes) bytes)"
    case .headerTooLong(let file, let bytes):
      "\(file): damaged, or not a safetensors file: the header length is \(bytes) bytes"
    case .headerTruncated(let file, let have, let need):
      "\(file): truncated in the header: have \(have) of \(need) bytes"
    case .malformedHeader(let file, let what): "\(file): malformed header: \(what)"
    case .duplicateTensor(let file, let name): "\(file): malformed header: duplicate tensor '\(name)'"
    case .unknownDataType(let file, let tensor, let name): "\(file): tensor '\(tensor)' has unknown dtype '\(name)'"
    case .malformedTensor(let file, let tensor, let what): "\(file): malformed header: tensor '\(tensor)' \(what)"
    case .truncated(let file, let have, let need): "\(file): truncated: have \(have) of \(need) bytes"
    case .bytesAfterEnd(let file, let count): "\(file): \(count) unexpected bytes after the last tensor"

    case .kerasWeightsNotBuilt(let file): "\(file): this build cannot read Keras weights (HDF5)"
    case .notHDF5(let file): "\(file): not an HDF5 file"
    case .damagedHDF5(let file, let what): "\(file): truncated or damaged: \(what)"
    case .unsupportedVariable(let file, let variable, let what): "\(file): variable '\(variable)' \(what)"
    case .noKerasWeights(let path): "\(path) has no weights: neither model.weights.h5 nor model.weights.json"

    case .missingTensors(let file, let first, let count, let inHead, let present, _):
      (count == 1
        ? "\(file): missing tensor '\(first)'"
        : "\(file): missing \(count) tensors of the \(inHead ? "head" : "encoder"), the first is '\(first)'")
        + Self.list(present)
    case .ambiguousTensor(let file, let name, let first, let second):
      "\(file): '\(first)' and '\(second)' are both names for '\(name)'"
    case .wrongShape(let file, let tensor, let found, let expected, _):
      if found.count == 1 && expected.count == 1 {
        "\(file): tensor '\(tensor)' has \(found[0]) values, expected \(expected[0])"
      } else {
        "\(file): tensor '\(tensor)' has shape \(found), expected \(expected)"
      }
    case .notFloatingPoint(let file, let tensor, let type):
      "\(file): tensor '\(tensor)' has dtype \(type), expected F32, F16, BF16 or F64"

    case .unsupportedQuantization(let file, let found): "\(file): cannot read quantized weights: \(found)"
    case .missingScales(let file, let tensor, let scales):
      "\(file): tensor '\(tensor)' has dtype I8, but its scales '\(scales)' are missing"
    case .invalidScale(let file, let tensor, let row, let value):
      "\(file): tensor '\(tensor)' has the scale \(value) in row \(row), expected a positive number"
    case .notFinite(let tensor): "'\(tensor)' contains a value that is not finite, and cannot be quantized"

    case .vocabularyLargerThanModel(let preset, let pieces, let rows):
      "the vocabulary of '\(preset)' has \(pieces) word pieces, but its config.json says vocab_size \(rows)"
    case .notAModelDirectory(let path, let lookedFor, _): "\(path) is not a model directory: \(lookedFor)"
    case .beyondHalfPrecision(let tensor, let value):
      "'\(tensor)' contains \(value), which exceeds the range of 16-bit floats"
    case .noWeights(let path, _): "\(path) has no weights: neither model.safetensors nor model.safetensors.index.json"
    case .onlyOtherWeights(let path, let found): "\(path) has no model.safetensors, only \(found)"
    case .malformedIndex(let file, let what): "\(file): malformed index: \(what)"
    case .missingShard(let index, let shard): "missing file \(shard), named by \(index)"
    case .outputExists(let path, _): "\(path) already exists"
    case .outputIsNoModelDirectory(let path): "cannot replace \(path): not a model directory"
    case .outputIsCurrentDirectory(let path): "cannot replace \(path): it is the current directory"
    }
  }

  package var hint: String? {
    switch self {
    case .notAModelDirectory(_, _, let inside) where !inside.isEmpty, .noWeights(_, let inside) where !inside.isEmpty:
      "its subdirectories contain \(inside.count == 1 ? "a model" : "models"): name "
        + inside.prefix(3).joined(separator: ", or ") + (inside.count > 3 ? ", …" : "")
    case .missingModelType, .notAModelDirectory:
      "a model directory contains config.json with \"model_type\": \"distilbert\", and model.safetensors"
    case .otherModelType, .otherKerasModel: "only DistilBERT models can be loaded"
    case .kerasWeightsNotBuilt:
      "build with: swift build -c release --traits KerasWeights (needs Debian's libhdf5-dev); "
        + "or load it without weights to start from random ones"
    case .unsupportedQuantization:
      "quantized weights must be int8 of compressed-tensors, int-quantized, symmetric, with scales per channel or "
        + "tensor; or use the float32 model"
    case .notFloatingPoint(_, _, "I8"):
      "only matrices can be quantized, and config.json must then contain quantization_config"
    case .unsupportedVariable: "save the preset again with KerasHub: save_to_preset(DIR)"
    case .otherFormat(_, .other(let what), _) where what.hasPrefix("a PyTorch"):
      "convert it to safetensors: AutoModelForMaskedLM.from_pretrained(DIR).save_pretrained(OTHER)"
    // Weights are binary and cannot be converted as text.
    case .otherFormat(_, .markedText, _), .otherFormat(_, .otherEncoding, _): "download the file again"
    case .otherFormat(_, let format, _): format.remedy
    case .vocabularyLargerThanModel:
      "use the vocabulary and weights of one model; was a cased one mixed with an uncased one?"
    case .missingTensors(_, _, _, _, _, let hint): hint
    case .tooShort, .headerTooLong, .headerTruncated, .truncated, .notHDF5, .damagedHDF5: "download the file again"
    case .wrongShape(_, _, _, _, let hint): hint
    case .noWeights, .noKerasWeights: "add the weights, or load it without weights to start from random ones"
    case .onlyOtherWeights(_, let found): OtherWeights.remedy(for: found)
    case .outputExists(_, let canOverwrite):
      canOverwrite ? "overwrite it, or write to another directory" : "write to another directory"
    case .outputIsNoModelDirectory, .outputIsCurrentDirectory: "write to another directory"
    default: nil
    }
  }

  /// The first of the names that the file has, as the end of a sentence.
  private static func list(_ names: [String]) -> String {
    guard !names.isEmpty else { return "" }
    let more = names.count > 3 ? " and \(names.count - 3) more" : ""
    return "; it has " + names.prefix(3).map { "'\($0)'" }.joined(separator: ", ") + more
  }
}
