/// Converts text to word pieces and back, as for BERT and DistilBERT.
///
///     let tokenizer = try WordPieceTokenizer.load(directory: "model")
///     tokenizer.encode("Hello, world!")                       // [7592, 1010, 2088, 999]
///     tokenizer.decode([7592, 1010, 2088, 999])               // "hello, world!"
///
/// Ids equal those of transformers' `BertTokenizer` / `DistilBertTokenizer`. Text is UTF-8; invalid bytes are read as
/// U+FFFD (which text cleaning drops). A tokenizer is immutable and can be used from several threads at once.
public final class WordPieceTokenizer: Sendable {
  /// How text is normalized and split. Names and defaults follow transformers' `BertTokenizer`.
  public struct Options: Sendable, Equatable {
    /// Whether to lower-case the text (`do_lower_case`).
    public var lowercase = true
    /// Whether to apply NFD and drop nonspacing marks; nil: same as `lowercase` (`strip_accents`).
    public var stripAccents: Bool?
    /// Whether each CJK ideograph is a word (`tokenize_chinese_chars`, `handle_chinese_chars`).
    public var splitsCJK = true
    /// Whether to drop control characters and U+FFFD (`clean_text`).
    public var cleansText = true
    /// The maximum number of Unicode scalars in a word, 1 to 10,000; longer words are [UNK]
    /// (`max_input_chars_per_word`).
    public var maximumWordLength = 100
    /// Whether `decode` cleans up the whole text by default (`clean_up_tokenization_spaces`).
    public var cleanUpTokenizationSpaces = false
    /// Whether `decode` drops the blank before `.`, `,` and similar tokens, token by token (tokenizer.json:
    /// `decoder.cleanup`).
    public var decoderCleansUp = true

    /// Whether [CLS], [SEP], [PAD] and [MASK] in a text always represent the tokens, regardless of
    /// `SpecialTokensInText` (KerasHub: `special_tokens_in_strings`).
    public var findsSpecialTokens = false
    /// Steps that replace BERT's, which the options above describe (tokenizer.json: `normalizer`, `pre_tokenizer`).
    package internal(set) var steps: TextSteps?

    /// Creates BERT's default options.
    public init(lowercase: Bool = true) { self.lowercase = lowercase }

    /// The effective value of `stripAccents`.
    public var stripsAccents: Bool { stripAccents ?? lowercase }
  }

  /// Which of BERT's five special tokens are recognized in text (by their spelling, before normalization, also inside
  /// words); the others are read as plain text. Tokens added by users are always recognized.
  public enum SpecialTokensInText: Sendable, CaseIterable {
    /// None: everything is plain text, as in KerasHub.
    case none
    /// Only [MASK], as for `predict`.
    case maskOnly
    /// All of them, as transformers does.
    case all

    /// The corresponding bit in `TokenTrie.Token.modes`.
    var bit: UInt8 {
      switch self {
      case .none: 1
      case .maskOnly: 2
      case .all: 4
      }
    }
  }

  /// The word pieces.
  public let vocabulary: Vocabulary
  /// The ids of the special tokens, such as [CLS] and [MASK].
  public let specialTokens: SpecialTokens
  /// How text is normalized and split.
  public let options: Options
  /// Tokens recognized apart from the word pieces, including the special ones (tokenizer.json: `added_tokens`).
  package let addedTokens: [AddedToken]

  /// The ids that are never selected for masking: the five special tokens, and others that the files list as special
  /// (`additional_special_tokens`, `bos_token`, …; transformers: `all_special_ids`).
  public let specialTokenIDs: [Int32]
  /// Facts that the user should know about how the files were read, one line each.
  public var notes: [String] { extras.notes }

  /// Other data from the tokenizer's directory.
  let extras: TokenizerExtras
  /// The maximum sequence length including [CLS] and [SEP], if the directory specifies one (`model_max_length`).
  public var modelMaximumLength: Int? { extras.modelMaximumLength }

  private nonisolated(unsafe) let pipeline: UnsafeMutablePointer<TokenPipeline>
  private let cached: CachedEncoder
  /// The tokens to look for in text, for each case of `SpecialTokensInText`. Manually allocated, because threads
  /// contend for the reference counts of shared arrays.
  private nonisolated(unsafe) let modes: UnsafeMutablePointer<Mode>
  /// The class of each byte, first without tokens, then for each mode: 256 bytes each.
  private nonisolated(unsafe) let classes: UnsafeMutablePointer<UInt8>
  /// The ids of added tokens that are special.
  private let addedSpecialIDs: Set<Int32>

