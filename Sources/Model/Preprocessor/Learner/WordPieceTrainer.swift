/// Learns a WordPiece vocabulary from text (tokenizers: `WordPieceTrainer`; KerasHub: `compute_word_piece_vocabulary`).
///
///     let (vocabulary, _) = try WordPieceTrainer(vocabularySize: 8192).train(files: ["novels.txt"])
///
/// Words are normalized, split and counted as the tokenizer does it. Their pieces are then learned as tokenizers learns them, by
/// byte-pair encoding over characters: from the alphabet on, the pair of neighbouring pieces seen most often becomes a piece.
/// The result follows from text and settings alone, whatever the number of threads.
///
/// The vocabulary begins as BERT's does: [PAD], [unused0] … [unused98], [UNK] at 100, [CLS], [SEP], [MASK]; then the characters
/// (and ASCII and common typography, in the text or not, where that is a small part), what they are as a `##` piece, and the
/// merged pieces, those seen most often first.
public struct WordPieceTrainer: Sendable {
  /// Pieces in all, the special ones counted.
  public var vocabularySize: Int
  /// A pair seen less often is not merged (tokenizers: `min_frequency`).
  public var minimumFrequency = 2
  /// How text is normalized and split; the tokenizer of the vocabulary must have the same.
  public var options: WordPieceTokenizer.Options
  /// Threads that read the text.
  public var threads: Int

  /// A trainer with the defaults of Hugging Face's.
  public init(
    vocabularySize: Int, minimumFrequency: Int = 2, options: WordPieceTokenizer.Options = .init(),
    threads: Int = DistilBertMaskedLM.defaultThreads
  ) {
    self.vocabularySize = vocabularySize
    self.minimumFrequency = minimumFrequency
    self.options = options
    self.threads = threads
  }

  /// The least size: room for the special pieces and as many others.
  public static let minimumSize = 2 * specialPieces.count

  /// What was found in the text.
  public struct Statistics: Sendable, Equatable {
    /// Words, and how many different ones.
    public var words = 0
    /// Different words.
    public var distinctWords = 0
    /// Characters of the text that are pieces.
    public var alphabet = 0
    /// Characters that are not, for want of room.
    public var charactersLeftOut = 0
    /// How often words with them are in the text: they are [UNK].
    public var unknownWords = 0
  }

  /// - Parameters:
  ///   - files: UTF-8 text; "-" is standard input.
  ///   - temporaryDirectory: where what cannot be mapped is copied to first.
  /// - Throws: `FileError`; `PreprocessorError` where a file is not text or there is no word in any of them.
  public func train(
    files: [String], temporaryDirectory: String = "/tmp"
  ) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    try train(TextFile.open(files, temporaryDirectory: temporaryDirectory))
  }

  /// The same, of texts in memory.
  public func train(texts: [String]) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    try checkSize()
    let counter = WordCounter(options, threads: 1)
    for var text in texts { text.withUTF8 { counter.add($0) } }
    return try train(counter.finish(), name: "the text")
  }

  /// The same, of files that are open.
  public func train(_ files: [TextFile]) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    try checkSize()
    let counter = WordCounter(options, threads: threads)
    for file in files { counter.add(file.bytes) { file.mapping.release($0) } }
    return try train(counter.finish(), name: files.map(\.name).joined(separator: ", "))
  }

  private func checkSize() throws(VocabularyError) {
    guard vocabularySize >= Self.minimumSize else { throw .tooSmall(vocabularySize, least: Self.minimumSize) }
  }

  // MARK: From counted words to pieces

  /// - Parameter words: sorted.
  func train(
    _ words: WordTable, name: String
  ) throws -> (vocabulary: Vocabulary, statistics: Statistics) {
    guard !words.entries.isEmpty else { throw VocabularyError.noWords(file: name) }
    let alphabet = Alphabet(of: words, room: vocabularySize - Self.specialPieces.count, options: options)
    var merger = PieceMerger(alphabet: alphabet.pieces)
    var statistics = Statistics()
    statistics.distinctWords = words.entries.count
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
    merger.merge(until: vocabularySize - Self.specialPieces.count, minimumFrequency: minimumFrequency)
    let pieces = Self.specialPieces.map { Array($0.utf8) } + merger.pieces
    var list = PieceList(expectedBytes: pieces.count * 8)
    for piece in pieces {
      piece.withUnsafeBufferPointer { list.append($0) }
    }
    return (try Vocabulary(list, file: "the learned vocabulary", lines: true), statistics)
  }

  /// The first 104 pieces of BERT's vocabularies. ([unused99] to [unused993], which follow in them, would take more of a small
  /// vocabulary than they are worth.)
  static let specialPieces = ["[PAD]"] + (0..<99).map { "[unused\($0)]" } + ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
}
