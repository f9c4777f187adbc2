import Glibc

/// The lines of text files as masked samples.
///
///     let corpus = try TextCorpus(paths: ["a.txt", "b.txt"], tokenizer: tokenizer, sequenceLength: 128)
///     let sample = try corpus.sample(0, epoch: 0)       // [CLS] … [SEP], masked
///
/// Each line is a sample; lines of white space alone are left out. A line too long for one sample goes on in further
/// samples, so that no token is lost, or is cut with `truncate`. The text is plain text: `[MASK]` in it is a bracket,
/// a word and a bracket.
///
/// The files stay where they are: they are mapped, and a sample is read and tokenized when it is asked for, so that
/// memory is the index alone, 8 bytes a sample. `sample` may be called from several threads at once and takes no
/// lock. The files must not change while the corpus lives.
public final class TextCorpus: LocatedSource {
  public let tokenizer: WordPieceTokenizer
  /// Tokens in a sample, [CLS] and [SEP] counted.
  public let sequenceLength: Int
  public let statistics: Statistics

  /// What was found in the files.
  public struct Statistics: Sendable, Equatable {
    public var files = 0
    public var bytes = 0
    /// As `wc -l` counts, and one more for a last line without its end.
    public var lines = 0
    /// Lines of white space alone.
    public var blankLines = 0
    /// Lines with more tokens than a sample holds.
    public var longLines = 0
    /// Samples that such lines go on in.
    public var furtherSamples = 0
    /// Tokens that were dropped (with `truncate`).
    public var droppedTokens = 0
    /// Sequences of bytes that are not UTF-8; U+FFFD stands for each.
    public var invalidSequences = 0
    public var firstInvalid: DataLocation?
  }

  let files: [TextFile]
  /// The first sample of each file, and one past the last of all.
  private let firstSamples: [Int]
  private let entries: [Entry]
  /// The line number of each 1024th sample.
  private let lineMarks: [Int]
  private let masker: MaskedLMMaskGenerator
  private static let markStride = 1024

  /// Where a sample's text begins, in 8 bytes: 40 bits of offset, 16 of tokens to skip, and flags.
  struct Entry {
    private let bits: UInt64

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

  /// - Parameters:
  ///   - paths: files, read in that order; "-" is standard input. What is not a regular file is copied to
  ///     `temporaryDirectory` first.
  ///   - sequenceLength: tokens in a sample, at most, [CLS] and [SEP] counted.
  ///   - truncate: drop what does not fit, as KerasHub does, rather than let it go on in further samples.
  ///   - strict: text that is not UTF-8 is an error, rather than read as U+FFFD.
  ///   - threads: what reads the files to find where samples begin. The corpus is the same for any number.
  /// - Throws: `FileError`, or `PreprocessorError` where a file is not text, or there is no text in any of them.
  public init(
    paths: [String], tokenizer: WordPieceTokenizer, sequenceLength: Int, masking: MaskingOptions = MaskingOptions(),
    truncate: Bool = false, strict: Bool = false, temporaryDirectory: String = "/tmp", standardInput: Int32 = 0,
    threads: Int = 1
  ) throws {
    guard sequenceLength >= 3 else {
      throw PreprocessorError.sequenceTooShort(length: sequenceLength, needed: 3)
    }
    guard !paths.isEmpty else { throw PreprocessorError.noFiles }
    guard paths.count(where: { $0 == "-" }) < 2 else { throw PreprocessorError.standardInputTwice }
    masker = try DistilBertMaskedLMPreprocessor(
      tokenizer: tokenizer, sequenceLength: sequenceLength, masking: masking
    ).masker
    self.tokenizer = tokenizer
    self.sequenceLength = sequenceLength

    var index = CorpusIndex(
      windows: LineWindows(tokenizer: tokenizer, budget: sequenceLength - 2), truncate: truncate,
      markStride: Self.markStride, threads: threads)
    var files = [TextFile]()
    for path in paths {
      let file = try TextFile.open(path, temporaryDirectory: temporaryDirectory, standardInput: standardInput)
      try file.requireText()
      try index.add(file, strict: strict)
      files.append(file)
    }
    self.files = files
    firstSamples = index.firstSamples + [index.entries.count]
    entries = index.entries
    lineMarks = index.lineMarks
    statistics = index.statistics
    guard !entries.isEmpty else {
      let name = files.map(\.name).joined(separator: ", ")
      throw PreprocessorError.emptyCorpus(file: name, blankLines: index.statistics.blankLines)
    }
  }