  struct Mode: Sendable {
    let bit: UInt8
    /// The class of each byte; `ByteClass.token` for punctuation that may begin a token.
    nonisolated(unsafe) let classes: UnsafePointer<UInt8>
    /// Whether a token begins with ASCII punctuation.
    var hasPunctuation = false
    /// Whether a token may occur in a run of other bytes.
    var hasTokensInRuns = false
    /// Whether `CachedEncoder` supports this mode.
    var isCached = true
  }

  /// `names`: the spelling of the special tokens. Throws `TokenizerError` if the vocabulary lacks one.
  package convenience init(
    vocabulary: Vocabulary, options: Options = Options(), names: SpecialTokenNames = SpecialTokenNames(),
    addedTokens: [AddedToken] = []
  ) throws {
    try self.init(
      vocabulary: vocabulary, options: options, names: names, addedTokens: addedTokens, extras: TokenizerExtras())
  }

  init(
    vocabulary: Vocabulary, options: Options, names: SpecialTokenNames, addedTokens: [AddedToken],
    extras: TokenizerExtras
  ) throws {
    self.vocabulary = vocabulary
    var options = options
    options.maximumWordLength = min(max(options.maximumWordLength, 1), 10_000)
    self.options = options
    self.extras = extras
    specialTokens = try SpecialTokens(vocabulary, names: names)
    var added = addedTokens
    // The five are special even if a file does not mark them as such.
    for (content, id) in specialTokens.named {
      added.removeAll { $0.id == id && !$0.isSpecial }
      if !added.contains(where: { $0.id == id }) {
        added.append(AddedToken(id: id, content: content, isSpecial: true))
      }
    }
    added.sort { $0.id < $1.id }
    self.addedTokens = added
    addedSpecialIDs = Set(added.lazy.filter(\.isSpecial).map(\.id))
    let five = specialTokens.named.map(\.id)
    specialTokenIDs = five + extras.specialTokenIDs.filter { !five.contains($0) }

    let normalizer = TextNormalizer(
      cleansText: options.cleansText, splitsCJK: options.splitsCJK, stripsAccents: options.stripsAccents,
      lowercases: options.lowercase)
    let cases = SpecialTokensInText.allCases
    let base = normalizer.byteClasses()
    classes = .allocate(capacity: 256 * (1 + cases.count))
    for index in 0...cases.count { (classes + 256 * index).initialize(from: base, count: 256) }
    let tokens = TokensToFind(added, specialTokens, options, normalizer, classes: base)
    pipeline = .allocate(capacity: 1)
    pipeline.initialize(
      to: TokenPipeline(
        table: vocabulary.table, unknown: specialTokens.unknown, limit: options.maximumWordLength,
        normalizer: normalizer,
        steps: options.steps, classes: classes, rawTokens: tokens.raw, normalizedTokens: tokens.normalized,
        blanksInTokens: tokens.blanks,
        separatesAtBlanks: !tokens.looksBeforeBlanks && options.steps?.separatesAtBlanks ?? true,
        hasSingleWords: added.contains(where: \.singleWord)))
    modes = .allocate(capacity: cases.count)
    for (index, mode) in cases.enumerated() {
      let modeClasses = classes + 256 * (index + 1)
      var result = Mode(bit: mode.bit, classes: modeClasses, isCached: options.steps == nil)
      tokens.describe(&result, modeClasses)
      (modes + index).initialize(to: result)
    }
    cached = CachedEncoder(pipeline)
  }

  deinit {
    cached.deallocate()
    pipeline.pointee.rawTokens?.deallocate()
    pipeline.pointee.normalizedTokens?.deallocate()
    pipeline.deinitialize(count: 1)
    pipeline.deallocate()
    modes.deinitialize(count: SpecialTokensInText.allCases.count)
    modes.deallocate()
    classes.deallocate()
  }

  // MARK: Encoding

  /// Appends the ids of a text, without [CLS] and [SEP].
  public func encode(
    _ text: UnsafeBufferPointer<UInt8>, specialTokensInText: SpecialTokensInText = .none, into ids: inout [Int32]
  ) {
    let mode = self.mode(specialTokensInText)
    if mode.pointee.isCached, cached.encode(text, mode, into: &ids) { return }
    encodeUncached(text, specialTokensInText: specialTokensInText, into: &ids)
  }

