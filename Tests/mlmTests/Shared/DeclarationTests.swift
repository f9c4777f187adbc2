import CommandLine
import Testing

@testable import mlm

/// Tests over the table of all options.
@Suite struct DeclarationTests {
  static let all = Command.declarations.flatMap { command in command.options.map { (command.name, $0) } }

  @Test func everyOptionIsExplained() {
    for (command, option) in Self.all {
      #expect(!option.help.isEmpty, "\(command) \(option.name)")
      #expect(!option.help.hasSuffix("."), "\(command) \(option.name)")
      #expect(option.details.isEmpty || option.details.hasSuffix("."), "\(command) \(option.name)")
      #expect((option.kind == nil) == option.valueName.isEmpty, "\(command) \(option.name)")
    }
  }

  @Test func namesAreUniqueAndPlain() {
    for command in Command.declarations {
      let names = command.options.map(\.name)
      #expect(Set(names).count == names.count, "\(command.name)")
      let shorts = command.options.compactMap(\.short)
      #expect(Set(shorts).count == shorts.count, "\(command.name)")
      for name in names {
        #expect(name.utf8.allSatisfy { $0 == 0x2D || (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) })
      }
      #expect(command.option(named: "help") != nil)
    }
  }

  @Test func foreignValuesLeadToValues() {
    for (command, option) in Self.all {
      guard case .choice(let names)? = option.kind else { continue }
      for (foreign, name) in option.foreignValues {
        #expect(
          !names.contains(foreign) && names.contains(name) && foreign == foreign.lowercased(), "\(command) \(foreign)")
      }
    }
  }

  @Test func foreignNamesAreForeignAndUnique() {
    for command in Command.declarations {
      let names = Set(command.options.map(\.name))
      let foreign = command.options.flatMap(\.foreignNames)
      #expect(names.isDisjoint(with: foreign), "\(command.name)")
      #expect(Set(foreign).count == foreign.count, "\(command.name)")
    }
  }

  /// An option has the same meaning in every command.
  @Test func sharedOptionsAgree() {
    var seen: [String: OptionDeclaration] = [:]
    for (command, option) in Self.all where !["format", "batch-size"].contains(option.name) {
      if let other = seen[option.name] {
        #expect(other.help == option.help && other.defaultText == option.defaultText, "\(command) \(option.name)")
      }
      seen[option.name] = option
    }
  }

  @Test func everyOptionOfTheContractIsThere() {
    let shared =
      "preset no-load-weights seed threads sequence-length preprocessed quiet offline strict special-tokens-in-text help"
    let samples = """
      mask-selection-rate mask-selection-length mask-token-rate random-token-rate mask-sampling whole-word-masking mask-unknown \
      samples truncate pairs
      """
    let contract: [(Command, String)] = [
      (
        .fit,
        shared + " " + samples + """
           output overwrite resume keep change-learning-rate freeze epochs max-steps batch-size gradient-accumulation learning-rate optimizer \
          weight-decay beta1 beta2 epsilon schedule warmup-steps warmup-ratio clip-norm loss-reduction dropout \
          freeze-backbone no-shuffle validation validation-split early-stopping checkpoint-every log log-every \
          tensorboard verbose learn-vocabulary vocabulary lowercase cased min-frequency keep-special-ids layers hidden-dim heads \
          intermediate-dim config
          """
      ),
      (
        .predict,
        shared
          + " precision verbose input top-k targets joint min-score unique-words format batch-tokens allow-untrained-head"
      ),
      (
        .evaluate,
        shared + " " + samples
          + " precision against verbose format batch-size pseudo-perplexity pseudo-variant per-sample"
      ),
      (
        .tokenize,
        "preset quiet offline strict help input format add-special-tokens special-tokens-in-text decode"
      ),
      (.info, "preset precision format offline quiet help"),
      (.presets, "format download verify precision export overwrite weights float16 offline quiet help"),
      (.completions, "help"), (.manual, "help"),
    ]
    for (command, names) in contract {
      let expected = Set(names.split(separator: " ").map(String.init))
      #expect(Set(command.declaration.options.map(\.name)) == expected, "\(command)")
    }
  }

  /// Typing a default has the same effect as omitting the option.
  @Test func defaultsInHelpAreTheDefaults() throws {
    let base = try FitOptions(Parser.parse(["a"], for: FitOptions.declaration))
    for option in FitOptions.declaration.options {
      guard let text = option.defaultText, let kind = option.kind else { continue }
      switch kind {
      case .integer, .number, .seed: if Double(text) == nil { continue }
      case .choice: break
      case .directory: break
      default: continue
      }
      let arguments = [Argument("--\(option.name)=\(text)"), "a"]
      #expect(try FitOptions(Parser.parse(arguments, for: FitOptions.declaration)) == base, "\(option.name)")
    }
  }

  @Test func helpFitsIntoEightyColumns() {
    let texts =
      [Help(.mlm).short(), HelpCommand.overview]
      + Command.declarations.flatMap { [Help(.mlm).short($0), Help(.mlm).long($0)] }
    for text in texts {
      for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
      for line in text.split(separator: "\n") { #expect(line.last != " ", "\(line)") }
    }
  }

  @Test func shortHelpHasALineForEachOption() {
    for command in Command.declarations {
      let lines = Help(.mlm).short(command).split(separator: "\n")
      for option in command.options {
        let matching = lines.filter { $0.hasPrefix("  \(option.synopsis)  ") }
        #expect(matching.count == 1, "\(command.name) \(option.name)")
        if let text = option.defaultText { #expect(matching.first?.hasSuffix("[\(text)]") == true, "\(option.name)") }
      }
    }
  }

  @Test(arguments: Command.allCases)
  func snapshots(_ command: Command) throws {
    try Snapshot.expect(Help(.mlm).short(command.declaration), is: "\(command.rawValue)-short.txt")
    try Snapshot.expect(Help(.mlm).long(command.declaration), is: "\(command.rawValue)-long.txt")
  }

  @Test func overviewSnapshots() throws {
    try Snapshot.expect(Help(.mlm).short(), is: "mlm-short.txt")
    try Snapshot.expect(HelpCommand.overview, is: "mlm-long.txt")
  }
}
