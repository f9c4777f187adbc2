import CommandLine
import Testing

@testable import Hub
@testable import Text

@testable import Model
@testable import mlm

/// Tests the README.md of a model.
@Suite struct ModelCardTests {
  static func card(validates: Bool = true) -> ModelCard {
    ModelCard(
      name: "my_model", configuration: Configuration(),
      origin: .init(preset: "distil_bert_base_en_uncased", isRandom: false, seed: 7),
      preset: .init(repository: "distilbert/distilbert-base-uncased", languages: ["en"]),
      text: .init(files: ["novels/emma.txt", "-"], lines: 12_345, samples: 12_000),
      validation: validates ? .heldOut(samples: 345) : .none,
      commandLine: "mlm fit --preset distil_bert_base_en_uncased novels/emma.txt -",
      history: HistoryChartTests.curve(epochs: 3, steps: 340, interval: 100, validates: validates).points,
      totalSteps: 1020)
  }

  @Test func snapshot() throws { try Snapshot.expect(Self.card().markdown, is: "model-card.md") }

  @Test func withoutAHead() {
    var card = Self.card()
    card.hasHead = false
    let text = card.markdown
    #expect(!text.contains("fill-mask") && !text.contains("mlm predict") && !text.contains("pipeline"))
    #expect(text.contains("cannot fill masks") && text.contains("mlm fit FILE --preset my_model --output OTHER"))
  }

  @Test func frontMatter() {
    var card = Self.card()
    func head() -> [String] { card.markdown.split(separator: "---\n")[0].split(separator: "\n").map(String.init) }
    #expect(head().contains("base_model: distilbert/distilbert-base-uncased") && head().contains("- en"))
    #expect(!head().contains { $0.hasPrefix("license") })
    card.preset.languages = ["no", "pt-BR"]
    #expect(head().contains("- \"no\"") && head().contains("- pt-BR"))
    card.preset.repository = nil
    #expect(!head().contains { $0.hasPrefix("base_model") })
    card.preset.baseModel = "a/b"
    #expect(head().contains("base_model: a/b"))
    // Random weights have no base model and no language.
    card.origin.isRandom = true
    #expect(!head().contains { $0.hasPrefix("base_model") || $0.hasPrefix("language") })
    #expect(card.markdown.contains("random weights from seed 7"))
    card.origin.isRandom = false
    card.preset.languages = []
    #expect(!head().contains("language:"))
  }

