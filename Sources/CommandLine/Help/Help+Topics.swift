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
      case .table(let rows): text += Self.table(rows)
      case .code(let lines): for line in lines { text += "    \(line)\n" }
      }
    }
    return text
  }

  private static func table(_ rows: [HelpTopic.Row]) -> String {
    let column = 4 + (rows.map(\.left.count).max() ?? 0)
    return rows.reduce("") { text, row in
      let left = "  " + row.left
      // The first cell takes the place of the first line's margin.
      return text + left + wrapped(row.right, indent: column).dropFirst(left.count)
    }
  }
}
