import Model
import Text

/// The model that a training began with, as its options describe it, for the card, the chart's title and `info`.
struct TrainingOrigin: Sendable, Equatable {
  enum Vocabulary: Sendable, Equatable {
    case preset
    /// Learned from the text, with this number of word pieces, including the special tokens.
    case learned(Int)
    case file(String)
  }

  /// The preset as the user named it.
  var preset: String
  /// Whether the weights are random, from the seed; otherwise they are the preset's.
  var isRandom: Bool
  var seed: UInt64
  var vocabulary = Vocabulary.preset
  /// Whether the number of layers or a width differs from the preset's.
  var changesSize = false

  /// The origin as part of a sentence: "the weights of my-model", "random weights from seed 0, with a vocabulary of
  /// 8,000 word pieces learned from the text, in the architecture of my-model".
  ///
  /// - Parameters:
  ///   - preset: the formatted name of the preset.
  ///   - file: formats the name of a vocabulary file.
  func text(preset: String, file: (String) -> String = { $0 }) -> String {
    guard isRandom else { return "the weights of \(preset)" }
    let architecture = changesSize ? "in another size of the architecture" : "in the architecture"
    let random = "random weights from seed \(seed),"
    switch vocabulary {
    case .preset: return "\(random) \(architecture) and with the vocabulary of \(preset)"
    case .learned(let pieces):
      let learned = "with a vocabulary of \(Count.text(pieces, "word piece")) learned from the text"
      return "\(random) \(learned), \(architecture) of \(preset)"
    case .file(let name): return "\(random) with the vocabulary \(file(name)), \(architecture) of \(preset)"
    }
  }

  /// The origin as part of a title: "my-model", "random weights with a learned vocabulary".
  var title: String {
    guard isRandom else { return FileName.last(preset) }
    switch vocabulary {
    case .preset: return "random weights with the vocabulary of \(FileName.last(preset))"
    case .learned: return "random weights with a learned vocabulary"
    case .file(let name): return "random weights with the vocabulary \(FileName.last(name))"
    }
  }
}

extension TrainingOrigin {
  /// - Parameter pieces: the number of word pieces of the model.
  init(_ options: FitOptions, preset: String, pieces: Int) {
    self.init(
      preset: preset, isRandom: !options.common.loadsWeights || options.newModel.isNew, seed: options.common.seed,
      changesSize: options.newModel.changesArchitecture)
    switch options.newModel.vocabulary {
    case .preset: break
    case .learned: vocabulary = .learned(pieces)
    case .file(let file): vocabulary = .file(file)
    }
  }

  /// Reads the origin from a training.json; nil if it has none.
  ///
  /// - Parameter pieces: the number of word pieces of the model in the same directory.
  init?(trainingFile: JSONValue, pieces: Int?) {
    let options = trainingFile["options"]
    guard let preset = options?["preset"]?.string else { return nil }
    func isGiven(_ name: String) -> Bool { options?[name].map { !$0.isNull } ?? false }
    changesSize = ["layers", "hidden-dim", "heads", "intermediate-dim"].contains(where: isGiven)
    if let file = options?["vocabulary"]?.string {
      vocabulary = .file(file)
    } else if isGiven("learn-vocabulary") {
      vocabulary = .learned(pieces ?? options?["learn-vocabulary"]?.int ?? 0)
    }
    isRandom = options?["no-load-weights"]?.bool == true || vocabulary != .preset || changesSize
    seed = if case .number(_, let literal)? = options?["seed"] { UInt64(literal) ?? 0 } else { 0 }
    self.preset = preset
  }
}
