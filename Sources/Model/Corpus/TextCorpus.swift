import Files
import Glibc
import Text

/// The lines of text files as masked samples.
///
///     let corpus = try TextCorpus(
///       paths: ["a.txt", "b.txt"], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 128))
///     let sample = try corpus.sample(0, epoch: 0)       // [CLS] … [SEP], masked
///
/// How lines become samples is the `Layout`; lines of white space alone are left out. The text is plain text: `[MASK]` in
/// it is a bracket, a word and a bracket.
///
/// The files stay where they are. They are read once, by all threads, to find where samples begin, and a sample is read and
/// tokenized when it is asked for: memory does not grow with the text. What is known of each sample, 8 bytes, is kept in
/// a temporary file where it is much. `sample` may be called from several threads at once and takes no lock. The files
/// must not change while the corpus lives.
public final class TextCorpus: LocatedSource {
  /// How lines become samples.
  public enum Layout: Sendable, Equatable, CaseIterable {
    /// `[CLS] line [SEP]`. A line too long for one sample goes on in further samples, so that no token is lost, or is
    /// cut with `truncate`.
    case lines
    /// `[CLS] line [SEP] line [SEP] … line [SEP]`, as many lines as fit. Where the next word has no room, the next sample
    /// begins with it. A sample is shorter only for a long word, at the end of a file and of each block of a MiB in it.
    case packed
    /// `[CLS] a [SEP] b [SEP]` for each line `a<TAB>b`. What does not fit is cut from both in turn.
    case pairs
  }

  /// Text to word pieces.
  public let tokenizer: WordPieceTokenizer
  /// How the text becomes samples.
  public let options: CorpusOptions
  /// What was found in the files.
  public let statistics: Statistics
  /// The tokens of the files that are [UNK]. Of a part of a split, nothing is counted.
  package let unknownTokens: UnknownTokens

  /// What was found in the files.
  public struct Statistics: Sendable, Equatable {
    /// Files read.
    public var files = 0
    /// Bytes of all files.
    public var bytes = 0
    /// As `wc -l` counts, and one more for a last line without its end.
    public var lines = 0
    /// Lines of white space alone.
    public var blankLines = 0
    /// All others.
    public var textLines = 0
    /// Lines (or pairs) with more tokens than a sample holds; not counted when packed.
    public var longLines = 0
    /// Samples that such lines go on in.
    public var furtherSamples = 0
    /// Tokens that were dropped (with `truncate`, or of pairs).
    public var droppedTokens = 0
    /// Sequences of bytes that are not UTF-8; U+FFFD stands for each.
    public var invalidSequences = 0
    /// Where the first of them stands; nil where there is none.
    public var firstInvalid: DataLocation?

    /// Adds what was found in a part of a file.
    mutating func add(_ part: Statistics) {
      blankLines += part.blankLines
      textLines += part.textLines
      longLines += part.longLines
      furtherSamples += part.furtherSamples
      droppedTokens += part.droppedTokens
    }
  }

  let files: [TextFile]
  /// The `BlockHash` of each file.
  let contentHashes: [UInt64]
  /// The first sample of each file, and one past the last of all.
  let firstSamples: [Int]
  /// The bits of each sample's `Entry`.
  let entries: SpillableArray
  /// The line number of each 1024th sample.
  private let lineMarks: SpillableArray
  /// The text lines before each block of the files.
  private let linesBeforeBlock: [Int]
  /// Of a part of a split alone: which lines it has, and those before the line each sample begins in.
  let selection: LineSelection?
  let textLinesBefore: SpillableArray
  let masker: MaskedLMMaskGenerator
  let packer: MultiSegmentPacker
  private static let markStride = 1024

  /// Where a sample's text begins, in 8 bytes: 40 bits of offset, 16 of tokens to skip, and flags.
  struct Entry {
    let bits: UInt64

    init(bits: UInt64) { self.bits = bits }

    init(offset: Int, skip: Int, continuesLine: Bool) {
      bits =
        UInt64(truncatingIfNeeded: offset) << 24 | UInt64(UInt16(truncatingIfNeeded: skip)) << 8
        | (continuesLine ? 1 : 0)
    }

    var offset: Int { Int(bits >> 24) }
    var skip: Int { Int(bits >> 8 & 0xFFFF) }
    /// Whether the sample before it is of the same line.
    var continuesLine: Bool { bits & 1 != 0 }

    static let offsetLimit = 1 << 40
  }

