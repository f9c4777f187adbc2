import Glibc

/// Formats numbers as decimal text in Python's layout, independent of the locale: `0.1`, `1e-12`, `123.0`, `1e+16`.
package enum FloatText {
  /// The shortest text that reads back as the same number.
  package static func shortest(_ value: Double) -> String {
    guard value.isFinite else { return special(value) }
    return layout(decimal(Array(value.description.utf8)))
  }

  /// The shortest text that reads back as the same number.
  package static func shortest(_ value: Float) -> String {
    guard value.isFinite else { return special(Double(value)) }
    return layout(decimal(Array(value.description.utf8)))
  }

  /// The number rounded to `digits` significant digits (1…17), without trailing zeros. Nine digits distinguish any two
  /// Floats.
  package static func significant(_ value: Double, digits: Int) -> String {
    guard value.isFinite else { return special(value) }
    var buffer = [CChar](repeating: 0, count: 64)
    let precision = min(max(digits, 1), 17) - 1
    let length = withVaList([Int32(precision), value]) { vsnprintf(&buffer, buffer.count, "%.*e", $0) }
    return layout(decimal(buffer.prefix(max(0, Int(length))).map { UInt8(bitPattern: $0) }))
  }

  /// A decimal number: 0.d₁d₂d₃… · 10^exponent.
  package struct Decimal {
    var isNegative = false
    /// The digits, without leading or trailing zeros; empty for zero.
    package var digits: [UInt8] = []
    package var exponent = 0
  }

  /// Parses the sign, digits and exponent of printed text. Any other character is the decimal separator.
  static func decimal(_ text: [UInt8]) -> Decimal {
    var result = Decimal()
    var index = 0
    var digitsBeforePoint = 0
    var sawPoint = false
    if text.first == UInt8(ascii: "-") {
      result.isNegative = true
      index = 1
    }
    while index < text.count, text[index] != UInt8(ascii: "e") {
      if text[index] &- UInt8(ascii: "0") < 10 {
        result.digits.append(text[index])
        if !sawPoint { digitsBeforePoint += 1 }
      } else {
        sawPoint = true
      }
      index += 1
    }
    result.exponent = digitsBeforePoint
    if index < text.count, let power = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) {
      result.exponent += power
    }
    let zeros = result.digits.prefix { $0 == UInt8(ascii: "0") }.count
    result.digits.removeFirst(zeros)
    result.exponent -= zeros
    while result.digits.last == UInt8(ascii: "0") { result.digits.removeLast() }
    if result.digits.isEmpty { result.exponent = 1 }
    return result
  }

  /// The number as Python's `repr` prints it: with an exponent from 1e16 on and below 1e-4.
  package static func layout(_ number: Decimal) -> String {
    var text = number.isNegative ? "-" : ""
    let digits = String(decoding: number.digits, as: UTF8.self)
    let count = number.digits.count
    let power = number.exponent - 1
    if count == 0 { return text + "0.0" }
    if power < -4 || power >= 16 {
      text += digits.prefix(1)
      if count > 1 { text += "." + digits.dropFirst() }
      let size = String(abs(power))
      text += (power < 0 ? "e-" : "e+") + (size.utf8.count < 2 ? "0" : "") + size
    } else if number.exponent <= 0 {
      text += "0." + String(repeating: "0", count: -number.exponent) + digits
    } else if count <= number.exponent {
      text += digits + String(repeating: "0", count: number.exponent - count) + ".0"
    } else {
      text += digits.prefix(number.exponent) + "." + digits.dropFirst(number.exponent)
    }
    return text
  }

  package static func special(_ value: Double) -> String { value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
}
