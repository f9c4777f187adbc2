import Testing

@testable import CommandLine

@Suite struct HelpTests {
  let help = Help(Sample.program)

  @Test func shortHelpOfACommand() {
    let text = help.short(Sample.command)
    #expect(text.hasPrefix("sample do: does it\n\nUsage: sample do [OPTIONS] FILE...\n\nShape:\n  --ratio X"))
    #expect(text.contains("\n\nGeneral:\n  --count N                   how many [3]\n"))
    #expect(text.hasSuffix("\n'sample do --help' shows details and examples.\n"))
  }

  @Test func longHelpOfACommand() {
    let text = help.long(Sample.command)
    #expect(text.contains("\nIt does what it does.\n"))
    #expect(text.contains("  --count N\n      How many there are. [default: 3]\n"))
    #expect(text.contains("\nExamples:\n  # one file\n  sample do a\n"))
    #expect(text.contains("  SAMPLE\n      a variable\n"))
    #expect(text.hasSuffix("\nExit status:\n  0    done\n\nMore is there.\n"))
  }

  @Test func helpOfTheProgram() {
    #expect(help.short().hasPrefix("sample: an example\n\nUsage: sample COMMAND [OPTIONS] …\n\nCommands:\n  do "))
    #expect(help.long().hasSuffix("More is elsewhere.\n"))
  }

  @Test func numbers() {
    #expect(NumberText.short(5e-5) == "5e-5" && NumberText.short(1e-7) == "1e-7")
    #expect(NumberText.short(0.15) == "0.15" && NumberText.short(1) == "1" && NumberText.short(1e20) == "1e20")
  }

  @Test func wrapping() {
    let text = Help.wrapped(String(repeating: "word ", count: 40), indent: 6)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 && $0.hasPrefix("      word") && $0.last == "d" })
  }
}

@Suite struct RoffTests {
  @Test func charactersOfRoff() {
    #expect(
      Roff.escaped("--a 'b' \\n \"c\" ^~` é…€")
        == "\\-\\-a \\(aqb\\(aq \\en \\(dqc\\(dq \\(ha\\(ti\\(ga \\[u00E9]...\\[u20AC]")
    var roff = Roff()
    roff.paragraph(".TH is text")
    roff.paragraph("'quoted'")
    #expect(roff.text == ".PP\n\\&.TH is text\n.PP\n\\&\\(aqquoted\\(aq\n")
  }

  @Test func page() {
    let page = Manual(Sample.program).page
    #expect(page.hasPrefix(".TH SAMPLE 1 \"2026-11-29\" \"sample 1.0\" \"User Commands\"\n"))
    #expect(page.contains(".SH SAMPLE DO\n") && page.contains("\\fB\\-h, \\-\\-help\\fR"))
  }
}