  /// Returns the size in bytes of a prefix of the text that has at most `limit` ids, and the number of its ids. The
  /// rest of the text has the same ids as on its own; a few of its words may still fit.
  func count(
    _ text: UnsafeBufferPointer<UInt8>, specialTokensInText: SpecialTokensInText = .none, atMost limit: Int,
    scratch ids: inout [Int32]
  ) -> (bytes: Int, ids: Int) {
    ids.removeAll(keepingCapacity: true)
    let mode = self.mode(specialTokensInText)
    if mode.pointee.isCached, let found = cached.count(text, mode, atMost: limit, into: &ids) { return found }
    encodeUncached(text, specialTokensInText: specialTokensInText, into: &ids)
    return ids.count <= limit ? (text.count, ids.count) : (0, 0)
  }

  /// Encodes without the cache.
  func encodeUncached(
    _ text: UnsafeBufferPointer<UInt8>, specialTokensInText: SpecialTokensInText = .none, into ids: inout [Int32]
  ) {
    withUnsafeMutablePointer(to: &ids) { run(text, specialTokensInText, IDSink(ids: $0)) }
  }

  /// Appends the ids of a text. For each, also appends whether it starts a word: whether a gap in the text (or a
  /// special token) precedes it. `don't` and `fox-like` are one word each.
  public func encode(
    _ text: UnsafeBufferPointer<UInt8>, specialTokensInText: SpecialTokensInText = .none, into ids: inout [Int32],
    wordStarts: inout [Bool]
  ) {
    withUnsafeMutablePointer(to: &ids) { ids in
      withUnsafeMutablePointer(to: &wordStarts) {
        run(text, specialTokensInText, WordStartSink(ids: ids, wordStarts: $0))
      }
    }
  }

  /// Returns the ids of a text, with the part of the text from which each was made.
  public func encodeWithOffsets(
    _ text: UnsafeBufferPointer<UInt8>, specialTokensInText: SpecialTokensInText = .none
  ) -> Encoding {
    var encoding = Encoding()
    withUnsafeMutablePointer(to: &encoding) { run(text, specialTokensInText, OffsetSink(encoding: $0)) }
    return encoding
  }

  /// Returns the ids of a text, without [CLS] and [SEP].
  public func encode(_ text: String, specialTokensInText: SpecialTokensInText = .none) -> [Int32] {
    var text = text
    var ids: [Int32] = []
    text.withUTF8 { encode($0, specialTokensInText: specialTokensInText, into: &ids) }
    return ids
  }

  /// Returns the ids of a text, with the part of the text from which each was made, in UTF-8 bytes.
  public func encodeWithOffsets(_ text: String, specialTokensInText: SpecialTokensInText = .none) -> Encoding {
    var text = text
    return text.withUTF8 { encodeWithOffsets($0, specialTokensInText: specialTokensInText) }
  }

  @inline(__always)
  private func run<Sink: TokenSink>(
    _ text: UnsafeBufferPointer<UInt8>, _ special: SpecialTokensInText, _ sink: Sink
  ) {
    if text.isEmpty { return }
    let mode = self.mode(special)
    let limit = pipeline.pointee.limit
    let wordBytes = WordBuffer.byteCount(limit: limit, tracking: Sink.wantsOffsets)
    let pieceBytes = WordPiece<Sink>.byteCount(limit: limit)
    withUnsafeTemporaryAllocation(byteCount: pieceBytes + wordBytes, alignment: 16) { memory in
      guard let base = memory.baseAddress, let bytes = text.baseAddress else { return }
      pipeline.pointee.encode(
        bytes, from: 0, to: text.count, mode: mode.pointee.bit, wordMemory: base + pieceBytes, pieceMemory: base,
        sink: sink)
    }
    withExtendedLifetime(vocabulary) {}
  }

