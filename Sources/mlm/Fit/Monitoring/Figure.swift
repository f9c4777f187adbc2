import Model
import Text

/// Losses and accuracies as text, the same on the terminal, in the model card and in the chart.
enum Figure {
  /// The text if nothing was measured.
  static let none = "–"

  /// Three digits after the point, or four significant digits from a million.
  static func loss(_ value: Double?) -> String {
    guard let value else { return none }
    guard value.isFinite else { return value.isNaN ? "not a number" : value > 0 ? "∞" : "−∞" }
    return abs(value) < 1e6 ? Decimal.fixed(value, 3) : FloatText.significant(value, digits: 4)
  }

  static func accuracy(_ share: Double?) -> String { share.map { Readable.percent($0) } ?? none }
}

extension TrainingReport {
  /// Loss and accuracy over the epoch so far; nil if no token was masked.
  var means: (loss: Double, accuracy: Double)? { maskedWeight > 0 ? (loss, accuracy) : nil }
}

extension Evaluation {
  /// Loss and accuracy; nil if no token was masked.
  var means: (loss: Double, accuracy: Double)? { maskedTokens > 0 ? (loss, accuracy) : nil }
}
