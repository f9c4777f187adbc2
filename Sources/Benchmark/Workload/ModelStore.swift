import Model

/// Models with random weights, made once and kept in the cache, and their vocabulary.
struct ModelStore {
  let options: Options
  let vocabulary: Vocabulary
  /// The source of the vocabulary, for the report.
  let vocabularySource: String

  init(_ options: Options) throws {
    self.options = options
    let candidates = [
      options.vocabulary, options.model.map { $0 + "/vocab.txt" },
      Environment["MLM_REFERENCE"].map { $0 + "/vocab/bert_base_uncased.txt" },
      options.root + "/../shared/reference/vocab/bert_base_uncased.txt",
    ].compactMap { $0 }
    if let given = options.vocabulary ?? options.model.map({ $0 + "/vocab.txt" }), !Files.exists(given) {
      throw BenchmarkError("missing \(given)", hint: "give a vocab.txt with 30,522 lines, or omit the option")
    }
    if let path = candidates.first(where: Files.exists) {
      vocabulary = try Vocabulary(vocabTXT: try Files.read(path), file: path)
      vocabularySource = path.split(separator: "/").last.map(String.init) ?? path
    } else {
      let text = try Files.read(options.root + "/Scripts/demo-text/train.txt")
      vocabulary = try Vocabulary(pieces: GeneratedText.pieces(text, count: Shape.base.vocabulary))
      vocabularySource = "generated"
    }
  }

  /// The tokenizer of a model. The small model has only the first word pieces.
  func tokenizer(_ shape: Shape) throws -> WordPieceTokenizer {
    let count = min(shape.vocabulary, vocabulary.count)
    guard count < vocabulary.count else { return try WordPieceTokenizer(vocabulary: vocabulary) }
    return try WordPieceTokenizer(vocabulary: Vocabulary(pieces: (0..<count).map(vocabulary.piece)))
  }

  /// The directory of a model, which is created if missing.
  func directory(_ shape: Shape) throws -> String {
    if let model = options.model, shape.name == Shape.base.name { return model }
    let hash = vocabulary.vocabTXT.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    let folder = options.cache + "/models"
    let path = folder + "/\(shape.name)-\(String(hash, radix: 36).prefix(8))"
    if Files.exists(path + "/model.safetensors"),
      try DistilBertMaskedLM.fromPreset(path, preprocessor: nil, threads: 1, hub: .offline).hasTrainedHead
    {
      return path
    }
    try Files.makeFolder(folder)
    Words.note("creating a model with random weights: \(path)")
    let tokenizer = try tokenizer(shape)
    let preprocessor = try DistilBertMaskedLMPreprocessor(tokenizer: tokenizer)
    let model = try DistilBertMaskedLM(configuration: shape.configuration, preprocessor: preprocessor, seed: 1)
    // Only a trained head is saved. Without it, each contestant would have a random head of its own.
    let special = tokenizer.specialTokens
    let sample = Sample(
      tokenIDs: [special.classification, special.mask, special.separator], maskPositions: [1], labels: [special.mask])
    model.compile(optimizer: .adam(learningRate: 1e-5))
    try model.fit(SampleList([sample]), options: TrainingOptions(epochs: 1, maximumSteps: 1, batchSize: 1))
    try model.save(to: path, overwrite: true)
    return path
  }

  /// The sizes of the base model, or of the given model.
  func baseShape() throws -> Shape {
    guard let path = options.model else { return .base }
    let model = try DistilBertMaskedLM.fromPreset(path, preprocessor: nil, threads: 1, hub: .offline)
    return Shape(name: Shape.base.name, model.configuration)
  }
}

/// Generates a vocabulary and lines for a machine that has only this repository.
enum GeneratedText {
  /// Special tokens, characters, the words of a text by frequency, and names that occur in no text.
  static func pieces(_ text: [UInt8], count: Int) -> [String] {
    let characters = (0x21..<0x7F).filter { !(0x41...0x5A).contains($0) }.map { String(UnicodeScalar(UInt8($0))) }
    var pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + characters + characters.map { "##" + $0 }
    var frequencies: [String: Int] = [:]
    for word in text.split(whereSeparator: { !isLetter($0) }) {
      frequencies[String(decoding: word.map { $0 | 0x20 }, as: UTF8.self), default: 0] += 1
    }
    let known = Set(pieces)
    let words = frequencies.filter { !known.contains($0.key) && $0.key.utf8.count < 100 }
      .sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map(\.key)
    pieces += words.prefix(max(0, count - pieces.count))
    var number = 0
    while pieces.count < count {
      pieces.append("[unused\(number)]")
      number += 1
    }
    return pieces
  }

  /// The text split into lines whose lengths are distributed approximately as those of WikiText's paragraphs.
  static func lines(_ text: [UInt8], count: Int, seed: UInt64) -> [[UInt8]] {
    // Words per line at the quantiles 0, 10, 25, 50, 75, 90 and 100 %.
    let quantiles: [Double] = [3, 11, 45, 97, 146, 205, 400]
    let shares: [Double] = [0, 0.10, 0.25, 0.50, 0.75, 0.90, 1]
    let words = text.split { $0 == 0x20 || $0 == 0x0A }
    guard !words.isEmpty else { return [] }
    var numbers = SeededNumbers(seed)
    var place = 0
    return (0..<count).map { _ in
      let share = numbers.uniform()
      let step = max(1, shares.firstIndex { $0 > share } ?? 6)
      let part = (share - shares[step - 1]) / (shares[step] - shares[step - 1])
      let length = Int(quantiles[step - 1] + part * (quantiles[step] - quantiles[step - 1]))
      var line: [UInt8] = []
      for index in 0..<length { line += (index == 0 ? [] : [0x20]) + words[(place + index) % words.count] }
      place += length
      return line
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
}