  /// Returns the first offset at least `length` bytes after `start` where a text can be cut without changing its
  /// tokens: ASCII white space that no token covers, or the end. `start`: such an offset, or the beginning.
  func safeEnd(
    of text: UnsafeBufferPointer<UInt8>, from start: Int, atLeast length: Int,
    specialTokensInText: SpecialTokensInText = .none
  ) -> Int {
    guard length < text.count - start, let bytes = text.baseAddress else { return text.count }
    let bit = specialTokensInText.bit
    var end = start + length
    while end < text.count {
      if bytes[end] == 0x20 || bytes[end] == 0x09, pipeline.pointee.canCut(bytes, at: end, from: start, mode: bit) {
        break
      }
      end += 1
    }
    return end
  }

  /// Whether a text may have more tokens than bytes.
  var lengthensText: Bool {
    options.steps?.normalizers.contains {
      switch $0 {
      case .nfd: true
      case .replace(let pattern, let content): content.utf8.count > pattern.utf8.count
      default: false
      }
    } ?? false
  }

  /// Whether tokens depend on neighboring characters, so that text is cut only at gaps.
  var hasSingleWordTokens: Bool { pipeline.pointee.hasSingleWords }

  private func mode(_ special: SpecialTokensInText) -> UnsafePointer<Mode> {
    switch special {
    case .none: UnsafePointer(modes)
    case .maskOnly: UnsafePointer(modes + 1)
    case .all: UnsafePointer(modes + 2)
    }
  }

  // MARK: Decoding

  /// Returns the text of ids, as transformers' `decode` does. Ids outside the vocabulary are skipped.
  ///
  /// `skipSpecialTokens`: skips [CLS], [MASK] and the other special tokens. `cleanUp`: also drops the blanks before
  /// punctuation and in contractions, in the whole text (`clean_up_tokenization_spaces`); nil: as in the options.
  public func decode(_ ids: [Int32], skipSpecialTokens: Bool = false, cleanUp: Bool? = nil) -> String {
    let decoder = WordPieceDecoder(cleansUpTokens: options.decoderCleansUp)
    var text = decoder.text(
      ids.lazy.filter { id in !(skipSpecialTokens && self.isSpecial(id)) }.map { self.vocabulary.bytes(of: Int($0)) })
    if cleanUp ?? options.cleanUpTokenizationSpaces { text = decoder.cleanedUp(text) }
    return withExtendedLifetime(vocabulary) { String(decoding: text, as: UTF8.self) }
  }

  /// Returns whether an id is [CLS], [MASK] or another special token.
  public func isSpecial(_ id: Int32) -> Bool { addedSpecialIDs.contains(id) }

  /// Returns the pieces of ids, including `##`.
  public func tokens(_ ids: [Int32]) -> [String] { ids.map { vocabulary.piece(Int($0)) } }
}

/// The tokens of a text, with their origin.
public struct Encoding: Sendable, Equatable {
  /// The tokens.
  public var ids: [Int32] = []
  /// For each token, the part of the text from which it was made, in UTF-8 bytes.
  public var offsets: [Range<Int>] = []
  /// For each token, whether it starts a word: a run of tokens with no gap between them in the text.
  public var wordStarts: [Bool] = []

  /// Creates an encoding without tokens.
  public init() {}
}

// The sinks point to the arrays they fill: appending to an array stored in the sink would copy it.

private struct IDSink: TokenSink {
  let ids: UnsafeMutablePointer<[Int32]>
  static var wantsOffsets: Bool { false }
  static var wantsWordStarts: Bool { false }
  @inline(__always)
  func token(_ id: Int32, from start: Int, to end: Int, startsWord: Bool) { ids.pointee.append(id) }
}

private struct WordStartSink: TokenSink {
  let ids: UnsafeMutablePointer<[Int32]>
  let wordStarts: UnsafeMutablePointer<[Bool]>
  static var wantsOffsets: Bool { false }
  static var wantsWordStarts: Bool { true }
  @inline(__always)
  func token(_ id: Int32, from start: Int, to end: Int, startsWord: Bool) {
    ids.pointee.append(id)
    wordStarts.pointee.append(startsWord)
  }
}

private struct OffsetSink: TokenSink {
  let encoding: UnsafeMutablePointer<Encoding>
  static var wantsOffsets: Bool { true }
  static var wantsWordStarts: Bool { true }
  @inline(__always)
  func token(_ id: Int32, from start: Int, to end: Int, startsWord: Bool) {
    encoding.pointee.ids.append(id)
    encoding.pointee.offsets.append(start..<max(start, end))
    encoding.pointee.wordStarts.append(startsWord)
  }
}
