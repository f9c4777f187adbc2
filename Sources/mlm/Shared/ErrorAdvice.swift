import Files
import Hub
import Model

/// What to do about the library's errors, in the words of the command line. The library's own hints know no options.
extension ModelError {
  /// What the user can do about it, where that can be said.
  var advice: String? {
    let own: String? =
      switch self {
      case let error as PreprocessorError: error.optionAdvice
      case let error as CheckpointError: error.optionAdvice
      case let error as TrainingCheckpointError: error.optionAdvice
      case let error as TrainingError: error.optionAdvice
      case let error as PresetError: error.optionAdvice
      case let error as HubError: error.optionAdvice
      default: nil
      }
    return own ?? hint
  }
}

extension PreprocessorError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .notText(_, "a safetensors file", _): "give it, or its directory, as --preset"
    // A remedy that ends so is a command that prints the text.
    case .notText(_, _, let remedy?) where remedy.hasSuffix(" FILE"): "\(remedy) | mlm … -"
    case .invalidUTF8: "convert the file to UTF-8, or leave --strict out to have such bytes replaced by U+FFFD"
    case .badJSON: hint.map { "\($0); is this text? Then leave --preprocessed out" }
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
    case .noWeights(_, inside: []), .noKerasWeights: "with --no-load-weights the model starts from random weights"
    case .outputExists(_, canOverwrite: true): "replace it with --overwrite, or name another with --output"
    case .outputExists, .outputIsNoModelDirectory, .outputIsCurrentDirectory: "name another with --output"
    default: nil
    }
  }
}

extension TrainingCheckpointError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .none:
      "leave --resume out to begin; a checkpoint is written after each epoch, or each N steps with --checkpoint-every"
    case .missing: "leave --early-stopping out to go on without it"
    case .newestIsDamaged(_, _, older: nil): "no older checkpoint is intact; start over with --overwrite"
    case .inUse: "wait for it, or name another directory with --output"
    case .outputHoldsCheckpoints: "go on from it with --resume, or begin anew with --overwrite"
    case .unfinished(let output, let newest):
      "end it with mlm fit … --output \(output) --resume, or take its newest checkpoint: \(newest)"
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
    case .notDownloaded(let name, _): "fetch it with: mlm presets --download \(name)"
    case .notAtHand(_, _, let cause): cause.advice
    default: nil
    }
  }
}

extension HubError {
  fileprivate var optionAdvice: String? {
    switch self {
    case .notInCache(_, _, _, _, others: []):
      "without --offline (HF_HUB_OFFLINE) it is fetched; or copy a cache that has it, and name it with HF_HUB_CACHE"
    case .unreachable(_, isProxy: false, _):
      "look at the network (HF_ENDPOINT, HTTPS_PROXY), or bring the files here and use --preset DIR"
    case .broken, .interrupted: "the same command goes on where this one stopped"
    case .busy: "try again later; the same command goes on where this one stopped"
    default: nil
    }
  }
}
