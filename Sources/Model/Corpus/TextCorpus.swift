import Files
import Glibc
import Text

/// Masked samples from the lines of text files.
///
///     let corpus = try TextCorpus(
///       paths: ["a.txt", "b.txt"], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 128))
///     let sample = try corpus.sample(0, epoch: 0)       // [CLS] … [SEP], masked
///
/// `Layout` determines how lines become samples. Lines that contain only white space are skipped. The text is plain
/// text: `[MASK]` in it is a bracket, a word and a bracket.
///
/// The files are not loaded into memory. All threads read them once to find where samples begin; after that, a sample
/// is read and tokenized on request, so memory does not grow with the text. The index takes 8 bytes per sample and
/// moves to a temporary file if it is large. `sample` may be called from several threads at once and takes no lock. The
/// files must not change during the life of the corpus.
public final class TextCorpus: LocatedSource {
  /// How lines become samples.
  public enum Layout: Sendable, Equatable, CaseIterable {
    /// `[CLS] line [SEP]`. A line too long for one sample continues in further samples, so that no token is lost, or is
    /// cut with `truncate`.
    case lines
    /// `[CLS] line [SEP] line [SEP] … line [SEP]`, as many lines as fit. If the next word does not fit, the next sample
    /// begins with it. A sample is shorter only before a long word, at the end of a file, and at the end of each 1 MiB
    /// block of a file.
    case packed
    /// `[CLS] a [SEP] b [SEP]` for each line `a<TAB>b`. Pairs that are too long are cut from both segments in turn.
    case pairs
  }

  /// Splits text into word pieces.
  public let tokenizer: WordPieceTokenizer
  /// How the text becomes samples.
  public let options: CorpusOptions
  /// Statistics of the files.
  public let statistics: Statistics
  /// Counts of the files' tokens that are [UNK]. A part of a split counts nothing.
  package let unknownTokens: UnknownTokens

  /// Statistics of the files.
  public struct Statistics: Sendable, Equatable {
    /// The number of files.
    public var files = 0
    /// The size of all files in bytes.
    public var bytes = 0
    /// The number of lines as counted by `wc -l`, plus one for a last line without a line end.
    public var lines = 0
    /// The number of lines that contain only white space.
    public var blankLines = 0
    /// The number of all other lines.
    public var textLines = 0
    /// The number of lines (or pairs) with more tokens than a sample holds; not counted when packed.
    public var longLines = 0
    /// The number of samples that continue such lines.
    public var furtherSamples = 0
    /// The number of dropped tokens (with `truncate`, or of pairs).
    public var droppedTokens = 0
    /// The number of invalid UTF-8 sequences; each is read as U+FFFD.
    public var invalidSequences = 0
    /// The location of the first of them; nil if there is none.
    public var firstInvalid: DataLocation?

    /// Adds the statistics of a part of a file.
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
  /// The index of the first sample of each file, and one past the last sample of all.
  let firstSamples: [Int]
  /// The bits of each sample's `Entry`.
  let entries: SpillableArray
  /// The line number of every 1024th sample.
  private let lineMarks: SpillableArray
  /// The number of text lines before each block of the files.
  private let linesBeforeBlock: [Int]
  /// The lines of a part of a split, and the number of text lines before the line in which each sample begins. Only for
  /// a part of a split.
  let selection: LineSelection?
  let textLinesBefore: SpillableArray
  let masker: MaskedLMMaskGenerator
  let packer: MultiSegmentPacker
  private static let markStride = 1024

  /// The beginning of a sample's text in 8 bytes: 40 bits of offset, 16 of tokens to skip, and flags.
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
    /// Whether the sample continues the line of the previous sample.
    var continuesLine: Bool { bits & 1 != 0 }

    static let offsetLimit = 1 << 40
  }