  /// A corpus of the files at some paths.
  ///
  /// - Parameters:
  ///   - paths: files, read in that order; "-" is standard input. Input that is not a regular file is first copied to
  ///     `options.temporaryDirectory`.
  ///   - tokenizer: text to word pieces.
  ///   - options: how the text becomes samples.
  /// - Throws: `FileError`, or `PreprocessorError` where a file is not text, or there is no text in any of them.
  public convenience init(
    paths: [String], tokenizer: WordPieceTokenizer, options: CorpusOptions = CorpusOptions()
  ) throws {
    try self.init(paths: paths, tokenizer: tokenizer, options: options, standardInput: 0)
  }

  /// - Parameter standardInput: the descriptor that "-" stands for.
  convenience init(
    paths: [String], tokenizer: WordPieceTokenizer, options: CorpusOptions, standardInput: Int32
  ) throws {
    // Checks the length before any file is read.
    try options.check()
    let files = try TextFile.open(
      paths, temporaryDirectory: options.temporaryDirectory, standardInput: standardInput)
    try self.init(files, tokenizer: tokenizer, options: options)
  }

  /// A corpus of files that are open.
  package convenience init(
    _ files: [TextFile], tokenizer: WordPieceTokenizer, options: CorpusOptions = CorpusOptions()
  ) throws {
    try options.check()
    let preprocessor = try DistilBertMaskedLMPreprocessor(
      tokenizer: tokenizer, sequenceLength: options.sequenceLength, masking: options.masking)
    try self.init(files, preprocessor, options)
  }

  private init(
    _ files: [TextFile], _ preprocessor: DistilBertMaskedLMPreprocessor, _ options: CorpusOptions,
    selection: LineSelection? = nil, contentHashes: [UInt64]? = nil
  ) throws {
    self.files = files
    self.options = options
    self.selection = selection
    tokenizer = preprocessor.tokenizer
    (masker, packer) = (preprocessor.masker, preprocessor.packer)

    var index = CorpusIndex(
      rules: CorpusBlock.Rules(
        windows: LineWindows(
          tokenizer: preprocessor.tokenizer, budget: preprocessor.sequenceLength - 2,
          specialTokensInText: options.specialTokensInText),
        layout: options.layout, truncate: options.truncates, selection: selection),
      markStride: Self.markStride, threads: options.threads, temporaryDirectory: options.temporaryDirectory)
    for file in files { try index.add(file, strict: options.isStrict) }
    self.contentHashes = contentHashes ?? index.contentHashes
    try index.examineUnknown()
    unknownTokens = index.unknown
    entries = index.entries
    lineMarks = index.lineMarks
    textLinesBefore = index.textLinesBefore
    firstSamples = index.firstSamples + [index.entries.count]
    linesBeforeBlock = index.linesBeforeBlock
    statistics = index.statistics
    guard entries.count > 0 else {
      let name = files.map(\.name).joined(separator: ", ")
      throw PreprocessorError.emptyCorpus(file: name, blankLines: index.statistics.blankLines)
    }
  }

  /// Which of BERT's special tokens are found in the text.
  public var specialTokensInText: WordPieceTokenizer.SpecialTokensInText { options.specialTokensInText }
  /// Tokens in a sample, [CLS] and [SEP] counted.
  public var sequenceLength: Int { options.sequenceLength }
  /// How lines become samples.
  public var layout: Layout { options.layout }
  /// Which tokens are hidden, and how.
  public var masking: MaskingOptions { options.masking }

  /// The number of samples.
  public var count: Int { entries.count }

  /// The file and line a sample comes from, or begins in. Without the line where that cannot be read any more.
  public func location(of index: Int) -> DataLocation {
    guard index >= 0, index < count else { return DataLocation(file: files[0].name) }
    let file = file(of: index)
    let name = files[file].name
    do {
      // From the nearest known line before it.
      let mark = index / Self.markStride
      var line = 1
      var start = 0
      if mark * Self.markStride >= firstSamples[file] {
        line = Int(try lineMarks.value(at: mark))
        start = try entry(mark * Self.markStride).offset
      }
      let part = start..<(try entry(index).offset)
      line += try files[file].withPart(part) { $0.count { $0 == 0x0A } }
      return DataLocation(file: name, line: line)
    } catch {
      return DataLocation(file: name)
    }
  }

