/// A page of help on a subject that spans commands: `mlm help migrating`.
///
/// Plain data: `text` lays it out for a terminal.
struct HelpTopic: Sendable {
  let name: String
  /// Finishes "mlm help NAME: …", in the list of topics and as the title of the page.
  let title: String
  let blocks: [Block]

  enum Block: Sendable {
    case heading(String)
    case paragraph(String)
    /// Two columns; the second is wrapped.
    case table([Row])
    case code([String])
  }

  struct Row: Sendable {
    let left, right: String

    init(_ left: String, _ right: String) {
      self.left = left
      self.right = right
    }
  }

  /// In the order in which help lists them.
  static let all: [HelpTopic] = [.training, .formats, .machines, .migrating]

  static func named(_ name: String) -> HelpTopic? { all.first { $0.name == name } }
}
