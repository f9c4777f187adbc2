import CommandLine
import Hub
import Model
import Text

/// The output of `mlm info`, as text and as JSON.
struct ModelInformation {
  enum Head: String {
    /// The files contain the whole head.
    case trained
    /// The files contain no head, so `predict` refuses the model until `fit` has trained it.
    case missing
    /// The weights are not available locally.
    case noWeights = "no weights"
    case unreadable
  }

  let preset: ResolvedPreset
  /// The configuration, adapted to the weights if they are available locally.
  let configuration: Configuration
  /// nil if there is no vocabulary.
  let tokenizer: WordPieceTokenizer?
  let head: Head
  let files: [ModelFile]
  let past: TrainingPast
  let computation: ComputationSummary

  /// The number of rows of the history to show.
  static let shownRows = 5

  init(
    _ preset: ResolvedPreset, _ configuration: Configuration, tokenizer: WordPieceTokenizer?, head: Head,
    files: [ModelFile], past: TrainingPast, computation: ComputationSummary
  ) {
    (self.preset, self.configuration, self.tokenizer, self.head) = (preset, configuration, tokenizer, head)
    (self.files, self.past, self.computation) = (files, past, computation)
  }

  private var summary: ModelSummary { ModelSummary(configuration) }

  // MARK: Text

  var text: String {
    var lines = [Printable.oneLine(preset.displayName)]
    var facts = Table([.left, .left], indent: "  ")
    let sizes = configuration
    facts.rows = [
      ["location", Printable.oneLine(location)],
      [
        "architecture",
        "\(Count.text(sizes.numLayers, "layer")), \(Count.grouped(sizes.hiddenDim)) wide, "
          + "\(Count.text(sizes.numHeads, "head")), feed-forward \(Count.grouped(sizes.intermediateDim)) wide, "
          + "\(Count.text(sizes.maxSequenceLength, "position")), \(sizes.activation.rawValue), "
          + "dropout \(NumberText.short(Double(FloatText.shortest(sizes.dropout)) ?? 0))",
      ],
      ["head", headText],
      ["vocabulary", Printable.oneLine(vocabularyText)],
      ["computation", computation.description],
    ]
    facts.rows += computation.notes.map { ["", $0] }
    lines += facts.lines()
    lines += ["", "Parameters:"] + summary.description.split(separator: "\n").dropFirst().map(String.init)
    lines += ["", "Files:"] + fileLines
    if let run = past.run { lines += ["", "Training:"] + runLines(run) }
    if !past.history.isEmpty { lines += ["", historyTitle] + historyLines }
    return lines.joined(separator: "\n") + "\n"
  }

  private var location: String {
    switch preset.source {
    case .directory(let path): path == preset.displayName ? "a model directory" : "the directory \(path)"
    case .embedded: "built into the program"
    case .hub(let address, let directory):
      "\(address.repository)@\(address.revision) on the hub, cached in \(directory)"
    }
  }

  private var headText: String {
    switch head {
    case .trained: configuration.tiesWeights ? "trained" : "trained, with a separate output matrix"
    case .missing: "missing; run fit before predict"
    case .noWeights: "unknown: the weights are not available locally"
    case .unreadable: "unknown: the weights cannot be read"
    }
  }

  private var vocabularyText: String {
    guard let tokenizer else { return "none" }
    let pieces = Count.text(tokenizer.vocabulary.count, "word piece")
    let special = tokenizer.specialTokens.named.map { "\($0.content) \($0.id)" }.joined(separator: ", ")
    return "\(pieces), \(tokenizer.options.lowercase ? "lowercase" : "case kept"); \(special)"
  }

  private var fileLines: [String] {
    var table = Table([.left, .right, .left], indent: "  ")
    table.rows = files.map { [Printable.oneLine($0.name), Count.bytes($0.size), $0.sha256] }
    return files.isEmpty ? ["  none"] : table.lines()
  }

  private func runLines(_ run: JSONValue) -> [String] {
    let names = run["files"]?.array?.compactMap(\.string) ?? []
    let origin = TrainingOrigin(trainingFile: run, pieces: tokenizer?.vocabulary.count)
    let began = origin.map { $0.isRandom ? $0.text(preset: $0.preset) : $0.preset } ?? "?"
    let version = run["versions"]?["mlm"]?.string ?? "?"
    let lines = ["  from \(began), on \(FileName.list(names)), by mlm \(version); all options are in training.json"]
    return lines.map { Printable.oneLine($0) }
  }

  private var historyTitle: String {
    let count = past.history.count
    return count > Self.shownRows
      ? "History (the last \(Self.shownRows) of \(Count.text(count, "row"))):" : "History:"
  }