  public var masking: MaskingOptions { masker.options }

  /// The number of samples.
  public var count: Int { entries.count }

  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    guard entries.indices.contains(index) else {
      throw PreprocessorError.noSuchSample(index: index, count: entries.count)
    }
    let entry = entries[index]
    let bytes = files[file(of: index)].bytes
    let text = UnsafeBufferPointer(rebasing: bytes[entry.offset..<end(of: index, bytes)])
    let budget = sequenceLength - 2

    var tokens = TokenizedText()
    LineWindows.head(
      of: text, atLeast: entry.skip + budget, tokenizer, wordStarts: masking.wholeWords, into: &tokens)
    let special = tokenizer.specialTokens
    var packed: [Int32] = [special.classification]
    packed.reserveCapacity(min(tokens.ids.count, budget) + 2)
    packed.append(contentsOf: tokens.ids.dropFirst(entry.skip).prefix(budget))
    packed.append(special.separator)
    guard masking.wholeWords else { return masker(packed, epoch: epoch, index: index) }
    let wordStarts = [true] + tokens.wordStarts.dropFirst(entry.skip).prefix(budget) + [true]
    return masker(packed, wordStarts: wordStarts, epoch: epoch, index: index)
  }

  /// The file and line a sample comes from.
  public func location(of index: Int) -> DataLocation {
    guard entries.indices.contains(index) else { return DataLocation(file: files[0].name) }
    let file = file(of: index)
    let bytes = files[file].bytes
    // From the nearest known line before it.
    let mark = index / Self.markStride
    var line = 1
    var start = 0
    if mark * Self.markStride >= firstSamples[file] {
      line = lineMarks[mark]
      start = entries[mark * Self.markStride].offset
    }
    for byte in bytes[start..<entries[index].offset] where byte == 0x0A { line += 1 }
    return DataLocation(file: files[file].name, line: line)
  }

  private func plural(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

  /// What is probably not as it should be: one line each, without a full stop.
  public var warnings: [String] {
    guard statistics.invalidSequences > 0, let first = statistics.firstInvalid else { return [] }
    return ["\(plural(statistics.invalidSequences, "invalid UTF-8 sequence")) read as U+FFFD, first at \(first)"]
  }

  /// What the user should know about the text: one line each, without a full stop.
  public var notes: [String] {
    var notes = [String]()
    if statistics.blankLines > 0 {
      notes.append("\(plural(statistics.blankLines, "line")) of white space alone left out")
    }
    if statistics.longLines > 0 {
      let lines = plural(statistics.longLines, "line") + " of more than \(plural(sequenceLength - 2, "token"))"
      notes.append(
        statistics.droppedTokens > 0
          ? "\(lines) cut: \(plural(statistics.droppedTokens, "token")) dropped"
          : "\(lines) continued in \(plural(statistics.furtherSamples, "further sample")), no token lost")
    }
    return notes
  }

  /// Two parts of the corpus with no line in common, chosen line by line at random from the seed alone. Each sample
  /// keeps its index, and so its masks.
  /// - Parameter fraction: the share of the lines that goes to validation; at least one line goes to each part.
  public func split(
    validation fraction: Double, seed: UInt64
  ) throws(PreprocessorError) -> (train: CorpusSubset, validation: CorpusSubset) {
    try CorpusSubset.split(self, validation: fraction, seed: seed) { entries[$0].continuesLine }
  }

  // MARK: The index

  private func file(of index: Int) -> Int {
    if files.count == 1 { return 0 }
    // The last file that begins at or before it.
    var (low, high) = (0, files.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if firstSamples[middle] <= index { low = middle } else { high = middle }
    }
    return low
  }

  /// Where the text of a sample ends: at the next sample of the line that begins with a whole word, or with the line.
  private func end(of index: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var next = index + 1
    while next < entries.count, entries[next].continuesLine {
      if entries[next].skip == 0 { return entries[next].offset }
      next += 1
    }
    let start = entries[index].offset
    return TextLines.withoutReturn(bytes, start..<TextLines.lineEnd(bytes, from: start))
  }
}
