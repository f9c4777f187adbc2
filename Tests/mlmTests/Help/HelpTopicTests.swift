import CommandLine
import Testing

@testable import mlm

/// Tests the pages of `mlm help TOPIC`.
struct HelpTopicTests {
  static let options = Set(Command.declarations.flatMap(\.options).map(\.spelling))
  /// Options of other programs in the examples.
  static let others: Set = ["--pipepart", "--block", "--keras-weights", "--traits", "--product"]

  static func topic(_ name: String) throws -> HelpTopic { try #require(HelpTopic.all.first { $0.name == name }) }

  static func page(_ name: String) throws -> String {
    try HelpCommand.text(for: [Argument(name)])
  }

  @Test(arguments: HelpTopic.all.map(\.name)) func fitsIn80Columns(name: String) throws {
    let lines = try Self.page(name).split(separator: "\n")
    #expect(lines.filter { $0.count > 80 } == [])
    #expect(lines.filter { $0.hasSuffix(" ") } == [])
  }

  /// Pages name only existing options, so that renamed options are renamed there, too.
  @Test(arguments: HelpTopic.all.map(\.name)) func namesOptionsThatExist(name: String) throws {
    for block in try Self.topic(name).blocks {
      let texts: [String] =
        switch block {
        case .heading(let text), .paragraph(let text): [text]
        // The first column may hold the options of another program.
        case .table(let rows): rows.map(\.right)
        case .code(let lines): lines
        }
      for text in texts {
        for word in text.matches(of: /--[a-z][-a-z0-9]*/) {
          let option = String(word.output)
          #expect(Self.options.contains(option) || Self.others.contains(option), "\(option) in: \(text)")
        }
      }
    }
  }
}
