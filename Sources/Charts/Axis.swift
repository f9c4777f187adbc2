import Glibc
import Text

/// An axis with ticks at round numbers.
///
///     Axis(from: 2.31, to: 9.87, intervals: 5).ticks.map(\.label)   // "2", "4", "6", "8", "10"
package struct Axis: Sendable {
  package struct Tick: Sendable, Equatable {
    package let value: Double
    package let label: String
  }

  package let ticks: [Tick]
  /// The ends of the axis: the first and the last tick, or the given values.
  package let lower, upper: Double

  /// - Parameters:
  ///   - from: the smallest value to show; `to` is the largest. Both are finite.
  ///   - intervals: the approximate number of intervals between ticks, exceeded by at most one.
  ///   - wholeNumbers: whether ticks are whole numbers only.
  ///   - endsAtTicks: whether the axis extends to the round numbers beyond its values, or ends at its values.
  package init(
    from: Double, to: Double, intervals: Int, wholeNumbers: Bool = false, endsAtTicks: Bool = true
  ) {
    // Magnitudes that a chart cannot show would overflow below.
    var (low, high) = (min(max(min(from, to), -1e300), 1e300), min(max(max(from, to), -1e300), 1e300))
    let size = max(abs(low), abs(high))
    // A single value: add a margin on both sides, but not below zero unless it is negative.
    if high - low <= size * 1e-9 || size < 1e-280 {
      let room = size < 1e-280 ? 1 : size * 0.1
      (low, high) = (low >= 0 ? max(0, low - room) : low - room, high + room)
    }
    let step = Step(atLeast: (high - low) / Double(max(1, intervals)), wholeNumbers: wholeNumbers)
    // A value that misses a tick only by rounding, as a Float does, is on the tick.
    let slack = endsAtTicks ? 1e-6 : -1e-6
    let first = Int((low / step.value + slack).rounded(endsAtTicks ? .down : .up))
    let last = Int((high / step.value - slack).rounded(endsAtTicks ? .up : .down))
    ticks = first <= last ? (first...last).map { Tick(value: Double($0) * step.value, label: step.label($0)) } : []
    lower = endsAtTicks ? ticks.first?.value ?? low : low
    upper = endsAtTicks ? ticks.last?.value ?? high : high
  }

  /// The position of a value on the axis: 0 at the lower end, 1 at the upper end.
  package func place(_ value: Double) -> Double { upper > lower ? (value - lower) / (upper - lower) : 0.5 }
}

/// 1, 2, 2.5 or 5 times a power of ten, as integers, so that its multiples are printed without rounding errors.
private struct Step {
  /// The step is `digits` · 10^`power`.
  let digits: Int
  let power: Int
  var value: Double { power < 0 ? Double(digits) / pow(10, Double(-power)) : Double(digits) * pow(10, Double(power)) }

  init(atLeast size: Double, wholeNumbers: Bool) {
    var power = max(-300, Int(log10(size).rounded(.down)))
    if wholeNumbers { power = max(0, power) }
    let unit = pow(10, Double(power))
    let choices = [(1, 0), (2, 0), (25, -1), (5, 0), (1, 1)]
    let choice = choices.first { digits, shift in
      (shift == 0 || !wholeNumbers || power > 0) && Double(digits) * pow(10, Double(shift)) * unit >= size * (1 - 1e-6)
    }
    (digits, self.power) = choice.map { ($0.0, power + $0.1) } ?? (1, power + 1)
  }

  /// The label of `count` steps: `0.5`, `2,500`, `7.5e-5` (short, for learning rates).
  func label(_ count: Int) -> String {
    let number = count * digits
    if number == 0 { return "0" }
    let sign = number < 0 ? "-" : ""
    if value < 1e-3 || power > 6 {
      var (number, exponent) = (abs(number), power)
      while number % 10 == 0 { (number, exponent) = (number / 10, exponent + 1) }
      let text = String(number)
      let rest = text.dropFirst()
      return sign + text.prefix(1) + (rest.isEmpty ? "" : ".\(rest)") + "e\(exponent + rest.count)"
    }
    if power >= 0 {
      return sign + Count.grouped(digits: String(abs(number)) + String(repeating: "0", count: power))
    }
    let text = String(repeating: "0", count: max(0, 1 - power - String(abs(number)).count)) + String(abs(number))
    return sign + Count.grouped(digits: String(text.dropLast(-power))) + "." + text.suffix(-power)
  }
}
