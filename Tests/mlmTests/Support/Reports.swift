@testable import Model

extension TrainingReport {
  /// A report with the values that matter to a test.
  static func made(
    _ moment: Moment = .step, epoch: Int = 1, step: Int, of total: Int = 1000, samples: Int = 0, tokens: Int = 0,
    loss: Double = 2, accuracy: Double = 0.25, maskedTokens: Int = 10, maskedWeight: Double? = nil,
    learningRate: Float = 1e-3,
    validation: Evaluation? = nil, seconds: Double = 0, tokensPerSecond: Double = 14_200
  ) -> TrainingReport {
    TrainingReport(
      moment: moment, epoch: epoch, step: step, totalSteps: total, samples: samples, tokens: tokens, loss: loss,
      accuracy: accuracy, maskedTokens: maskedTokens,
      maskedWeight: maskedWeight ?? Double(maskedTokens), learningRate: learningRate, validation: validation,
      seconds: seconds, tokensPerSecond: tokensPerSecond)
  }
}

extension Evaluation {
  static func made(loss: Double, accuracy: Double) -> Evaluation {
    var evaluation = Evaluation(LossSums(), tokens: 0, samples: 0)
    (evaluation.loss, evaluation.accuracy, evaluation.maskedTokens) = (loss, accuracy, 1)
    return evaluation
  }
}
