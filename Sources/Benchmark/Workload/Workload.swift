import Model
import Text

/// The lines that all contestants process, and the masked samples made of them, written once so that all contestants
/// have the same masks.
final class Workload {
  let options: Options
  let store: ModelStore
  /// 512 lines, or the requested number, in random order.
  let lines: [[UInt8]]
  let corpusSource: String
  private let corpusPath: String?
  /// The folder of this run, which is removed at its end.
  let folder: String

  static let longest = 512
  static let trainingBatches = 4

  init(_ options: Options) throws {
    self.options = options
    store = try ModelStore(options)
    let count = max(512, options.lines)
    let shared = options.root + "/../shared/corpus/wikitext2_test.txt"
    corpusPath = options.corpus ?? (Files.exists(shared) ? shared : nil)
    if let corpus = corpusPath {
      let text = try Files.read(corpus)
      var all = text.split(separator: 0x0A).map(Array.init).filter(Self.isParagraph)
      guard !all.isEmpty else { throw BenchmarkError("\(corpus) has no lines of text") }
      var numbers = SeededNumbers(options.seed)
      for last in stride(from: all.count - 1, to: 0, by: -1) { all.swapAt(last, numbers.below(last + 1)) }
      lines = Array(all.prefix(count))
      corpusSource = corpus.split(separator: "/").last.map(String.init) ?? corpus
    } else {
      let text = try Files.read(options.root + "/Scripts/demo-text/train.txt")
      lines = GeneratedText.lines(text, count: count, seed: options.seed)
      corpusSource = "generated"
    }
    Self.removeLeftovers(in: options.cache)
    folder = options.cache + "/run-\(ProcessIdentifier.own)"
    try Files.makeFolder(folder)
  }

  /// Removes the folders of runs that were ended by a signal.
  private static func removeLeftovers(in cache: String) {
    for name in Files.names(in: cache) where name.hasPrefix("run-") {
      if let process = Int32(name.dropFirst(4)), !ProcessIdentifier.isRunning(process) {
        Files.removeFolder(cache + "/" + name)
      }
    }
  }

  func removeFiles() { Files.removeFolder(folder) }

  /// Whether a line is neither empty nor one of WikiText's headings (= … =).
  private static func isParagraph(_ line: [UInt8]) -> Bool {
    guard let first = line.first(where: { $0 != 0x20 }) else { return false }
    return first != UInt8(ascii: "=")
  }

  /// The source of `longText`.
  private(set) var textSource = ""

  /// Returns about the given amount of text in whole lines: `--text`, or the corpus, repeated if it is too short.
  func longText(megabytes: Int) throws -> [UInt8] {
    let text = try options.text.map(Files.read) ?? corpusText()
    let name = options.text ?? corpusPath ?? "demo-text"
    textSource = name.split(separator: "/").last.map(String.init) ?? name
    if text.count < megabytes * 1_000_000 { textSource += ", repeated" }
    var result: [UInt8] = []
    while result.count < megabytes * 1_000_000, !text.isEmpty { result += text }
    let end = result.prefix(megabytes * 1_000_000).lastIndex(of: 0x0A) ?? result.count
    return Array(result[..<end])
  }

  private func corpusText() throws -> [UInt8] {
    try Files.read(corpusPath ?? options.root + "/Scripts/demo-text/train.txt")
  }

  // MARK: Token ids

  /// [CLS] … [SEP] of each line, truncated to the maximum length.
  func tokenLines(_ shape: Shape) throws -> [[Int32]] {
    let tokenizer = try store.tokenizer(shape)
    let special = tokenizer.specialTokens
    return lines.map { line in
      var ids: [Int32] = []
      line.withUnsafeBufferPointer { tokenizer.encode($0, into: &ids) }
      return [special.classification] + ids.prefix(Self.longest - 2) + [special.separator]
    }.filter { $0.count > 2 }
  }

  /// The concatenated lines in samples of an exact length; the text is repeated if it is too short.
  func packed(_ shape: Shape, length: Int, count: Int) throws -> [[Int32]] {
    let special = try store.tokenizer(shape).specialTokens
    let stream = try tokenLines(shape).flatMap { $0.dropFirst().dropLast() }
    let part = length - 2
    return (0..<count).map { sample in
      let tokens = (0..<part).map { stream[(sample * part + $0) % stream.count] }
      return [special.classification] + tokens + [special.separator]
    }
  }

  // MARK: Masked samples

  /// Samples with one masked token each.
  func withOneMask(_ samples: [[Int32]], _ shape: Shape) throws -> [Sample] {
    let mask = try store.tokenizer(shape).specialTokens.mask
    var numbers = SeededNumbers(options.seed &+ 1)
    return samples.map { tokens in
      let position = 1 + numbers.below(tokens.count - 2)
      var masked = tokens
      masked[position] = mask
      return Sample(tokenIDs: masked, maskPositions: [Int32(position)], labels: [tokens[position]])
    }
  }

  /// Samples with 15 % of the tokens masked, as in BERT.
  func withMasks(_ samples: [[Int32]], _ shape: Shape) throws -> [Sample] {
    let special = try store.tokenizer(shape).specialTokens
    let masker = try MaskedLMMaskGenerator(
      vocabularySize: min(shape.vocabulary, store.vocabulary.count), maskTokenID: special.mask,
      unselectableTokenIDs: [special.classification, special.separator, special.padding, special.mask],
      options: MaskingOptions(seed: options.seed))
    return samples.enumerated().map { masker($0.element, index: $0.offset) }
  }

  /// Writes samples as JSON Lines, which every contestant reads, and returns the file's path.
  func write(_ samples: [Sample], _ name: String) throws -> String {
    var writer = JSONWriter()
    for sample in samples {
      writer.append(raw: "{\"token_ids\":")
      Self.append(sample.tokenIDs, to: &writer)
      writer.append(raw: ",\"mask_positions\":")
      Self.append(sample.maskPositions, to: &writer)
      writer.append(raw: ",\"labels\":")
      Self.append(sample.labels, to: &writer)
      writer.append(raw: "}\n")
    }
    let path = folder + "/\(name).jsonl"
    try Files.write(writer.bytes, to: path)
    return path
  }

  private static func append(_ values: [Int32], to writer: inout JSONWriter) {
    writer.append(raw: "[")
    for (index, value) in values.enumerated() {
      if index > 0 { writer.append(raw: ",") }
      writer.append(Int(value))
    }
    writer.append(raw: "]")
  }
}
