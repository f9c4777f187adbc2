import Glibc
import Model

/// The figures of `evaluate`.
struct EvaluationReport: Sendable, Equatable {
  /// Mean cross-entropy over the masked tokens.
  var loss: Double
  /// Share of the masked tokens whose best candidate is right.
  var accuracy: Double
  var maskedTokens: Int
  var tokens: Int
  var samples: Int

  init(_ evaluation: Evaluation) {
    loss = evaluation.loss
    accuracy = evaluation.accuracy
    maskedTokens = evaluation.maskedTokens
    tokens = evaluation.tokens
    samples = evaluation.samples
  }

  /// Per masked token; not a left-to-right model's.
  var perplexity: Double { exp(loss) }

  /// The names are those of the JSON keys in every format.
  func text(_ format: EvaluateOptions.Format) -> String {
    let figures = [
      ("loss", Self.figure(loss, format)), ("accuracy", Self.figure(accuracy, format)),
      ("perplexity", Self.figure(perplexity, format)),
      ("masked_tokens", String(maskedTokens)), ("tokens", String(tokens)), ("samples", String(samples)),
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
