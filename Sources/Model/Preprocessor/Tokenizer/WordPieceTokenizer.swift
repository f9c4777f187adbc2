/// Text to word pieces and back, as BERT and DistilBERT read it.
///
///     let tokenizer = try WordPieceTokenizer.load(directory: "model")
///     tokenizer.encode("Hello, world!")                       // [7592, 1010, 2088, 999]
///     tokenizer.decode([7592, 1010, 2088, 999])               // "hello, world!"
///
/// Ids equal those of transformers' `BertTokenizer` / `DistilBertTokenizer`. Text is UTF-8 bytes; bytes that are not
/// UTF-8 read as U+FFFD (which text cleaning drops). A tokenizer is immutable and can be used from several threads at once.
public final class WordPieceTokenizer: Sendable {
  /// How text is normalized and cut. Names and defaults follow transformers' `BertTokenizer`.
  public struct Options: Sendable, Equatable {
    /// Lower-case the text (`do_lower_case`).
    public var lowercase = true
    /// NFD, then drop nonspacing marks; nil: as `lowercase` (`strip_accents`).
    public var stripAccents: Bool?
    /// Each CJK ideograph is a word (`tokenize_chinese_chars`, `handle_chinese_chars`).
    public var splitsCJK = true
    /// Drop controls and U+FFFD (`clean_text`).
    public var cleansText = true
    /// Words of more Unicode scalars than this are [UNK] (`max_input_chars_per_word`); 1 to 10,000.
    public var maximumWordLength = 100
    /// Whether `decode` cleans the whole text up, where it is not told (`clean_up_tokenization_spaces`).
    public var cleanUpTokenizationSpaces = false
    /// Whether `decode` drops the blank before `.`, `,` and the like, token by token (tokenizer.json: `decoder.cleanup`).
    public var decoderCleansUp = true

    /// [CLS], [SEP], [PAD] and [MASK] in a text always stand for the tokens, whatever `SpecialTokensInText` says (KerasHub:
    /// `special_tokens_in_strings`).
    public var findsSpecialTokens = false
    /// Other steps than BERT's, which the options above would describe (tokenizer.json: `normalizer`, `pre_tokenizer`).
    package internal(set) var steps: TextSteps?

    /// BERT's defaults.
    public init(lowercase: Bool = true) { self.lowercase = lowercase }

    /// What `stripAccents` comes to.
    public var stripsAccents: Bool { stripAccents ?? lowercase }
  }

  /// Which of BERT's five special tokens are taken for what they name where they stand in the text (found as they are spelled,
  /// before normalization, also inside words); the others are brackets and letters. Tokens that users added are always found.
  public enum SpecialTokensInText: Sendable, CaseIterable {
    /// None: all text is text, as in KerasHub.
    case none
    /// [MASK] alone, as `predict` reads text.
    case maskOnly
    /// All of them, as transformers does.
    case all

    /// Its bit in `TokenTrie.Token.modes`.
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
  /// The ids of [CLS], [MASK] and the others.
  public let specialTokens: SpecialTokens
  /// How text is normalized and cut.
  public let options: Options
  /// Tokens that stand apart from the vocabulary's own, the special ones included (tokenizer.json: `added_tokens`).
  package let addedTokens: [AddedToken]

  /// The five special tokens' ids, and those of other tokens that the files list as special (`additional_special_tokens`,
  /// `bos_token`, …): ids that are never chosen for masking (transformers: `all_special_ids`).
  public let specialTokenIDs: [Int32]
  /// What a person should know of how the files were read, each one line.
  public var notes: [String] { extras.notes }

  /// What its directory says of it besides.
  let extras: TokenizerExtras
  /// The longest sequence its directory names, [CLS] and [SEP] counted (`model_max_length`), where it does.
  public var modelMaximumLength: Int? { extras.modelMaximumLength }

  private nonisolated(unsafe) let pipeline: UnsafeMutablePointer<TokenPipeline>
  private let cached: CachedEncoder
  /// What to look for in the text, for each case of `SpecialTokensInText`. In memory of our own: to count references to shared
  /// arrays would make threads wait for each other.
  private nonisolated(unsafe) let modes: UnsafeMutablePointer<Mode>
  /// The class of each byte without tokens, and for each mode: 256 each.
  private nonisolated(unsafe) let classes: UnsafeMutablePointer<UInt8>
  /// The ids of added tokens that are special.
  private let addedSpecialIDs: Set<Int32>

