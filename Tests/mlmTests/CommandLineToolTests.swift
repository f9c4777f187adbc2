import Foundation
import Testing

@testable import mlm

/// Tests the tool from a shell's view, without models.
@Suite struct CommandLineToolTests {
  @Test func version() throws {
    let result = try Tool().run("--version")
    #expect(result.output == "mlm 0.1.0\n" && result.messages.isEmpty && result.status == 0)
  }

  @Test func aloneItShowsHelpAndFails() throws {
    let result = try Tool().run()
    #expect(result.output.isEmpty && result.messages.hasPrefix("mlm: masked language modeling") && result.status == 2)
  }

  @Test func helpGoesToStandardOutput() throws {
    let tool = try Tool()
    for arguments in [["-h"], ["--help"], ["help"], ["fit", "-h"], ["fit", "--help"], ["help", "fit"]]
      + Command.allCases.flatMap({ [[$0.rawValue, "-h"], [$0.rawValue, "--help"], ["help", $0.rawValue]] })
    {
      let result = try tool.run(arguments)
      #expect(!result.output.isEmpty && result.messages.isEmpty && result.status == 0, "\(arguments)")
    }
    #expect(try tool.run("help", "fit").output == tool.run("fit", "--help").output)
    #expect(try tool.run("help", "completions").output == tool.run("completions", "--help").output)
  }

  @Test func slipsAreNamed() throws {
    let tool = try Tool()
    let command = try tool.run("predcit", "x")
    #expect(command.messages == "mlm: error: unknown command 'predcit'\nhint: did you mean 'mlm predict'?\n")
    #expect(command.output.isEmpty && command.status == 2)
    let option = try tool.run("fit", "--epcohs", "3", "a.txt")
    #expect(option.messages == "mlm: error: unknown option --epcohs for 'mlm fit'\nhint: did you mean --epochs?\n")
    #expect(option.output.isEmpty && option.status == 2)
    #expect(try tool.run("--quiet", "fit").status == 2)
    #expect(try tool.run("help", "fti").messages.contains("did you mean 'mlm help fit'?"))
  }

  @Test func noFile() throws {
    let result = try Tool().run("fit")
    #expect(result.messages.hasPrefix("mlm: error: no FILE was given\nhint: ") && result.status == 2)
  }

  @Test func messagesStayOnTheirLines() throws {
    let result = try Tool().run("fit", "--epochs", "1\n2\u{1B}[31m", "a")
    #expect(result.messageLines.count == 1)
    #expect(result.messages.contains("1\\n2\\x1b[31m"))
  }

  @Test func fullDisk() throws {
    let result = try Tool().shell("mlm --help > /dev/full")
    #expect(result.messages == "mlm: error: cannot write to standard output: no space left on device\n")
    #expect(result.status == 1)
  }

  @Test func closedOutputIsAnError() throws {
    let result = try Tool().shell("mlm --help >&-")
    #expect(result.messages.hasPrefix("mlm: error: cannot write to standard output") && result.status == 1)
  }

  @Test func closedPipeEndsQuietly() throws {
    let result = try Tool().shell("mlm fit --help | head -1; echo ${PIPESTATUS[0]}")
    #expect(result.messages.isEmpty)
    #expect(result.lines.first == "mlm fit: train on text, write a model directory")
    // If the parent ignores SIGPIPE, the program gets an error instead and is still silent.
    let ignored = try Tool().shell("trap '' PIPE; (sleep 0.2; mlm --help) | true; echo ${PIPESTATUS[0]}")
    #expect(ignored.messages.isEmpty && ignored.output == "141\n")
  }
}