  private var historyLines: [String] {
    var table = Table([.right, .right, .right, .right, .right, .right, .right], indent: "  ")
    table.rows = [["epoch", "step", "loss", "accuracy", "learning rate", "val loss", "val accuracy"]]
    func figure(_ value: Double?) -> String { value.map { FloatText.significant($0, digits: 4) } ?? "-" }
    func percent(_ value: Double?) -> String { value.map { Readable.percent($0) } ?? "-" }
    table.rows += past.history.suffix(Self.shownRows).map {
      [
        String($0.epoch), Count.grouped($0.step), figure($0.loss), percent($0.accuracy), figure($0.learningRate),
        figure($0.validationLoss), percent($0.validationAccuracy),
      ]
    }
    return table.lines()
  }

  // MARK: JSON

  var json: [UInt8] {
    JSONValue.object([
      ("preset", .string(preset.displayName)), ("source", .string(sourceName)),
      ("directory", preset.directory.map { .string($0) } ?? .null),
      ("repository", address.map { .string($0.repository) } ?? .null),
      ("revision", address.map { .string($0.revision) } ?? .null),
      ("architecture", architecture), ("head", .string(head.rawValue)), ("parameters", parameters),
      ("vocabulary", vocabulary), ("computation", computationJSON), ("files", .array(files.map(Self.json))),
      ("training", past.run ?? .null),
      ("history", history),
    ]).serialized(.indented(2), endingInNewline: true, withPaths: true)
  }

  private var sourceName: String {
    switch preset.source {
    case .directory: "directory"
    case .embedded: "embedded"
    case .hub: "hub"
    }
  }

  private var address: HubAddress? { if case .hub(let address, _) = preset.source { address } else { nil } }

  /// The names of KerasHub's backbone.
  private var architecture: JSONValue {
    let sizes = configuration
    func rate(_ value: Float) -> JSONValue { .number(Double(value), literal: FloatText.shortest(value)) }
    return .object([
      ("vocabulary_size", .number(sizes.vocabularySize)), ("num_layers", .number(sizes.numLayers)),
      ("num_heads", .number(sizes.numHeads)), ("hidden_dim", .number(sizes.hiddenDim)),
      ("intermediate_dim", .number(sizes.intermediateDim)),
      ("max_sequence_length", .number(sizes.maxSequenceLength)), ("dropout", rate(sizes.dropout)),
      ("attention_dropout", rate(sizes.attentionDropout)), ("activation", .string(sizes.activation.rawValue)),
    ])
  }

  private var parameters: JSONValue {
    func json(_ layer: ModelSummary.Layer) -> JSONValue {
      var members: [(key: String, value: JSONValue)] = [
        ("name", .string(layer.name)), ("type", .string(layer.type)),
        ("output_shape", .array(layer.outputShape.map { $0.map { .number($0) } ?? .null })),
        ("parameters", .number(layer.parameterCount)),
      ]
      if !layer.parts.isEmpty { members.append(("layers", .array(layer.parts.map(json)))) }
      return .object(members)
    }
    return .object([
      ("total", .number(summary.parameterCount)), ("backbone", .number(configuration.backboneParameterCount)),
      ("shared_by_head", .number(summary.sharedParameterCount)), ("layers", .array(summary.layers.map(json))),
    ])
  }

  private var vocabulary: JSONValue {
    guard let tokenizer else { return .null }
    return .object([
      ("word_pieces", .number(tokenizer.vocabulary.count)), ("lowercase", .bool(tokenizer.options.lowercase)),
      ("special_tokens", .object(tokenizer.specialTokens.named.map { (key: $0.content, value: .number(Int($0.id))) })),
    ])
  }

  private var computationJSON: JSONValue {
    let parts = computation.parts.map { part -> (key: String, value: JSONValue) in
      (part.name, .object([("format", .string(part.format.rawValue)), ("instructions", .string(part.instructions))]))
    }
    return .object(
      [("precision", .string(computation.precision.rawValue))] + parts
        + [("notes", .array(computation.notes.map { .string($0) }))])
  }

  private static func json(_ file: ModelFile) -> JSONValue {
    .object([("name", .string(file.name)), ("size", .number(file.size)), ("sha256", .string(file.sha256))])
  }

  private var history: JSONValue {
    guard !past.history.isEmpty else { return .null }
    func number(_ value: Double?) -> JSONValue {
      guard let value, value.isFinite else { return .null }
      return .number(value, literal: FloatText.significant(value, digits: 9))
    }
    let rows = past.history.suffix(Self.shownRows).map { row -> JSONValue in
      .object([
        ("epoch", .number(row.epoch)), ("step", .number(row.step)), ("samples", .number(row.samples)),
        ("tokens", .number(row.tokens)), ("loss", number(row.loss)), ("accuracy", number(row.accuracy)),
        ("learning_rate", number(row.learningRate)), ("val_loss", number(row.validationLoss)),
        ("val_accuracy", number(row.validationAccuracy)), ("seconds", number(row.seconds)),
      ])
    }
    return .object([("rows", .number(past.history.count)), ("last", .array(rows))])
  }
}
