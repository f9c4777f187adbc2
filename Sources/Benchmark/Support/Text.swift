import Glibc
import Text

/// Formats numbers and lines for people.
enum Words {
  static func printError(_ line: String) { writeError(line + "\n") }

  fileprivate static func writeError(_ text: String) {
    var text = text
    text.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
  }

  /// Prints a progress message, which is not part of the result.
  static func note(_ line: String) { printError("benchmark: \(line)") }

  static func fixed(_ value: Double, _ digits: Int) -> String {
    var buffer = [CChar](repeating: 0, count: 400)
    let length = withVaList([Int32(digits), value]) { vsnprintf(&buffer, buffer.count, "%.*f", $0) }
    return String(decoding: buffer.prefix(max(0, Int(length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A number with about four digits.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "-" }
    switch abs(value) {
    case 1000...: return Count.grouped(Int(value.rounded()))
    case 100...: return fixed(value, 0)
    case 10...: return fixed(value, 1)
    case 1...: return fixed(value, 2)
    case 0: return "0"
    default: return fixed(value, 4)
    }
  }

  /// A number with one digit and a power of ten, for differences.
  static func small(_ value: Double) -> String {
    guard value > 0, value.isFinite else { return value == 0 ? "0" : "-" }
    var power = Int(log10(value).rounded(.down))
    // With one digit, 9.7e-7 is 1e-6.
    if value / pow(10, Double(power)) >= 9.5 { power += 1 }
    return fixed(value / pow(10, Double(power)), 0) + "e\(power)"
  }

  static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  static func rightAligned(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

/// A table with aligned columns: the first to the left, numbers to the right.
struct Table {
  let header: [String]
  /// The columns with text rather than numbers.
  var textColumns: Set<Int> = [0]
  var rows: [[String]] = []

  init(_ header: [String], textColumns: Set<Int> = [0]) {
    self.header = header
    self.textColumns = textColumns
  }

  func lines() -> [String] {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    let ruler = widths.map { String(repeating: "-", count: $0) }
    return ([header, ruler] + rows).map { row in
      var line = row.enumerated().map { column, cell in
        textColumns.contains(column) ? Words.padded(cell, widths[column]) : Words.rightAligned(cell, widths[column])
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  func markdown() -> [String] {
    let ruler = header.indices.map { textColumns.contains($0) ? "---" : "--:" }
    return ([header, ruler] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
  }
}

extension Words {
  /// Shows a line that the next one replaces, only on a terminal; nil removes it.
  static func progress(_ line: String?) {
    guard isatty(2) == 1 else { return }
    writeError("\r\u{1B}[K" + (line ?? ""))
  }
}
