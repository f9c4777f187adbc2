import Model
import Tensor
import Text

/// What `training.json` says of a run: given back with `--config`, it is the same run.
extension FitOptions {
  /// The bytes of the file.
  ///
  /// - Parameters:
  ///   - preset: what the training began with.
  ///   - threads: those that computed.
  ///   - data: what the texts are known by.
  func trainingFile(preset: String, threads: Int, data: JSONValue) -> [UInt8] {
    JSONValue.object([
      (
        "versions",
        .object([("mlm", .string(CommandLineTool.version)), ("openblas", .string(MatrixLibrary.version))])
      ),
      ("files", .array(files.map { .string($0) })),
      ("options", .object(recorded(preset: preset, threads: threads))),
      ("data", data),
    ]).serialized(.indented(2), endingInNewline: true, withPaths: true)
  }

  /// Every option that says what the run is, in the order of help, defaults included; null where the model decides, or nothing does.
  /// Left out is what says where things go, and how much is said.
  func recorded(preset: String, threads: Int) -> [(key: String, value: JSONValue)] {
    // Preprocessed samples bring what these would say, and together they are refused.
    let text = common.preprocessed ? [] : sampleRecord
    let masking = common.preprocessed ? [] : maskingRecord
    return [
      ("preset", .string(preset)), ("no-load-weights", .bool(!common.loadsWeights)),
      ("sequence-length", .number(common.sequenceLength)),
    ] + newModel.recorded + text + [("preprocessed", .bool(common.preprocessed))] + trainingRecord + optimizerRecord
      + masking + validationRecord + [
        ("seed", .number(Double(common.seed), literal: String(common.seed))), ("threads", .number(threads)),
      ]
  }

  private typealias Record = [(key: String, value: JSONValue)]

  private var sampleRecord: Record {
    [
      ("samples", .string(samples.cut.rawValue)), ("truncate", .bool(samples.truncates)),
      ("pairs", .bool(samples.pairs)), ("strict", .bool(common.strict)),
      ("special-tokens-in-text", .bool(common.specialTokensInText)),
    ]
  }

  private var trainingRecord: Record {
    [
      ("checkpoint-every", .number(checkpointInterval)), ("keep", .number(keptCheckpoints)),
      ("log-every", .number(logInterval)), ("epochs", .number(epochs)), ("max-steps", .number(maximumSteps)),
      ("batch-size", .number(batchSize)), ("gradient-accumulation", .number(gradientAccumulation)),
      ("loss-reduction", .string(lossReduction.rawValue)), ("dropout", .number(dropout)),
      ("freeze", .array(frozen.map { .string($0.text) })), ("no-shuffle", .bool(!shuffles)),
    ]
  }

  private var optimizerRecord: Record {
    let warmup: (key: String, value: JSONValue) =
      switch warmup {
      case .steps(let steps): ("warmup-steps", .number(steps))
      case .ratio(let ratio): ("warmup-ratio", .number(ratio))
      }
    return [
      ("optimizer", .string(optimizer.rawValue)), ("learning-rate", .number(learningRate)),
      ("weight-decay", .number(weightDecay)), ("beta1", .number(beta1)), ("beta2", .number(beta2)),
      ("epsilon", .number(epsilon)), ("schedule", .string(schedule.rawValue)), warmup, ("clip-norm", .number(clipNorm)),
    ]
  }

  private var maskingRecord: Record {
    [
      ("mask-selection-rate", .number(samples.selectionRate)),
      ("mask-selection-length", .number(samples.selectionLength)),
      ("mask-token-rate", .number(samples.maskTokenRate)), ("random-token-rate", .number(samples.randomTokenRate)),
      ("mask-sampling", .string(samples.sampling.rawValue)), ("whole-word-masking", .bool(samples.wholeWords)),
      ("mask-unknown", .bool(samples.masksUnknown)),
    ]
  }

  private var validationRecord: Record {
    var (file, split) = (JSONValue.null, JSONValue.null)
    switch validation {
    case .none: break
    case .file(let name): file = .string(name)
    case .split(let share): split = .number(share)
    }
    return [("validation", file), ("validation-split", split), ("early-stopping", .number(earlyStopping))]
  }
}

extension NewModelOptions {
  fileprivate var recorded: [(key: String, value: JSONValue)] {
    var (size, file) = (JSONValue.null, JSONValue.null)
    switch vocabulary {
    case .preset: break
    case .learned(let count): size = .number(count)
    case .file(let name): file = .string(name)
    }
    return [
      ("learn-vocabulary", size), ("vocabulary", file), ("lowercase", .bool(lowercases == true)),
      ("cased", .bool(lowercases == false)), ("min-frequency", .number(minimumFrequency)),
      ("keep-special-ids", .bool(keepsSpecialIDs)),
      ("layers", .number(layers)), ("hidden-dim", .number(hiddenDim)), ("heads", .number(heads)),
      ("intermediate-dim", .number(intermediateDim)),
    ]
  }
}

extension JSONValue {
  fileprivate static func number(_ value: Int?) -> JSONValue { value.map { .number($0) } ?? .null }
  fileprivate static func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
}
