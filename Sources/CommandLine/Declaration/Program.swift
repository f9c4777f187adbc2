/// A program as described in its help, manual and completions.
package struct Program: Sendable {
  package let name: String
  /// One line that completes "NAME: …".
  package let summary: String
  package let version: Version
  /// In the order of help.
  package let commands: [CommandDeclaration]
  /// Help pages on subjects that span commands, in the order of help.
  package let topics: [HelpTopic]
  /// Options that replace a command.
  package let options: [OptionDeclaration]
  /// The conventions that all commands share: one paragraph.
  package let conventions: String
  package let examples: [CommandDeclaration.Example]
  package let exitStatuses: [ExitStatus]
  /// The last paragraph of the full help of the program, and of a command, which says where to read on.
  package let more: (ofProgram: String, ofCommand: String)

  package struct Version: Sendable {
    package let number: String
    /// The date of the version.
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
