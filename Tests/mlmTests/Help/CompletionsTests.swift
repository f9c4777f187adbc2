import CommandLine
import Foundation
import Testing

@testable import mlm

@Suite struct CompletionsTests {
  static func script(_ shell: Completions.Shell) throws -> String { try Completions.standard().script(for: shell) }

  @Test(arguments: Completions.Shell.allCases)
  func snapshots(_ shell: Completions.Shell) throws {
    try Snapshot.expect(Self.script(shell), is: "completions.\(shell.rawValue)")
  }

  @Test(arguments: Completions.Shell.allCases)
  func theToolPrintsThem(_ shell: Completions.Shell) throws {
    let result = try Tool().succeed(["completions", shell.rawValue])
    #expect(result.output == (try Self.script(shell)) && result.messages.isEmpty)
    // No user configuration is needed or read.
    let spoilt = try Tool().run(["completions", shell.rawValue], environment: ["MLM_PRESETS": "/nonexistent"])
    #expect(spoilt.output == result.output && spoilt.status == 0)
  }

  @Test func everyOptionIsThere() throws {
    let (bash, zsh, fish) = (try Self.script(.bash), try Self.script(.zsh), try Self.script(.fish))
    for (command, option) in DeclarationTests.all {
      let name = option.spelling
      #expect(bash.contains(" \(name) ") || bash.contains("='\(name) "), "\(command) \(name)")
      #expect((option.kind != nil) == bash.contains("'\(command) \(name)'"), "\(command) \(name)")
      #expect(zsh.contains("\(name)\(option.kind == nil ? "" : "=")["), "\(command) \(name)")
      #expect(fish.contains("'__mlm_command \(command)'") && fish.contains(" -l \(option.name) "), "\(command) \(name)")
    }
  }

  /// Runs bash's completion for the words of a line, as if Tab was pressed, and returns the candidates.
  @Test(arguments: [
    ("pre", "predict presets", ""), ("--v", "--version", ""), ("fit --epo", "--epochs", ""),
    ("predict --format |t", "text tsv", ""), ("predict --format = |t", "text tsv", ""),
    ("predict --format |=", "text json tsv fill", ""), ("predict |--format=t", "--format=text --format=tsv", ""),
    ("evaluate --format |", "text json", ""), ("evaluate --schedule |x", "", "default"),
    ("fit --preset |distil_bert_tiny", "distil_bert_tiny_en_uncased", "plusdirs"), ("fit --output |x", "", "plusdirs"),
    ("fit --validation |x", "", "default"), ("fit |x", "", "default"), ("fit --epochs |x", "", ""),
    ("fit --overwrite |x", "", "default"), ("predict |x", "", ""), ("predict --input |x", "", "default"),
    ("fit -- |--", "", "default"), ("predict -- |--", "", ""),
    ("presets --verify |distil_bert_base_m", "distil_bert_base_multi", "plusdirs"),
    ("completions |", "bash zsh fish", ""), ("completions |f", "fish", ""), ("help |pred", "predict", ""),
    ("manual |--he", "--help", ""), ("nonsense |--", "", ""),
  ])
  func bash(_ line: String, _ words: String, _ option: String) throws {
    // The bar marks the word to complete, which is the last one.
    let typed = line.split(separator: " ", omittingEmptySubsequences: false).map {
      ShellText.quoted($0.replacingOccurrences(of: "|", with: ""))
    }
    let result = try Tool().shell(
      """
      source <(mlm completions bash)
      compopt() { echo "$2" >&2; }
      COMP_WORDS=(mlm \(typed.joined(separator: " "))) COMP_CWORD=\(typed.count)
      _mlm
      echo "${COMPREPLY[*]}"
      """)
    #expect(result.output == words + "\n", "\(line)")
    #expect(result.messages == (option.isEmpty ? "" : option + "\n"), "\(line)")
  }
}