  /// The origin names a learned or given vocabulary instead of the preset's.
  @Test func whatTheTrainingBeganWith() {
    var card = Self.card()
    let preset = "[`distil_bert_base_en_uncased`](https://huggingface.co/distilbert/distilbert-base-uncased)"
    func began() -> String? {
      card.markdown.split(separator: "\n").first { $0.hasPrefix("- **Began") }.map(String.init)
    }
    #expect(began() == "- **Began with**: the weights of \(preset)")
    card.origin.isRandom = true
    #expect(
      began()
        == "- **Began with**: random weights from seed 7, in the architecture and with the vocabulary of \(preset)")
    card.origin.vocabulary = .learned(8000)
    #expect(
      began()
        == "- **Began with**: random weights from seed 7, with a vocabulary of 8,000 word pieces learned from the text, in the architecture of "
        + preset)
    card.origin.vocabulary = .file("a/words_1.txt")
    card.origin.changesSize = true
    #expect(
      began()
        == "- **Began with**: random weights from seed 7, with the vocabulary `words_1.txt`, in another size of the architecture of "
        + preset)
    #expect(card.origin.title == "random weights with the vocabulary words_1.txt")
  }

  /// `info` reads the same origin from training.json.
  @Test func originsOfTrainingFiles() throws {
    func origin(_ line: String) throws -> TrainingOrigin? {
      let options = try FitOptions(
        Parser.parse((line + " a").split(separator: " ").map { Argument(String($0)) }, for: FitOptions.declaration))
      let bytes = options.trainingFile(preset: "p", threads: 1, data: .null)
      let expected = TrainingOrigin(options, preset: "p", pieces: 77)
      let found = try TrainingOrigin(trainingFile: JSONValue.parse(bytes), pieces: 77)
      #expect(found == expected, "\(line)")
      return found
    }
    #expect(try origin("")?.isRandom == false)
    #expect(try origin("--no-load-weights --seed 18446744073709551615")?.seed == .max)
    #expect(try origin("--learn-vocabulary 500 --layers 1")?.vocabulary == .learned(77))
    #expect(try origin("--vocabulary v")?.vocabulary == .file("v"))
    #expect(try origin("--no-load-weights --heads 2")?.changesSize == true)
    for text in [#"{"options": {"preset": "p", "seed": -1, "vocabulary": 3}}"#, #"{"options": {}}"#, "[]"] {
      _ = TrainingOrigin(trainingFile: try JSONValue.parse(Array(text.utf8)), pieces: nil)
    }
  }

  /// The base model in a directory's card appears in the cards of models made from it.
  @Test func cardsOfPresets() throws {
    let tool = try Tool()
    try tool.copyMicro("models--a--b/snapshots/0123")
    try tool.copyMicro("mine")
    try tool.write("---\r\nlanguage: en\r\nbase_model:\r\n- \"x/y\"\r\n---\r\ntext\r\n", to: "mine/README.md")
    let registry = try PresetRegistry.builtIn()
    let snapshot = ModelCard.Preset(tool.path("models--a--b/snapshots/0123/"), in: registry)
    #expect(snapshot.repository == "a/b" && snapshot.languages.isEmpty)
    let mine = ModelCard.Preset(tool.path("mine"), in: registry)
    #expect(mine.repository == nil && mine.baseModel == "x/y" && mine.languages == ["en"])
    #expect(CardMetadata(card: "---\nbase_model: x/y\nlanguage:\n  - de\n  - 'fr'\n---\n").languages == ["de", "fr"])
    #expect(CardMetadata(card: "base_model: x/y\n").baseModel == nil)
    #expect(CardMetadata(card: "---\nbase_model: x/y\n").baseModel == nil)
  }

  @Test func figures() {
    var card = Self.card()
    #expect(card.markdown.contains("| validation loss (step 340 → 1020) | 3.500 | 2.638 |"))
    #expect(card.markdown.contains("| validation perplexity (step 340 → 1020) | 33.1 | 14.0 |"))
    #expect(!card.markdown.contains("stopped after"))
    card.totalSteps = 2000
    #expect(card.markdown.contains("stopped after 1020 of 2,000 steps"))
    card.history.append(.init(row: HistoryRow(.made(step: 1100, validation: .made(loss: 9, accuracy: 0)))))
    #expect(card.markdown.contains("The lowest validation loss was 2.638, at step 1020; the weights are the last"))
    card.weightsStep = 1020
    #expect(card.markdown.contains("The weights are those of step 1020"))
    card.history = [.init(row: HistoryRow(.made(step: 5)), interval: .init(loss: 1, accuracy: 0.5, weight: 1))]
    #expect(card.markdown.contains("| training loss (step 5) |  | 2.000 |"))
    // Without masked tokens, the loss is missing, not 0.
    card.history = [.init(row: HistoryRow(.made(step: 5, loss: .nan, accuracy: .nan, maskedTokens: 0)))]
    #expect(card.markdown.contains("| training loss (step 5) |  | – |"))
    #expect(card.markdown.contains("| validation loss (step 5) |  | – |"))
    card.history = []
    #expect(!card.markdown.contains("| metric"))
    #expect(Self.card(validates: false).markdown.contains("was not evaluated on text"))
  }

  @Test func origins() throws {
    let registry = try PresetRegistry.builtIn()
    func preset(_ name: String) -> ModelCard.Preset { .init(name, in: registry) }
    let base = preset("distil_bert_base_en_uncased")
    #expect(base.repository?.hasSuffix("distilbert-base-uncased") == true && base.languages == ["en"])
    let embedded = preset("distil_bert_tiny_en_uncased")
    #expect(embedded.repository == nil && embedded.languages == ["en"])
    #expect(preset("hf://a/b@main").repository == "a/b" && preset("hf://a/b").repository == "a/b")
    let directory = preset(Tool.micro)
    #expect(directory.repository == nil && directory.languages.isEmpty && directory.baseModel == nil)
  }

  @Test func fileNames() throws {
    let tool = try Tool()
    #expect(ModelCard.fileName(in: tool.path("nothing")) == ("README.md", nil))
    try tool.write(Self.card().markdown, to: "ours/README.md")
    #expect(ModelCard.fileName(in: tool.path("ours")) == ("README.md", nil))
    try tool.write(Self.card().markdown.replacing(ModelCard.mark, with: ""), to: "theirs/README.md")
    #expect(ModelCard.fileName(in: tool.path("theirs")).name == "MODEL_CARD.md")
    try tool.write("", to: "empty/README.md")
    #expect(ModelCard.fileName(in: tool.path("empty")).name == "MODEL_CARD.md")
    try tool.write("", to: "folder/README.md/x")
    #expect(ModelCard.fileName(in: tool.path("folder")).name == "MODEL_CARD.md")
  }

  // MARK: Parts

  @Test func commandLine() throws {
    func text(_ arguments: [String], preset: String? = nil) throws -> String {
      try Parser.parse(arguments.map { Argument($0) }, for: FitOptions.declaration)
        .commandLine(preset: preset)
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

  /// A shell splits the command into the same words.
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
