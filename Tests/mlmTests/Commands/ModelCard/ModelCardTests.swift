import Testing

@testable import Model
@testable import mlm

/// The README.md of a model.
@Suite struct ModelCardTests {
  static func card(validates: Bool = true) -> ModelCard {
    ModelCard(
      name: "my_model", configuration: Configuration(),
      origin: .init(
        name: "distil_bert_base_en_uncased", repository: "distilbert/distilbert-base-uncased", isRandom: false, seed: 7,
        languages: ["en"]),
      text: .init(files: ["novels/emma.txt", "-"], lines: 12_345, samples: 12_000),
      validation: validates ? .heldOut(samples: 345) : .none,
      commandLine: "mlm fit --preset distil_bert_base_en_uncased novels/emma.txt -",
      history: HistoryPictureTests.curve(epochs: 3, steps: 340, interval: 100, validates: validates).points,
      totalSteps: 1020)
  }

  @Test func snapshot() throws { try Snapshot.expect(Self.card().markdown, is: "model-card.md") }

  @Test func frontMatter() {
    var card = Self.card()
    func head() -> [String] { card.markdown.split(separator: "---\n")[0].split(separator: "\n").map(String.init) }
    #expect(head().contains("base_model: distilbert/distilbert-base-uncased") && head().contains("- en"))
    #expect(!head().contains { $0.hasPrefix("license") })
    card.origin.isRandom = true
    card.origin.languages = ["no", "pt-BR"]
    #expect(!head().contains { $0.hasPrefix("base_model") })
    #expect(head().contains("- \"no\"") && head().contains("- pt-BR"))
    #expect(card.markdown.contains("random weights from seed 7"))
    card.origin.languages = []
    #expect(!head().contains("language:"))
  }

  @Test func figures() {
    var card = Self.card()
    #expect(card.markdown.contains("| validation loss (step 340 → 1020) | 3.5000 | 2.6385 |"))
    #expect(card.markdown.contains("| validation perplexity (step 340 → 1020) | 33.1 | 14.0 |"))
    #expect(!card.markdown.contains("ended after"))
    card.totalSteps = 2000
    #expect(card.markdown.contains("ended after 1020 of 2,000 steps"))
    card.history.append(.init(row: HistoryRow(.made(step: 1100, validation: .made(loss: 9, accuracy: 0)))))
    #expect(card.markdown.contains("The best validation loss was 2.6385, after step 1020; the weights are the last"))
    card.weightsStep = 1020
    #expect(card.markdown.contains("The weights are those after step 1020"))
    card.history = [.init(row: HistoryRow(.made(step: 5)), interval: .init(loss: 2, accuracy: 0.5, weight: 1))]
    #expect(card.markdown.contains("| training loss (step 5) |  | 2.0000 |"))
    card.history = []
    #expect(!card.markdown.contains("| figure"))
    #expect(Self.card(validates: false).markdown.contains("nothing was measured"))
  }

  @Test func origins() throws {
    let registry = try PresetRegistry.builtIn()
    func origin(_ name: String, loadsWeights: Bool = true) -> ModelCard.Origin {
      .init(name, in: registry, loadsWeights: loadsWeights, seed: 3)
    }
    let base = origin("distil_bert_base_en_uncased")
    #expect(base.repository?.hasSuffix("distilbert-base-uncased") == true && base.languages == ["en"])
    #expect(!base.isRandom && origin("distil_bert_base_en_uncased", loadsWeights: false).isRandom)
    let embedded = origin("distil_bert_tiny_en_uncased")
    #expect(!embedded.isRandom && embedded.repository == nil && embedded.languages == ["en"])
    #expect(origin("hf://a/b@main").repository == "a/b" && origin("hf://a/b").repository == "a/b")
    let directory = origin(Tool.micro)
    #expect(directory.repository == nil && directory.languages.isEmpty && !directory.isRandom)
  }

  @Test func place() throws {
    let tool = try Tool()
    #expect(ModelCard.place(in: tool.path("nothing")) == ("README.md", nil))
    try tool.write(Self.card().markdown, to: "ours/README.md")
    #expect(ModelCard.place(in: tool.path("ours")) == ("README.md", nil))
    try tool.write(Self.card().markdown.replacing(ModelCard.mark, with: ""), to: "theirs/README.md")
    #expect(ModelCard.place(in: tool.path("theirs")).name == "MODEL_CARD.md")
    try tool.write("", to: "empty/README.md")
    #expect(ModelCard.place(in: tool.path("empty")).name == "MODEL_CARD.md")
    try tool.write("", to: "folder/README.md/x")
    #expect(ModelCard.place(in: tool.path("folder")).name == "MODEL_CARD.md")
  }

  // MARK: Parts

  @Test func commandLine() throws {
    func text(_ arguments: [String], preset: String? = nil) throws -> String {
      try Parser.parse(arguments.map { Argument($0) }, for: FitOptions.declaration)
        .commandLine(leavingOut: ["quiet"], preset: preset)
    }
    #expect(
      try text(["a b.txt", "--epochs=3", "--quiet", "--no-shuffle", "it's"])
        == "mlm fit --epochs 3 --no-shuffle 'a b.txt' 'it'\\''s'")
    #expect(try text(["a"], preset: "p q") == "mlm fit --preset 'p q' a")
    #expect(try text(["--preset", "x", "a"], preset: "y") == "mlm fit --preset x a")
    #expect(try text(["--output=-o", "--", "-x", "-"]) == "mlm fit --output=-o -- -x -")
    #expect(try text(["a\nb'\u{1}"]) == "mlm fit $'a\\nb\\'\\x01'")
    #expect(try text(["--learning-rate", "1e-3", "$HOME"]) == "mlm fit --learning-rate 1e-3 '$HOME'")
  }

  /// A shell makes the same words of it.
  @Test func shellReadsItBack() throws {
    let tool = try Tool()
    let words = [
      "a b", "it's", "$x `y` \\", "\"", "tab\there", "line\nbreak'\\", "ä€😀", "*", "#a", "~", "!x", "a\u{7F}",
    ]
    for word in words {
      let result = try tool.shell("printf '%s' \(ShellText.quoted(word))")
      #expect(result.output == word && result.status == 0, "\(word) \(result.messages)")
    }
  }

  @Test func markdown() {
    #expect(Markdown.code("a`b") == "``a`b``" && Markdown.code("`") == "`` ` ``" && Markdown.code("a\nb") == "`a\\nb`")
    #expect(Markdown.escaped("a_b*c\n<d>") == "a\\_b\\*c\\\\n\\<d\\>")
    #expect(Markdown.block("a ``` b", language: "sh") == "````sh\na ``` b\n````")
    let quoted = ["en", "\"no\"", "\"1\"", "\"a: b\"", "x/y-z.1"]
    #expect(["en", "no", "1", "a: b", "x/y-z.1"].map(Markdown.yaml) == quoted)
  }
}