  /// Creates a corpus from the files at some paths.
  ///
  /// - Parameters:
  ///   - paths: files, read in this order; "-" is standard input. Input that is not a regular file is first copied to
  ///     `options.temporaryDirectory`.
  ///   - tokenizer: splits text into word pieces.
  ///   - options: how the text becomes samples.
  /// - Throws: `FileError`, or `PreprocessorError` if a file is not text or no file contains any text.
  public convenience init(
    paths: [String], tokenizer: WordPieceTokenizer, options: CorpusOptions = CorpusOptions()
  ) throws {
    try self.init(paths: paths, tokenizer: tokenizer, options: options, standardInput: 0)
  }

  /// - Parameter standardInput: the descriptor to read for "-".
  convenience init(
    paths: [String], tokenizer: WordPieceTokenizer, options: CorpusOptions, standardInput: Int32
  ) throws {
    // Checks the length before any file is read.
    try options.check()
    let files = try TextFile.open(
      paths, temporaryDirectory: options.temporaryDirectory, standardInput: standardInput)
    try self.init(files, tokenizer: tokenizer, options: options)
  }

  /// Creates a corpus from open files.
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

  /// The special tokens of BERT that are recognized in the text.
  public var specialTokensInText: WordPieceTokenizer.SpecialTokensInText { options.specialTokensInText }
  /// The number of tokens in a sample, including [CLS] and [SEP].
  public var sequenceLength: Int { options.sequenceLength }
  /// How lines become samples.
  public var layout: Layout { options.layout }
  /// The selection and replacement of masked tokens.
  public var masking: MaskingOptions { options.masking }

  /// The number of samples.
  public var count: Int { entries.count }

  /// The file and line where a sample begins, without the line if the file can no longer be read.
  public func location(of index: Int) -> DataLocation {
    guard index >= 0, index < count else { return DataLocation(file: files[0].name) }
    let file = file(of: index)
    let name = files[file].name
    do {
      // Starts at the nearest earlier sample with a known line.
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

  /// Descriptions of probable errors in the text: one line each, without a full stop. `unknownTokens` reports [UNK].
  public var warnings: [String] {
    guard statistics.invalidSequences > 0, let first = statistics.firstInvalid else { return [] }
    return ["\(plural(statistics.invalidSequences, "invalid UTF-8 sequence")) read as U+FFFD, first at \(first)"]
  }

  /// Facts about the text that the user should know: one line each, without a full stop.
  public var notes: [String] {
    var notes = [String]()
    for file in files where file.isCopy {
      notes.append("\(file.name) was copied to a temporary file in \(options.temporaryDirectory)")
    }
    if statistics.blankLines > 0 {
      notes.append("skipped \(plural(statistics.blankLines, "blank line"))")
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

  /// Splits the corpus into two parts with no line in common, chosen line by line at random from the seed alone. Each
  /// sample keeps its index, and so its masks, except with packed lines, which are repacked in each part.
  /// - Parameter fraction: the share of the lines for validation; each part gets at least one line.
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

/// Options for making samples from text in a `TextCorpus`.
public struct CorpusOptions: Sendable, Equatable {
  /// The maximum number of tokens in a sample, including [CLS] and [SEP].
  public var sequenceLength: Int
  /// How lines become samples.
  public var layout: TextCorpus.Layout
  /// The selection and replacement of masked tokens.
  public var masking: MaskingOptions
  /// Whether the layout `lines` cuts each line to one sample, as KerasHub does. Otherwise a long line continues in
  /// further samples.
  public var truncates: Bool
  /// Whether invalid UTF-8 is an error. Otherwise invalid bytes are read as U+FFFD.
  public var isStrict: Bool
  /// The special tokens of BERT that are recognized in the text.
  public var specialTokensInText: WordPieceTokenizer.SpecialTokensInText
  /// The directory for copies of standard input, and for the index of a large corpus.
  public var temporaryDirectory: String
  /// The number of threads that read the files to find where samples begin. The corpus is the same for any number.
  public var threads: Int

  /// Creates options with KerasHub's defaults, except that long lines are not cut.
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
