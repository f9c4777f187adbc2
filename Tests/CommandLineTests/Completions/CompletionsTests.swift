import Foundation
import Testing

@testable import CommandLine

@Suite struct CompletionsTests {
  /// Characters in help do not end a word of the script.
  @Test(arguments: Completions.Shell.allCases)
  func anyTextIsQuoted(_ shell: Completions.Shell) throws {
    let text = "it's [a] \"b\" \\ $x: `y`"
    let option = OptionDeclaration("x", kind: .choice(["a", "b"]), valueName: "N:'", group: .general, help: text)
    let command = CommandDeclaration(
      program: "sample", name: "do", summary: text, operands: .files, options: [option])
    let program = Program(
      name: "sample", summary: text, version: .init(number: "1", date: ""), commands: [command], options: [],
      conventions: "", examples: [], exitStatuses: [], more: ("", ""))
    let completions = Completions(program, catalogues: [(.jewels, [.init(word: "p", meaning: text)])])
    let (status, messages) = try check(completions.script(for: shell), with: shell.rawValue)
    #expect(status == 0 && messages.isEmpty, "\(messages)")
  }

  @Test(arguments: Completions.Shell.allCases)
  func cataloguesAreOffered(_ shell: Completions.Shell) {
    let completions = Completions(Sample.program, catalogues: [(.jewels, [.init(word: "ruby", meaning: "red")])])
    let script = completions.script(for: shell)
    #expect(script.contains("ruby") && (shell == .bash || script.contains("sample_jewels")))
  }

  /// Lets the shell read the script if it is installed; zsh and fish often are not.
  private func check(_ script: String, with shell: String) throws -> (status: Int32, messages: String) {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("completions-\(UUID().uuidString)")
    try Data(script.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "command -v \(shell) > /dev/null || exit 0; exec \(shell) -n \"$0\"", file.path]
    process.standardError = pipe
    try process.run()
    let messages = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: messages, as: UTF8.self))
  }
}
