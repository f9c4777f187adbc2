import Foundation
import Testing

/// Tests `mlm fit` with another vocabulary or architecture, from outside.
@Suite struct NewModelTests {
  static let size = ["--layers", "1", "--hidden-dim", "32", "--heads", "2"]

  static func tool() throws -> Tool {
    let tool = try Tool()
    let words = ["Katze", "Hündin", "Fuchs", "Henne", "Kuh", "Eule"]
    let lines = (0..<60).map {
      "Die \(words[$0 % 6]) Nummer \($0) saß neben der \(words[($0 * 5 + 1) % 6]) und schwieg."
    }
    try tool.write(lines.joined(separator: "\n") + "\n", to: "text.txt")
    return tool
  }

  static func vocabulary(_ tool: Tool, _ directory: String) throws -> [String] {
    String(decoding: try tool.read("\(directory)/vocab.txt"), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  static func configuration(_ tool: Tool, _ directory: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: tool.read("\(directory)/config.json")) as? [String: Any])
  }

  @Test func learnedVocabulary() throws {
    let tool = try Self.tool()
    let result = try tool.succeed(["fit", "text.txt", "--learn-vocabulary", "300", "--threads", "2"] + Self.size)
    #expect(
      result.messageLines.contains {
        $0.hasPrefix("mlm: note: learned ") && $0.contains(" word pieces from 660 words, 7")
      })
    let pieces = try Self.vocabulary(tool, "mlm-model")
    #expect(Array(pieces.prefix(5)) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    #expect(pieces.contains("hundin") && pieces.contains("nummer") && !pieces.contains { $0.hasPrefix("[unused") })
    let configuration = try Self.configuration(tool, "mlm-model")
    #expect(configuration["vocab_size"] as? Int == pieces.count && configuration["dim"] as? Int == 32)
    #expect(configuration["n_layers"] as? Int == 1 && configuration["hidden_dim"] as? Int == 128)
    #expect(
      try tool.succeed(["tokenize", "--preset", "mlm-model", "--format", "tokens", "DIE HÜNDIN schwieg."]).output
        == "die hundin schwieg .\n")
    // The number of threads does not change the pieces.
    try tool.succeed(["fit", "text.txt", "--learn-vocabulary", "300", "--threads", "1", "--output", "b"] + Self.size)
    #expect(try Self.vocabulary(tool, "b") == pieces)
  }

  /// N pieces in addition to the special tokens, which have the preset's ids only with --keep-special-ids.
  @Test func asManyPiecesAsWereAskedFor() throws {
    let tool = try Self.tool()
    let words = (0..<200).map { "w\($0)ed" }.joined(separator: " ")
    try tool.write("\(words)\n\(words)\n", to: "text.txt")
    let fit =
      ["fit", "text.txt", "--learn-vocabulary", "150", "--quiet", "--max-steps", "1", "--overwrite"] + Self.size
    try tool.succeed(fit)
    let pieces = try Self.vocabulary(tool, "mlm-model")
    #expect(try pieces.count == 155 && Self.configuration(tool, "mlm-model")["vocab_size"] as? Int == 155)
    try tool.succeed(fit + ["--keep-special-ids"])
    let kept = try Self.vocabulary(tool, "mlm-model")
    #expect(kept.count == 254 && kept.firstIndex(of: "[UNK]") == 100 && kept.firstIndex(of: "[MASK]") == 103)
    #expect(kept[1] == "[unused0]" && kept[99] == "[unused98]" && Array(kept[104...]) == Array(pieces[5...]))
    // The ids are those of the preset.
    try tool.succeed(fit + ["--keep-special-ids", "--preset", Tool.micro])
    #expect(try Self.vocabulary(tool, "mlm-model")[..<5] == pieces[..<5])
  }

  /// Notes say how case and accents are treated and why; a warning says how many words are merged.
  @Test func caseAndAccents() throws {
    let tool = try Self.tool()
    func messages(_ options: String...) throws -> [String] {
      let fit = ["fit", "text.txt", "--learn-vocabulary", "300", "--max-steps", "1", "--overwrite"] + Self.size
      let lines = try tool.succeed(fit + options).messageLines
      return lines.filter { $0.contains("accents") }
    }
    try tool.write(String(repeating: "Die die Hündin hundin saß neben der der Kuh\n", count: 40), to: "text.txt")
    let merged =
      "mlm: warning: 25.0 % of the 8 distinct words become equal to others (lowercase, accents removed); --cased keeps them distinct"
    let tiny = "distil_bert_tiny_en_uncased"
    #expect(
      try messages() == [
        "mlm: note: vocabulary: lowercase, accents removed, as in \(tiny); --cased keeps case and accents", merged,
      ])
    #expect(
      try messages("--lowercase") == [
        "mlm: note: vocabulary: lowercase, accents removed, by --lowercase", merged,
      ])
    #expect(try messages("--cased") == ["mlm: note: vocabulary: case kept, accents kept, by --cased"])
    try tool.write(String(repeating: "die kuh\n", count: 40), to: "text.txt")
    #expect(try messages().count == 1)
  }

  @Test func casedVocabularyFromAPipe() throws {
    let tool = try Self.tool()
    let result = try tool.shell(
      "cat text.txt | mlm fit - --learn-vocabulary 300 --cased --min-frequency 5 --quiet \(Self.size.joined(separator: " "))"
    )
    #expect(result.status == 0 && result.messages.isEmpty, "\(result.messages)")
    let pieces = try Self.vocabulary(tool, "mlm-model")
    #expect(pieces.contains("Hündin") && !pieces.contains("hundin"))
    #expect(
      try tool.succeed(["tokenize", "--preset", "mlm-model", "--format", "tokens", "Die Hündin"]).output
        == "Die Hündin\n")
  }

  @Test func givenVocabulary() throws {
    let tool = try Self.tool()
    let pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Die", "und", "der"]
    try tool.write(pieces.joined(separator: "\n"), to: "own.txt")
    try tool.succeed(["fit", "text.txt", "--vocabulary", "own.txt"] + Self.size)
    #expect(try Self.vocabulary(tool, "mlm-model") == pieces)
    // A piece has a capital letter, so the text keeps its case.
    #expect(
      try tool.succeed(["tokenize", "--preset", "mlm-model", "--format", "tokens", "Die die"]).output == "Die [UNK]\n")
    try tool.succeed(["fit", "text.txt", "--vocabulary", "own.txt", "--lowercase", "--overwrite"] + Self.size)
    #expect(
      try tool.succeed(["tokenize", "--preset", "mlm-model", "--format", "tokens", "UND"]).output == "und\n")
    try tool.expectError(
      ["fit", "text.txt", "--vocabulary", "none.txt", "--output", "x"], "none.txt: no such file or directory")
    try tool.write("[PAD]\n[UNK]\n", to: "bad.txt")
    try tool.expectError(
      ["fit", "text.txt", "--vocabulary", "bad.txt", "--output", "x"],
      "the vocabulary has no classification token '[CLS]' [bad.txt]")
  }

  @Test func anotherSize() throws {
    let tool = try Self.tool()
    let fit = ["fit", "text.txt", "--preset", Tool.micro]
    try tool.succeed(fit + ["--no-load-weights", "--layers", "3"])
    #expect(try Self.configuration(tool, "mlm-model")["n_layers"] as? Int == 3)
    let result = try tool.succeed(fit + ["--learn-vocabulary", "250", "--output", "b"])
    #expect(result.messageLines.contains { $0.hasSuffix("do not fit a new vocabulary") })
    let refused = try tool.run(fit + ["--layers", "3", "--output", "c"])
    refused.expectError("the preset's weights do not fit another size", hint: "--no-load-weights", status: 2)
    try tool.run(fit + ["--learn-vocabulary", "250", "--heads", "5", "--output", "c"]).expectError(
      "width 32 is not a multiple of 5 attention heads", hint: "--hidden-dim", status: 2)
    try tool.run(fit + ["--learn-vocabulary", "9", "--output", "c"]).expectError(
      "a vocabulary of 9 word pieces is too small: the minimum is 10")
    #expect(!tool.names().contains("c"))
  }

  /// A resumed training keeps the vocabulary that was learned first.
  @Test func resumed() throws {
    let tool = try Self.tool()
    let fit = ["fit", "text.txt", "--learn-vocabulary", "300", "--batch-size", "10"] + Self.size
    try tool.succeed(fit + ["--epochs", "3", "--output", "whole"])
    try tool.succeed(fit + ["--epochs", "1"])
    try tool.succeed(fit + ["--epochs", "3", "--resume"])
    for file in ["model.safetensors", "vocab.txt", "config.json"] {
      #expect(try tool.read("mlm-model/\(file)") == tool.read("whole/\(file)"))
    }
    try tool.run(["fit", "text.txt", "--learn-vocabulary", "301", "--batch-size", "10", "--resume"] + Self.size)
      .expectError("cannot resume: --learn-vocabulary changed from 300 to 301")
  }
}
