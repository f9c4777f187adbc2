/// A text table with aligned columns.
struct Table {
  enum Alignment { case left, right }

  let alignments: [Alignment]
  var rows: [[String]] = []
  var indent = ""

  init(_ alignments: [Alignment], indent: String = "") {
    self.alignments = alignments
    self.indent = indent
  }

  /// The rows as lines, two spaces between columns and none at the end of a line.
  func lines() -> [String] {
    var widths = [Int](repeating: 0, count: alignments.count)
    for row in rows {
      for (column, cell) in row.enumerated() where column < widths.count {
        widths[column] = max(widths[column], DisplayWidth.of(cell))
      }
    }
    return rows.map { row in
      var line = indent
      for (column, cell) in row.enumerated() where column < widths.count {
        if column > 0 { line += "  " }
        let space = String(repeating: " ", count: max(0, widths[column] - DisplayWidth.of(cell)))
        line += alignments[column] == .right ? space + cell : cell + space
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// A bar for a share from 0 to 1, in eighths of a column if the terminal shows Unicode.
  static func bar(_ share: Double, columns: Int, unicode: Bool) -> String {
    guard share > 0, columns > 0 else { return "" }
    let share = min(1, share)
    guard unicode else { return String(repeating: "#", count: Int((share * Double(columns)).rounded())) }
    let eighths = Int((share * Double(columns) * 8).rounded())
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }
}
