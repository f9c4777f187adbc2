import Model

/// The figures of `evaluate`.
struct EvaluationReport: Sendable, Equatable {
  let evaluation: Evaluation

  init(_ evaluation: Evaluation) { self.evaluation = evaluation }

  /// The names are those of the JSON keys in every format.
  func text(_ format: EvaluateOptions.Format) -> String {
    let figures = [
      ("loss", Self.figure(evaluation.loss, format)), ("accuracy", Self.figure(evaluation.accuracy, format)),
      ("perplexity", Self.figure(evaluation.perplexity, format)),
      ("masked_tokens", String(evaluation.maskedTokens)), ("tokens", String(evaluation.tokens)),
      ("samples", String(evaluation.samples)),
    ]
    switch format {
    case .json: return "{" + figures.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}\n"
    case .text:
      var table = Table([.left, .left])
      table.rows = figures.map { [$0.0, $0.1] }
      return table.lines().joined(separator: "\n") + "\n"
    }
  }

  /// Nine digits; `null` where JSON has no word for the number, as for the perplexity of a loss above 709.
  private static func figure(_ value: Double, _ format: EvaluateOptions.Format) -> String {
    value.isFinite || format == .text ? FloatText.significant(value, digits: 9) : "null"
  }
}
