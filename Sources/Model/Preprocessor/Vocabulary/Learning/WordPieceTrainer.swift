import Files

/// Learns a WordPiece vocabulary from text (tokenizers: `WordPieceTrainer`; KerasHub: `compute_word_piece_vocabulary`).
///
///     let (vocabulary, _) = try WordPieceTrainer(pieces: 8192).train(files: ["novels.txt"])
///
/// Words are normalized, split and counted as the tokenizer does it. Their pieces are then learned as tokenizers learns them, by
/// byte-pair encoding over characters: from the alphabet on, the pair of neighbouring pieces seen most often becomes a piece.
/// The result follows from text and settings alone, whatever the number of threads.
///
/// The vocabulary begins with the special tokens, by default [PAD], [UNK], [CLS], [SEP], [MASK]; then come the characters (and ASCII
/// and common typography, in the text or not, where that is a small part), what they are as a `##` piece, and the merged pieces, those
/// seen most often first.
public struct WordPieceTrainer: Sendable {
  /// The pieces that are learned, at most; the special tokens come on top.
  public var pieces: Int
  /// What the vocabulary begins with, [unusedN] where ids are to be left out.
  public var specialTokens = SpecialTokenPlaces.first
  /// A pair seen less often is not merged (tokenizers: `min_frequency`).
  public var minimumFrequency = 2
  /// How text is normalized and split; the tokenizer of the vocabulary must have the same.
  public var options: WordPieceTokenizer.Options
  /// Threads that read the text.
  public var threads: Int

  /// A trainer with the defaults of Hugging Face's.
  public init(
    pieces: Int, minimumFrequency: Int = 2, options: WordPieceTokenizer.Options = .init(),
    threads: Int = DistilBertMaskedLM.defaultThreads
  ) {
    self.pieces = pieces
    self.minimumFrequency = minimumFrequency
    self.options = options
    self.threads = threads
  }

  /// The fewest pieces that are learned.
  public static let minimumPieces = 10

  /// What was found in the text.
  public struct Statistics: Sendable, Equatable {
    /// Words, and how many different ones.
    public var words = 0
    /// Different words.
    public var distinctWords = 0
    /// Different words of the text itself, before normalization made some of them equal.
    public var distinctSpellings = 0
    /// Characters of the text that are pieces.
    public var alphabet = 0
    /// Characters that are not, for want of room.
    public var charactersLeftOut = 0
    /// How often words with them, or words too long to have pieces, are in the text: they are [UNK].
    public var unknownWords = 0

    /// The share of the different words that normalization, lower case for instance, makes equal to others.
    public var mergedShare: Double {
      distinctSpellings > 0 ? 1 - Double(distinctWords) / Double(distinctSpellings) : 0
    }
  }

  /// - Parameters:
  ///   - files: UTF-8 text; "-" is standard input.
  ///   - temporaryDirectory: where what cannot be mapped is copied to first.
  /// - Throws: `FileError`; `PreprocessorError` where a file is not text or there is no word in any of them; `CancellationError` where
  ///   the task is canceled.
  public func train(
    files: [String], temporaryDirectory: String = "/tmp"
  ) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    try train(TextFile.open(files, temporaryDirectory: temporaryDirectory))
  }

  /// The same, of texts in memory.
  public func train(texts: [String]) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    try checkSize()
    let counter = WordCounter(options, threads: 1)
    for var text in texts { try text.withUTF8 { try counter.add($0) } }
    return try train(counter.finish(), name: "the text")
  }

  /// The same, of files that are open.
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

/// The ids of the special tokens in a vocabulary that is learned.
public struct SpecialTokenPlaces: Sendable, Equatable {
  /// The pieces that the vocabulary begins with.
  let pieces: [String]
  /// How many those are.
  public var count: Int { pieces.count }

  /// [PAD], [UNK], [CLS], [SEP] and [MASK] are 0 to 4.
  public static let first = SpecialTokenPlaces(pieces: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])

  /// The ids, and the names, that they have in another vocabulary; [unused0], [unused1] … stand between them.
  ///
  /// - Returns: nil where there would be more of those than learned pieces are worth: over 1,000.
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
