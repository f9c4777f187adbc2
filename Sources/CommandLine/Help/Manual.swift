/// The man page, generated from the declarations: roff with the macros of man(7), in ASCII.
package struct Manual {
  package let program: Program

  package init(_ program: Program) { self.program = program }

  package var page: String {
    var roff = Roff()
    let (name, version) = (program.name, program.version)
    roff.title(
      name.uppercased(), section: 1, date: version.date, source: "\(name) \(version.number)", manual: "User Commands")
    roff.section("Name")
    roff.paragraph("\(name) - \(program.summary)")
    roff.section("Synopsis")
    roff.synopsis(
      program.commands.map(\.usage) + ["\(name) \(program.options.map(\.spelling).joined(separator: " | "))"])
    roff.section("Description")
    roff.paragraph(program.conventions)
    roff.paragraph("Commands:")
    for command in program.commands { roff.item(command.name, "", command.summary) }
    for command in program.commands {
      roff.section(command.call)
      add(command, to: &roff)
    }
    for topic in program.topics {
      roff.section(topic.name)
      add(topic, to: &roff)
    }
    roff.section("Exit status")
    for exit in program.exitStatuses { roff.item(String(exit.status), "", exit.meaning) }
    roff.section("Environment")
    for (name, meaning) in environment { roff.item(name, "", meaning) }
    roff.section("Examples")
    for example in program.examples { roff.example(example.command, meaning: example.meaning) }
    return roff.text
  }

  private func add(_ command: CommandDeclaration, to roff: inout Roff) {
    roff.synopsis([command.usage])
    for paragraph in command.description { roff.paragraph(paragraph) }
    for (group, options) in command.optionsByGroup {
      roff.subsection(group.title)
      for option in options {
        roff.item(option.spellings.joined(separator: ", "), option.valueName, Help.explanation(of: option))
      }
    }
    if command.examples.isEmpty { return }
    roff.subsection("Examples")
    for example in command.examples { roff.example(example.command, meaning: example.meaning) }
  }

  private func add(_ topic: HelpTopic, to roff: inout Roff) {
    for block in topic.blocks {
      switch block {
      case .heading(let heading): roff.subsection(heading)
      case .paragraph(let paragraph): roff.paragraph(paragraph)
      case .table(let rows):
        // man(7) indents the lines by 11 columns.
        roff.code(Help.table(rows, indent: 0, width: Help.width - 11).split(separator: "\n").map(String.init))
      case .code(let lines): roff.code(lines)
      }
    }
  }

  /// Each variable once, in the order of the commands.
  private var environment: [(name: String, meaning: String)] {
    var seen: Set<String> = []
    return program.commands.flatMap(\.environment).filter { seen.insert($0.name).inserted }
  }
}