  struct Mode: Sendable {
    let bit: UInt8
    /// The class of each byte; `ByteClass.token` for punctuation with which a token may begin.
    nonisolated(unsafe) let classes: UnsafePointer<UInt8>
    /// Whether a token begins with ASCII punctuation.
    var hasPunctuation = false
    /// Whether a token may be in a run of other bytes.
    var hasTokensInRuns = false
    /// Whether `CachedEncoder` serves it.
    var isCached = true
  }

  /// `names`: how the special tokens are spelled. Throws `TokenizerError` if the vocabulary lacks one.
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
    // The five are special even where a file forgets to say so.
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

  /// How many of a text's first bytes can be told to have no more than `limit` ids, and how many they have. Text behind
  /// them has the ids it has by itself; a few words of it may have room, too.
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

  /// `encode` without the cache.
  func encodeUncached(
    _ text: UnsafeBufferPointer<UInt8>, specialTokensInText: SpecialTokensInText = .none, into ids: inout [Int32]
  ) {
    withUnsafeMutablePointer(to: &ids) { run(text, specialTokensInText, IDSink(ids: $0)) }
  }

  /// Appends the ids of a text, and for each whether it starts a word: whether there is a gap in the text (or a
  /// special token) between it and the token before it. `don't` and `fox-like` are one word.
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

  /// The ids of a text, with the part of the text that each was made from.
  public func encodeWithOffsets(
    _ text: UnsafeBufferPointer<UInt8>, specialTokensInText: SpecialTokensInText = .none
  ) -> Encoding {
    var encoding = Encoding()
    withUnsafeMutablePointer(to: &encoding) { run(text, specialTokensInText, OffsetSink(encoding: $0)) }
    return encoding
  }

  /// The ids of a text, without [CLS] and [SEP].
  public func encode(_ text: String, specialTokensInText: SpecialTokensInText = .none) -> [Int32] {
    var text = text
    var ids: [Int32] = []
    text.withUTF8 { encode($0, specialTokensInText: specialTokensInText, into: &ids) }
    return ids
  }

  /// The same, with the part of the text that each was made from, in UTF-8 bytes.
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

  /// The first place, `length` bytes or more behind `start`, where a text can be cut without changing its tokens: ASCII white
  /// space that no token covers, or the end. `start`: such a place, or the beginning.
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

  /// Whether tokens depend on characters next to them, so that text is cut at gaps alone.
  var hasSingleWordTokens: Bool { pipeline.pointee.hasSingleWords }

  private func mode(_ special: SpecialTokensInText) -> UnsafePointer<Mode> {
    switch special {
    case .none: UnsafePointer(modes)
    case .maskOnly: UnsafePointer(modes + 1)
    case .all: UnsafePointer(modes + 2)
    }
  }

  // MARK: Decoding

  /// The text of ids, as transformers' `decode` gives it. Ids outside the vocabulary are left out.
  ///
  /// `skipSpecialTokens`: leave out [CLS], [MASK] and the other special tokens. `cleanUp`: also drop the blanks before
  /// punctuation and in contractions, over the whole text (`clean_up_tokenization_spaces`); nil: as the options say.
  public func decode(_ ids: [Int32], skipSpecialTokens: Bool = false, cleanUp: Bool? = nil) -> String {
    let decoder = WordPieceDecoder(cleansUpTokens: options.decoderCleansUp)
    var text = decoder.text(
      ids.lazy.filter { id in !(skipSpecialTokens && self.isSpecial(id)) }.map { self.vocabulary.bytes(of: Int($0)) })
    if cleanUp ?? options.cleanUpTokenizationSpaces { text = decoder.cleanedUp(text) }
    return withExtendedLifetime(vocabulary) { String(decoding: text, as: UTF8.self) }
  }

  /// Whether an id is [CLS], [MASK] or another special token.
  public func isSpecial(_ id: Int32) -> Bool { addedSpecialIDs.contains(id) }

  /// The pieces of ids, `##` included.
  public func tokens(_ ids: [Int32]) -> [String] { ids.map { vocabulary.piece(Int($0)) } }
}

/// A text's tokens, with where they come from.
public struct Encoding: Sendable, Equatable {
  /// The tokens.
  public var ids: [Int32] = []
  /// For each token the part of the text it was made from, in UTF-8 bytes.
  public var offsets: [Range<Int>] = []
  /// For each token whether it starts a word: a run of tokens with no gap between them in the text.
  public var wordStarts: [Bool] = []

  /// No tokens.
  public init() {}
}

// The sinks point at what they fill: a copy of an array in the sink would be copied whole at the first append.

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
