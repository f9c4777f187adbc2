import Files
import Hub
import Model

/// Remedies for the library's errors, in terms of the command line. The library's hints name no options.
extension ModelError {
  /// The remedy, if there is one: the command line's, otherwise the library's.
  var advice: String? {
    let own: String? =
      switch self {
      case let error as PreprocessorError: error.optionAdvice
      case let error as CheckpointError: error.optionAdvice
      case let error as TrainingCheckpointError: error.optionAdvice
      case let error as TrainingError: error.optionAdvice
      case let error as PresetError: error.optionAdvice
      case let error as HubError: error.optionAdvice
      case let error as ModelUseError: error.optionAdvice
      default: nil
      }
    return own ?? hint
  }
}

extension PreprocessorError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .notText(_, "a safetensors file", _): "pass it, or its directory, with --preset"
    // A remedy with this suffix is a command that prints the text.
    case .notText(_, _, let remedy?) where remedy.hasSuffix(" FILE"): "\(remedy) | mlm … -"
    case .invalidUTF8: "convert the file to UTF-8, or omit --strict to replace invalid bytes by U+FFFD"
    case .badJSON: hint.map { "\($0); if this is text, omit --preprocessed" }
    default: nil
    }
  }
}

extension CheckpointError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .kerasWeightsNotBuilt:
      "build with: swift build -c release --traits KerasWeights (needs Debian's libhdf5-dev); "
        + "or start from random weights with --no-load-weights"
    case .noWeights(_, inside: []), .noKerasWeights: "use --no-load-weights to start from random weights"
    case .unsupportedQuantization:
      "int8 weights of compressed-tensors (int-quantized, symmetric, per channel or tensor) can be read; or quantize "
        + "the float32 model: mlm presets --export DIR --weights int8 NAME"
    case .outputExists(_, canOverwrite: true): "replace it with --overwrite, or name another directory"
    case .outputExists, .outputIsNoModelDirectory, .outputIsCurrentDirectory: "name another directory"
    default: nil
    }
  }
}

extension TrainingCheckpointError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .none:
      "omit --resume to start; checkpoints are written after each epoch, and every N steps with --checkpoint-every N"
    case .missing: "omit --early-stopping to continue without it"
    case .newestIsDamaged(_, _, older: nil): "no older checkpoint is intact; start over with --overwrite"
    case .inUse: "wait for it, or name another directory with --output"
    case .outputHoldsCheckpoints: "continue with --resume, or start over with --overwrite"
    case .unfinished(let output, let newest):
      "finish it with mlm fit … --output \(output) --resume, or use its newest checkpoint: \(newest)"
    case .newestIsDamaged, .damaged, .otherVersion, .otherModel: nil
    }
  }
}

extension TrainingError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .updateTooLarge: "try a lower --learning-rate"
    case .lossIsNotFinite, .gradientIsNotFinite:
      goodSteps > 0 ? "try a lower --learning-rate, or --clip-norm 1" : nil
    }
  }
}

extension PresetError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .unknown(_, _, let guess, let known) where known.count > 20:
      switch guess {
      case .preset, nil: hint.map { "\($0); 'mlm presets' lists all" }
      case .repository, .address: nil
      }
    case .notOnTheHub(let name, _):
      "name it with --preset \(name); mlm presets --export DIR \(name) writes it as a model directory"
    case .notDownloaded(let name, _): "download it with: mlm presets --download \(name)"
    case .notAtHand(_, _, let cause): cause.advice
    default: nil
    }
  }
}

extension HubError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .notInCache(_, _, _, _, others: []):
      "download it without --offline (HF_HUB_OFFLINE), or set HF_HUB_CACHE to a cache that contains it"
    case .unreachable(_, isProxy: false, _):
      "check the network, HF_ENDPOINT and HTTPS_PROXY, or copy the files here and use --preset DIR"
    case .broken, .interrupted: "run the same command again to resume the download"
    case .busy: "retry later; the same command resumes the download"
    default: nil
    }
  }
}

extension ModelUseError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .unknownTarget: "'mlm tokenize --format tokens' shows the pieces of a word"
    case .quantizedWeights:
      "train the float32 model they come from; or widen them: mlm presets --export DIR --weights float32 NAME"
    default: nil
    }
  }
}
