import Files
import Model
import Text

/// The results of `evaluate`.
struct EvaluationReport: Sendable, Equatable {
  let evaluation: Evaluation
  /// The precisions of the model and of the reference, if there is one.
  let precision, reference: Precision?

  init(_ evaluation: Evaluation, precisions: (Precision, reference: Precision)? = nil) {
    self.evaluation = evaluation
    (precision, reference) = (precisions?.0, precisions?.reference)
  }

  /// Whether any token was masked or scored.
  var measures: Bool { evaluation.maskedTokens > 0 || (evaluation.pseudoLikelihood?.tokens ?? 0) > 0 }

  /// Whether the results are finite.
  var isFinite: Bool {
    let comparison = evaluation.comparison
    let masked = [evaluation.loss, comparison?.loss ?? 0, comparison?.divergence ?? 0]
    let scored = [evaluation.pseudoLikelihood, comparison?.pseudoLikelihood].compactMap { $0?.logLikelihood }
    return ((evaluation.maskedTokens == 0 ? [] : masked) + scored).allSatisfy(\.isFinite)
  }

  /// The results as text. Every format uses the names of the JSON keys.
  func text(_ format: EvaluateOptions.Format) -> String {
    let figures = figures + [("samples", .count(evaluation.samples))] + pseudoFigures + names + comparisonFigures
    switch format {
    case .json: return Self.object(figures)
    case .text:
      var table = Table([.left, .left])
      table.rows = figures.map { [$0.name, $0.figure.text] }
      return table.lines().joined(separator: "\n") + "\n"
    }
  }

  /// The results of one sample, as a line of JSON.
  func sample(_ index: Int, at location: DataLocation?) -> String {
    var identity = [("sample", Figure.count(index))]
    if let location {
      identity.append(("file", .name(location.file)))
      identity.append(("line", location.line.map { .count($0) } ?? .none))
    }
    return Self.object(identity + figures + pseudoFigures + comparisonFigures)
  }

  /// The results of all samples in one readable line: `50 samples  loss 3.21  accuracy 41.2 %  perplexity 24.8`.
  var summary: String {
    func short(_ value: Double) -> String { FloatText.significant(value, digits: 4) }
    var parts = [plural(evaluation.samples, "sample")]
    if evaluation.maskedTokens > 0 {
      parts.append("loss \(short(evaluation.loss))")
      parts.append("accuracy \(Readable.percent(evaluation.accuracy))")
      parts.append("perplexity \(short(evaluation.perplexity))")
    }
    if let pseudo = evaluation.pseudoLikelihood, pseudo.tokens > 0 {
      parts.append("pseudo-perplexity \(short(pseudo.perplexity))")
    }
    if let comparison = evaluation.comparison, let reference, evaluation.maskedTokens > 0 {
      parts.append("loss in \(reference.rawValue) \(short(comparison.loss))")
      parts.append("equal first answers \(Readable.percent(comparison.equalFirstAnswers))")
      parts.append("KL divergence \(short(comparison.divergence))")
    }
    return parts.joined(separator: "  ")
  }

  private enum Figure {
    case count(Int)
    case number(Double)
    case name(String)
    /// No token contributes to the value.
    case none

    /// Numbers with nine significant digits.
    var text: String {
      switch self {
      case .count(let count): String(count)
      case .number(let value): FloatText.significant(value, digits: 9)
      case .name(let name): name
      case .none: "-"
      }
    }
  }

  private typealias Figures = [(name: String, figure: Figure)]

  private var figures: Figures {
    let isMasked = evaluation.maskedTokens > 0
    return [
      ("loss", isMasked ? .number(evaluation.loss) : .none),
      ("accuracy", isMasked ? .number(evaluation.accuracy) : .none),
      ("perplexity", isMasked ? .number(evaluation.perplexity) : .none),
      ("masked_tokens", .count(evaluation.maskedTokens)), ("tokens", .count(evaluation.tokens)),
    ]
  }

  private var pseudoFigures: Figures { Self.figures(evaluation.pseudoLikelihood) }

  private static func figures(_ pseudo: PseudoLikelihood?, prefix: String = "") -> Figures {
    guard let pseudo else { return [] }
    let isScored = pseudo.tokens > 0
    return [
      (prefix + "pseudo_log_likelihood", isScored ? .number(pseudo.logLikelihood) : .none),
      (prefix + "pseudo_perplexity", isScored ? .number(pseudo.perplexity) : .none),
    ]
  }

  /// The names of the precisions that are compared.
  private var names: Figures {
    guard let precision, let reference else { return [] }
    return [("precision", .name(precision.rawValue)), ("against", .name(reference.rawValue))]
  }

  private var comparisonFigures: Figures {
    guard let comparison = evaluation.comparison else { return [] }
    func figure(_ value: Double) -> Figure { evaluation.maskedTokens > 0 ? .number(value) : .none }
    return [
      ("against_loss", figure(comparison.loss)), ("against_accuracy", figure(comparison.accuracy)),
      ("against_perplexity", figure(comparison.perplexity)),
    ] + Self.figures(comparison.pseudoLikelihood, prefix: "against_") + [
      ("equal_first_answers", figure(comparison.equalFirstAnswers)),
      ("kl_divergence", figure(comparison.divergence)),
    ]
  }

  /// One line of JSON. Numbers that JSON cannot represent, such as the perplexity of a loss above 709, are `null`.
  private static func object(_ figures: Figures) -> String {
    var writer = JSONWriter(escapesPathBytes: true)
    for (index, (name, figure)) in figures.enumerated() {
      writer.append(raw: index == 0 ? "{" : ",")
      writer.append(string: name)
      writer.append(raw: ":")
      switch figure {
      case .name(let name): writer.append(string: name)
      case .number(let value) where !value.isFinite: writer.append(raw: "null")
      case .none: writer.append(raw: "null")
      default: writer.append(raw: figure.text)
      }
    }
    writer.append(raw: "}\n")
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
