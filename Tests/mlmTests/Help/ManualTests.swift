@testable import CommandLine
import Testing

@testable import mlm

@Suite struct ManualTests {
  @Test func snapshot() throws { try Snapshot.expect(Manual(.mlm).page, is: "mlm.1") }

  @Test func theToolPrintsIt() throws {
    let result = try Tool().succeed(["manual"])
    #expect(result.output == Manual(.mlm).page && result.messages.isEmpty)
  }

  @Test func everythingIsThere() {
    let page = Manual(.mlm).page
    #expect(page.utf8.allSatisfy { $0 < 0x80 })
    for command in Command.declarations {
      #expect(page.contains(".SH MLM \(command.name.uppercased())\n"))
      for option in command.options { #expect(page.contains("\(Roff.escaped(option.spelling))\\fR"), "\(option.name)") }
      for example in command.examples { #expect(page.contains(Roff.escaped(example.command)), "\(example.command)") }
      for (name, _) in command.environment { #expect(page.contains("\\fB\(name)\\fR"), "\(name)") }
    }
  }

  /// groff and mandoc, if installed, have no warnings.
  @Test func judgedByOthers() throws {
    let tool = try Tool()
    try tool.write(Manual(.mlm).page, to: "mlm.1")
    for judge in ["groff -man -ww -Tutf8", "groff -man -ww -Tascii", "mandoc -Tlint -Wwarning"] {
      let program = judge.prefix { $0 != " " }
      let result = try tool.shell(
        "if command -v \(program) > found; then \(judge) mlm.1 > out; else : > out; fi; cat out")
      #expect(result.messages.isEmpty, "\(judge): \(result.messages)")
      if judge.hasPrefix("mandoc") { #expect(result.output.isEmpty, "\(result.output)") }
    }
  }
}
