import CommandLine

extension HelpTopic {
  /// The page, for a terminal of 80 columns.
  var text: String {
    var text = "mlm help \(name): \(title)\n"
    var followsHeading = false
    for block in blocks {
      if !followsHeading { text += "\n" }
      followsHeading = false
      switch block {
      case .heading(let heading):
        text += "\(heading):\n"
        followsHeading = true
      case .paragraph(let paragraph): text += Help.wrapped(paragraph, indent: 2)
      case .table(let rows): text += Self.table(rows)
      case .code(let lines): for line in lines { text += "    \(line)\n" }
      }
    }
    return text
  }

  private static func table(_ rows: [Row]) -> String {
    let column = 4 + (rows.map(\.left.count).max() ?? 0)
    return rows.reduce("") { text, row in
      let left = "  " + row.left
      if row.right.isEmpty { return text + left + "\n" }
      // The first line's margin makes room for the first cell.
      let right = Help.wrapped(row.right, indent: column).dropFirst(left.count)
      return text + left + right
    }
  }
}
