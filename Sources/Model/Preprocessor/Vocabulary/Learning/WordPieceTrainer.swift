import Files

/// Learns a WordPiece vocabulary from text (tokenizers: `WordPieceTrainer`; KerasHub: `compute_word_piece_vocabulary`).
///
///     let (vocabulary, _) = try WordPieceTrainer(pieces: 8192).train(files: ["novels.txt"])
///
/// Words are normalized, split and counted as by the tokenizer. Pieces are then learned as in the tokenizers library,
/// by byte-pair encoding over characters: beginning with the alphabet, the most frequent pair of neighboring pieces
/// becomes a piece. The result depends only on the text and the settings, not on the number of threads.
///
/// The vocabulary begins with the special tokens, by default [PAD], [UNK], [CLS], [SEP], [MASK]. The characters follow
/// (and, if they are a small share, all of ASCII and common typography, whether or not they are in the text), then the
/// characters' `##` forms, and the merged pieces, the most frequent first.
public struct WordPieceTrainer: Sendable {
  /// The maximum number of learned pieces, without the special tokens.
  public var pieces: Int
  /// The special tokens with which the vocabulary begins, with [unusedN] for ids that are skipped.
  public var specialTokens = SpecialTokenPlaces.first
  /// The minimum frequency of a merged pair (tokenizers: `min_frequency`).
  public var minimumFrequency = 2
  /// How text is normalized and split; the tokenizer that uses the vocabulary must have the same options.
  public var options: WordPieceTokenizer.Options
  /// The number of threads that read the text.
  public var threads: Int

  /// Creates a trainer with the defaults of Hugging Face's trainer.
  public init(
    pieces: Int, minimumFrequency: Int = 2, options: WordPieceTokenizer.Options = .init(),
    threads: Int = DistilBertMaskedLM.defaultThreads
  ) {
    self.pieces = pieces
    self.minimumFrequency = minimumFrequency
    self.options = options
    self.threads = threads
  }

  /// The minimum number of learned pieces.
  public static let minimumPieces = 10

  /// Statistics of the text.
  public struct Statistics: Sendable, Equatable {
    /// The number of words.
    public var words = 0
    /// The number of different words.
    public var distinctWords = 0
    /// The number of different words in the text before normalization, which makes some of them equal.
    public var distinctSpellings = 0
    /// The number of the text's characters that are pieces.
    public var alphabet = 0
    /// The number of the text's characters that did not fit into the vocabulary.
    public var charactersLeftOut = 0
    /// The number of occurrences of words that are [UNK], because they contain such characters or are too long to have
    /// pieces.
    public var unknownWords = 0

    /// The share of the different words that normalization, such as lower-casing, makes equal to others.
    public var mergedShare: Double {
      distinctSpellings > 0 ? 1 - Double(distinctWords) / Double(distinctSpellings) : 0
    }
  }

  /// - Parameters:
  ///   - files: UTF-8 text; "-" is standard input.
  ///   - temporaryDirectory: the directory for copies of input that cannot be mapped.
  /// - Throws: `FileError`; `PreprocessorError` if a file is not text or no file contains a word; `CancellationError`
  ///   if the task is canceled.
  public func train(
    files: [String], temporaryDirectory: String = "/tmp"
  ) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    try train(TextFile.open(files, temporaryDirectory: temporaryDirectory))
  }

  /// Learns a vocabulary from texts in memory.
  public func train(texts: [String]) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    try checkSize()
    let counter = WordCounter(options, threads: 1)
    for var text in texts { try text.withUTF8 { try counter.add($0) } }
    return try train(counter.finish(), name: "the text")
  }

  /// Learns a vocabulary from open files.
  package func train(_ files: [TextFile]) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    try checkSize()
    let counter = WordCounter(options, threads: threads)
    for file in files { try counter.add(file.bytes) { file.mapping.release($0) } }
    return try train(counter.finish(), name: files.map(\.name).joined(separator: ", "))
  }

  private func checkSize() throws(PreprocessorError) {
    guard pieces >= Self.minimumPieces else { throw .vocabularyTooSmall(pieces, least: Self.minimumPieces) }
  }

  // MARK: From counted words to pieces

  private func train(
    _ counts: WordCounter.Counts, name: String
  ) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    let words = counts.words
    guard !words.entries.isEmpty else { throw PreprocessorError.noWords(file: name) }
    let alphabet = Alphabet(of: words, room: pieces, options: options)
    var merger = PairMerger(alphabet: alphabet.pieces)
    var statistics = Statistics()
    statistics.distinctWords = words.entries.count
    statistics.distinctSpellings = counts.spellings
    (statistics.words, statistics.unknownWords) = (counts.longWords, counts.longWords)
    statistics.alphabet = alphabet.characters
    statistics.charactersLeftOut = alphabet.charactersLeftOut
    words.visit { word, _, count in
      statistics.words += Int(count)
      if let spelling = alphabet.spelling(of: word) {
        merger.add(spelling, count: count)
      } else {
        statistics.unknownWords += Int(count)
      }
    }
    try merger.merge(until: pieces, minimumFrequency: minimumFrequency)
    let pieces = specialTokens.pieces.map { Array($0.utf8) } + merger.pieces
    var list = PieceList(expectedBytes: pieces.count * 8)
    for piece in pieces {
      piece.withUnsafeBufferPointer { list.append($0) }
    }
    return (try Vocabulary(list, file: "the learned vocabulary", lines: true), statistics)
  }
}

/// The ids of the special tokens in a learned vocabulary.
public struct SpecialTokenPlaces: Sendable, Equatable {
  /// The pieces with which the vocabulary begins.
  let pieces: [String]
  /// The number of those pieces.
  public var count: Int { pieces.count }

  /// [PAD], [UNK], [CLS], [SEP] and [MASK] with the ids 0 to 4.
  public static let first = SpecialTokenPlaces(pieces: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])

  /// Creates the ids and names of another vocabulary, with [unused0], [unused1] … between them.
  ///
  /// - Returns: nil if this takes more than 1,000 unused pieces.
  public init?(like tokens: SpecialTokens) {
    let names = Dictionary(tokens.named.map { (Int($0.id), $0.content) }) { first, _ in first }
    guard let last = names.keys.max(), last < 1_000 else { return nil }
    var unused = 0
    pieces = (0...last).map { id in
      if let name = names[id] { return name }
      defer { unused += 1 }
      return "[unused\(unused)]"
    }
  }

  private init(pieces: [String]) { self.pieces = pieces }
}
