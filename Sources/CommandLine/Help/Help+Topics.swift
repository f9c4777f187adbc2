/// Pages on subjects that span commands.
extension Help {
  /// `mlm help migrating`.
  package func page(_ topic: HelpTopic) -> String {
    var text = "\(program.name) help \(topic.name): \(topic.title)\n"
    var followsHeading = false
    for block in topic.blocks {
      if !followsHeading { text += "\n" }
      followsHeading = false
      switch block {
      case .heading(let heading):
        text += "\(heading):\n"
        followsHeading = true
      case .paragraph(let paragraph): text += Self.wrapped(paragraph, indent: 2)
      case .table(let rows): text += Self.table(rows, indent: 2, width: Self.width)
      case .code(let lines): for line in lines { text += "    \(line)\n" }
      }
    }
    return text
  }

  /// Lines of at most `width` columns.
  static func table(_ rows: [HelpTopic.Row], indent: Int, width: Int) -> String {
    let column = indent + (rows.map(\.left.count).max() ?? 0) + 2
    return rows.reduce("") { text, row in
      let left = String(repeating: " ", count: indent) + row.left
      // The first cell replaces the margin of the first line.
      return text + left + wrapped(row.right, indent: column, width: width).dropFirst(left.count)
    }
  }
}
