/// A help page on a subject that spans commands: `mlm help migrating`.
package struct HelpTopic: Sendable {
  package let name: String
  /// Completes "NAME: …", in the list of topics and as the title of the page.
  package let title: String
  package let blocks: [Block]

  package enum Block: Sendable {
    case heading(String)
    case paragraph(String)
    /// Two columns; the second is wrapped.
    case table([Row])
    /// Lines of at most 76 columns.
    case code([String])
  }

  package struct Row: Sendable {
    package let left, right: String

    package init(_ left: String, _ right: String) {
      self.left = left
      self.right = right
    }
  }

  package init(name: String, title: String, blocks: [Block]) {
    self.name = name
    self.title = title
    self.blocks = blocks
  }
}