  /// What is probably not as it should be: one line each, without a full stop. Of [UNK], `unknownTokens` tells.
  public var warnings: [String] {
    guard statistics.invalidSequences > 0, let first = statistics.firstInvalid else { return [] }
    return ["\(plural(statistics.invalidSequences, "invalid UTF-8 sequence")) read as U+FFFD, first at \(first)"]
  }

  /// What the user should know about the text: one line each, without a full stop.
  public var notes: [String] {
    var notes = [String]()
    for file in files where file.isCopy {
      notes.append("\(file.name) was copied to a temporary file in \(options.temporaryDirectory)")
    }
    if statistics.blankLines > 0 {
      notes.append("\(plural(statistics.blankLines, "line")) of white space alone left out")
    }
    if layout == .packed {
      notes.append("\(plural(statistics.textLines, "line")) packed into \(plural(count, "sample")), no token lost")
    }
    if statistics.longLines > 0 {
      let lines =
        layout == .pairs
        ? plural(statistics.longLines, "pair") + " of more than \(plural(packer.room(segments: 2), "token"))"
        : plural(statistics.longLines, "line") + " of more than \(plural(packer.room(segments: 1), "token"))"
      notes.append(
        statistics.droppedTokens > 0
          ? "\(lines) cut: \(plural(statistics.droppedTokens, "token")) dropped"
          : "\(lines) continued in \(plural(statistics.furtherSamples, "further sample")), no token lost")
    }
    return notes
  }

  /// Two parts of the corpus with no line in common, chosen line by line at random from the seed alone. Each sample
  /// keeps its index, and so its masks; but packed lines are packed anew, each part by itself.
  /// - Parameter fraction: the share of the lines that goes to validation; at least one line goes to each part.
  public func split(
    validation fraction: Double, seed: UInt64
  ) throws -> (train: any SampleSource, validation: any SampleSource) {
    let split = try LineSplit(lines: statistics.textLines, fraction: fraction, seed: seed)
    guard layout == .packed else {
      return try CorpusSubset.split(self, by: split, temporaryDirectory: options.temporaryDirectory) { body in
        try entries.visit { try body(Entry(bits: $0).continuesLine) }
      }
    }
    func part(isValidation: Bool) throws -> TextCorpus {
      let preprocessor = try DistilBertMaskedLMPreprocessor(
        tokenizer: tokenizer, sequenceLength: sequenceLength, masking: masking)
      return try TextCorpus(
        files, preprocessor, options,
        selection: LineSelection(split: split, isValidation: isValidation, linesBefore: linesBeforeBlock),
        contentHashes: contentHashes)
    }
    return (try part(isValidation: false), try part(isValidation: true))
  }
}

/// How a `TextCorpus` makes samples of text.
public struct CorpusOptions: Sendable, Equatable {
  /// The most tokens in a sample, [CLS] and [SEP] included.
  public var sequenceLength: Int
  /// How lines become samples.
  public var layout: TextCorpus.Layout
  /// Which tokens are hidden, and how.
  public var masking: MaskingOptions
  /// With the layout `lines`: cuts each line to one sample, as KerasHub does. Otherwise a long line continues in further samples.
  public var truncates: Bool
  /// Whether text that is not UTF-8 is an error. Otherwise invalid bytes are read as U+FFFD.
  public var isStrict: Bool
  /// Which of BERT's special tokens are found in the text.
  public var specialTokensInText: WordPieceTokenizer.SpecialTokensInText
  /// The directory for copies of standard input, and for the index of a large corpus.
  public var temporaryDirectory: String
  /// Threads that read the files to find where samples begin. The corpus is the same for any number.
  public var threads: Int

  /// KerasHub's defaults, except that a long line is not cut.
  public init(
    sequenceLength: Int = 512, layout: TextCorpus.Layout = .lines, masking: MaskingOptions = MaskingOptions(),
    truncates: Bool = false, isStrict: Bool = false,
    specialTokensInText: WordPieceTokenizer.SpecialTokensInText = .none, temporaryDirectory: String = "/tmp",
    threads: Int = 1
  ) {
    self.sequenceLength = sequenceLength
    self.layout = layout
    self.masking = masking
    self.truncates = truncates
    self.isStrict = isStrict
    self.specialTokensInText = specialTokensInText
    self.temporaryDirectory = temporaryDirectory
    self.threads = threads
  }

  fileprivate func check() throws(PreprocessorError) {
    let needed = layout == .pairs ? 4 : 3
    guard sequenceLength >= needed else { throw .sequenceTooShort(length: sequenceLength, needed: needed) }
  }
}
