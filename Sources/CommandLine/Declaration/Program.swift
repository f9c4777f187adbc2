/// A program as its help, manual and completions describe it.
package struct Program: Sendable {
  package let name: String
  /// One line that finishes "NAME: …".
  package let summary: String
  package let version: Version
  /// In the order of help.
  package let commands: [CommandDeclaration]
  /// Pages of help that are not on one command, in the order of help.
  package let topics: [HelpTopic]
  /// Options that take the place of a command.
  package let options: [OptionDeclaration]
  /// The conventions that all commands share: one paragraph.
  package let conventions: String
  package let examples: [CommandDeclaration.Example]
  package let exitStatuses: [ExitStatus]
  /// Where to read on: the last paragraph of the full help of the program, and of a command.
  package let more: (ofProgram: String, ofCommand: String)

  package struct Version: Sendable {
    package let number: String
    /// When that version was made.
    package let date: String

    package init(number: String, date: String) {
      self.number = number
      self.date = date
    }
  }

  package struct ExitStatus: Sendable {
    package let status: Int
    package let meaning: String

    package init(_ status: Int, _ meaning: String) {
      self.status = status
      self.meaning = meaning
    }
  }

  package init(
    name: String, summary: String, version: Version, commands: [CommandDeclaration],
    topics: [HelpTopic] = [], options: [OptionDeclaration], conventions: String, examples: [CommandDeclaration.Example],
    exitStatuses: [ExitStatus],
    more: (ofProgram: String, ofCommand: String)
  ) {
    self.name = name
    self.summary = summary
    self.version = version
    self.commands = commands
    self.topics = topics
    self.options = options
    self.conventions = conventions
    self.examples = examples
    self.exitStatuses = exitStatuses
    self.more = more
  }
}
