import Model
import Text

extension FitOptions {
  /// What changes the result of a training, by the option's name, each with its value as text: a checkpoint is gone on with only where
  /// all are the same. The FILEs are judged by their content, --learning-rate and the length by themselves.
  func arithmetic(preset: String) -> [(option: String, value: String)] {
    func number(_ value: Double) -> String { FloatText.shortest(Float(value)) }
    let warmup =
      switch warmup {
      case .steps(let steps): ("warmup-steps", String(steps))
      case .ratio(let ratio): ("warmup-ratio", FloatText.shortest(ratio))
      }
    let split = if case .split(let share) = validation { FloatText.shortest(share) } else { "none" }
    return [
      ("preset", preset), ("no-load-weights", common.loadsWeights ? "off" : "on"), ("seed", String(common.seed)),
      ("sequence-length", common.sequenceLength.map { String($0) } ?? "the model's"),
      ("preprocessed", common.preprocessed ? "on" : "off"),
      ("samples", samples.cut.rawValue), ("truncate", samples.truncates ? "on" : "off"),
      ("pairs", samples.pairs ? "on" : "off"),
      ("special-tokens-in-text", common.specialTokensInText ? "on" : "off"),
      ("batch-size", String(batchSize)), ("gradient-accumulation", String(gradientAccumulation)),
      ("loss-reduction", lossReduction.rawValue), ("dropout", dropout.map(number) ?? "the model's"),
      ("freeze", frozen.isEmpty ? "nothing" : frozen.map(\.text).joined(separator: ",")),
      ("no-shuffle", shuffles ? "off" : "on"),
      ("optimizer", optimizer.rawValue), ("weight-decay", number(weightDecay)), ("beta1", number(beta1)),
      ("beta2", number(beta2)), ("epsilon", number(epsilon)), ("schedule", schedule.rawValue), warmup,
      ("clip-norm", clipNorm.map(number) ?? "off"),
      ("mask-selection-rate", FloatText.shortest(samples.selectionRate)),
      ("mask-selection-length", String(samples.selectionLength)),
      ("mask-token-rate", FloatText.shortest(samples.maskTokenRate)),
      ("random-token-rate", FloatText.shortest(samples.randomTokenRate)),
      ("mask-sampling", samples.sampling.rawValue), ("whole-word-masking", samples.wholeWords ? "on" : "off"),
      ("mask-unknown", samples.masksUnknown ? "on" : "off"),
      ("validation-split", split),
    ] + newModel.arithmetic
  }

  /// Options that change the result, but are judged otherwise.
  static let judgedOtherwise: Set<String> = [
    "learning-rate", "change-learning-rate", "epochs", "max-steps", "validation", "freeze-backbone", "warmup-steps",
    "warmup-ratio", "lowercase", "early-stopping", "threads",
  ]

  /// Options that do not change the arithmetic.
  static let withoutEffectOnResult: Set<String> = [
    "output", "overwrite", "resume", "log", "log-every", "tensorboard", "verbose", "checkpoint-every", "keep",
    "config", "offline", "quiet", "strict", "help",
  ]

  var rateDependsOnLength: Bool {
    if case .ratio = warmup { return true }
    return schedule != .constant
  }

  /// How long it was asked to train.
  var lengthText: String {
    [epochs.map { "--epochs \($0)" }, maximumSteps.map { "--max-steps \($0)" }].compactMap { $0 }.joined(separator: " ")
  }
}
