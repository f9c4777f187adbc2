import Files
import Text

/// Preprocessed integer samples from JSON Lines files, one sample per line:
///
///     {"token_ids":[…],"padding_mask":[…],"mask_positions":[…],"labels":[…],"sample_weight":[…]}
///
/// the arrays of KerasHub's preprocessor output. `padding_mask` (default: all 1; booleans are accepted), `labels` (not
/// needed for prediction) and `sample_weight` (default: all 1) may be missing or null. Samples may differ in length.
/// Other keys are ignored. Also accepted: `mask_ids` for `labels`, `mask_weights` for `sample_weight`, `input_ids` and
/// `attention_mask` for the first two, and targets as in transformers: no `mask_positions`, and `labels` as long as the
/// sample with -100 at each position that is not predicted.
///
/// All files are read and validated before the first sample is returned. After that, a sample is read and parsed on
/// request, so memory does not grow with the files. The index takes 16 bytes per sample and moves to a temporary file
/// if it is large. The files must not change during the life of the corpus.
public final class PreprocessedCorpus: LocatedSource {
  let files: [TextFile]
  /// The `BlockHash` of each file.
  let contentHashes: [UInt64]
  /// The index of the first sample of each file, and one past the last sample of all.
  private let firstSamples: [Int]
  /// The offset and number of each sample's line.
  private let offsets, lines: SpillableArray
  private let limits: SampleLimits
  private let needsLabels: Bool
  private let temporaryDirectory: String

  /// - Parameters:
  ///   - paths: files, read in this order; "-" is standard input.
  ///   - vocabularySize: the exclusive upper bound of ids.
  ///   - maximumLength: the number of the model's positions.
  ///   - needsLabels: true for training and evaluation.
  /// - Throws: `FileError`; `JSONError` or `PreprocessorError` with the file and the line.
  public init(
    paths: [String], vocabularySize: Int, maximumLength: Int, needsLabels: Bool = true,
    temporaryDirectory: String = "/tmp", standardInput: Int32 = 0
  ) throws {
    guard !paths.isEmpty else { throw PreprocessorError.noFiles }
    guard paths.count(where: { $0 == "-" }) < 2 else { throw PreprocessorError.standardInputTwice }
    limits = SampleLimits(vocabularySize: vocabularySize, maximumLength: maximumLength)
    self.needsLabels = needsLabels
    self.temporaryDirectory = temporaryDirectory
    offsets = SpillableArray(temporaryDirectory: temporaryDirectory)
    lines = SpillableArray(temporaryDirectory: temporaryDirectory)
    var (files, contentHashes) = ([TextFile](), [UInt64]())
    var firstSamples = [Int]()
    var blankLines = 0
    for path in paths {
      let file = try TextFile.open(path, temporaryDirectory: temporaryDirectory, standardInput: standardInput)
      try file.requireText()
      firstSamples.append(offsets.count)
      var reader = PreprocessedLine(file: file.name, needsLabels: needsLabels)
      var lines = TextLines(file.bytes)
      var released = 0
      var hashes = [UInt64]()
      while let range = lines.next() {
        let line = UnsafeBufferPointer(rebasing: file.bytes[range])
        if TextLines.isBlank(line) {
          blankLines += 1
          continue
        }
        _ = try reader.sample(line, number: lines.number, within: limits)
        try offsets.append(UInt64(range.lowerBound))
        try self.lines.append(UInt64(lines.number))
        while (hashes.count + 1) * BlockHash.blockSize <= range.upperBound {
          hashes.append(BlockHash.hash(block: hashes.count, of: file.bytes))
        }
        if range.upperBound - released > Self.pieceBytes {
          file.mapping.release(released..<range.upperBound)
          released = range.upperBound - Self.pieceBytes / 2
        }
      }
      for block in hashes.count..<BlockHash.blocks(beginningIn: 0..<file.bytes.count).upperBound {
        hashes.append(BlockHash.hash(block: block, of: file.bytes))
      }
      contentHashes.append(BlockHash.whole(hashes, bytes: file.bytes.count))
      file.mapping.release(0..<file.bytes.count)
      files.append(file)
    }
    guard offsets.count > 0 else {
      throw PreprocessorError.emptyCorpus(file: files.map(\.name).joined(separator: ", "), blankLines: blankLines)
    }
    self.files = files
    self.contentHashes = contentHashes
    self.firstSamples = firstSamples + [offsets.count]
  }

  /// The number of bytes after which pages that were read are released.
  private static let pieceBytes = 1 << 22

  /// Returns the sample on one line, for prediction: labels may be missing.
  /// - Throws: `JSONError` or `PreprocessorError`, with `location`.
  public static func sample(
    line: [UInt8], vocabularySize: Int, maximumLength: Int, at location: DataLocation
  ) throws -> Sample {
    let limits = SampleLimits(vocabularySize: vocabularySize, maximumLength: maximumLength)
    var reader = PreprocessedLine(file: location.file, needsLabels: false)
    return try line.withUnsafeBufferPointer { try reader.sample($0, number: location.line ?? 1, within: limits) }
  }

  /// The number of samples.
  public var count: Int { offsets.count }

  /// The sample as stored in the file, the same in every epoch.
  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    guard index >= 0, index < count else { throw PreprocessorError.noSuchSample(index: index, count: count) }
    let fileIndex = file(of: index)
    let file = files[fileIndex]
    let start = Int(truncatingIfNeeded: try offsets.value(at: index))
    let isLast = index + 1 == firstSamples[fileIndex + 1]
    let end = isLast ? file.bytes.count : Int(truncatingIfNeeded: try offsets.value(at: index + 1))
    let number = Int(truncatingIfNeeded: try lines.value(at: index))
    return try file.withPart(start..<end) { part in
      // Blank lines may follow the line.
      let line = part[..<TextLines.withoutReturn(part, 0..<TextLines.lineEnd(part, from: 0))]
      var reader = PreprocessedLine(file: file.name, needsLabels: needsLabels)
      return try reader.sample(UnsafeBufferPointer(rebasing: line), number: number, within: limits)
    }
  }

  /// The file and line of a sample.
  public func location(of index: Int) -> DataLocation {
    let name = files[file(of: index)].name
    guard index >= 0, index < count, let line = try? lines.value(at: index) else { return DataLocation(file: name) }
    return DataLocation(file: name, line: Int(truncatingIfNeeded: line))
  }

  private func file(of index: Int) -> Int {
    files.indices.last { firstSamples[$0] <= index } ?? 0
  }

  /// Splits the samples into two disjoint parts of at least one sample each, chosen at random from the seed alone.
  public func split(
    validation fraction: Double, seed: UInt64
  ) throws -> (train: CorpusSubset, validation: CorpusSubset) {
    let split = try LineSplit(lines: count, fraction: fraction, seed: seed)
    return try CorpusSubset.split(self, by: split, temporaryDirectory: temporaryDirectory) { body in
      for _ in 0..<count { try body(false) }
    }
  }
}

/// Reads one line into a row. Checks the form, but not the values.
struct PreprocessedLine {
  let file: String
  let needsLabels: Bool
  /// The last line read.
  private(set) var row = PaddedSample(tokenIDs: [], maskPositions: [])
  private var key: [UInt8] = []

  init(file: String, needsLabels: Bool) {
    self.file = file
    self.needsLabels = needsLabels
  }

  private enum Field: Int {
    case tokenIDs, paddingMask, maskPositions, labels, weights

    init?(_ key: [UInt8]) {
      switch String(decoding: key, as: UTF8.self) {
      case "token_ids", "input_ids": self = .tokenIDs
      case "padding_mask", "attention_mask": self = .paddingMask
      case "mask_positions": self = .maskPositions
      case "labels", "mask_ids": self = .labels
      case "sample_weight", "mask_weights": self = .weights
      default: return nil
      }
    }
  }

  /// Reads and validates a line.
  mutating func sample(_ line: UnsafeBufferPointer<UInt8>, number: Int, within limits: SampleLimits) throws -> Sample {
    try read(line, number: number)
    do {
      return try row.sample(within: limits)
    } catch {
      throw PreprocessorError.badSample(.line(DataLocation(file: file, line: number)), error)
    }
  }

  mutating func read(_ line: UnsafeBufferPointer<UInt8>, number: Int) throws {
    let location = DataLocation(file: file, line: number)
    var scanner = JSONScanner(line, file: file, firstLine: number)
    row = PaddedSample(tokenIDs: [], maskPositions: [])
    guard line.first != nil, try scanner.peek() == .object else {
      throw PreprocessorError.badJSON(location, reason: "expected a JSON object")
    }
    var seen = 0
    var hasTokens = false
    var hasPositions = false
    try scanner.beginObject()
    while try scanner.nextKey(into: &key) {
      guard let field = Field(key) else {
        try scanner.skipValue()
        continue
      }
      guard seen & 1 << field.rawValue == 0 else {
        throw scanner.error(.duplicateKey(String(decoding: key, as: UTF8.self)))
      }
      seen |= 1 << field.rawValue
      if try scanner.peek() == .null {
        try scanner.null()
        continue
      }
      guard try scanner.peek() == .array else {
        let name = String(decoding: key, as: UTF8.self)
        throw PreprocessorError.badJSON(location, reason: "'\(name)' is not an array of numbers")
      }
      switch field {
      case .tokenIDs:
        row.tokenIDs = try integers(&scanner)
        hasTokens = true
      case .paddingMask: row.paddingMask = try integers(&scanner)
      case .maskPositions:
        row.maskPositions = try integers(&scanner)
        hasPositions = true
      case .labels: row.labels = try integers(&scanner)
      case .weights: row.weights = try floats(&scanner)
      }
    }
    try scanner.finish()

    guard hasTokens else { throw PreprocessorError.badJSON(location, reason: "missing key 'token_ids'") }
    if !hasPositions {
      guard let labels = row.labels, labels.count == row.tokenIDs.count, row.weights == nil else {
        throw PreprocessorError.badJSON(location, reason: "missing key 'mask_positions'")
      }
      row.maskPositions = labels.indices.filter { labels[$0] != -100 }
      row.labels = row.maskPositions.map { labels[$0] }
    }
    if needsLabels, row.labels == nil {
      guard row.maskPositions.isEmpty else { throw PreprocessorError.badSample(.line(location), .missingLabels) }
      row.labels = []
    }
  }

  /// Reads integers; true and false count as 1 and 0.
  private func integers(_ scanner: inout JSONScanner) throws(JSONError) -> [Int] {
    var values = [Int]()
    values.reserveCapacity(row.tokenIDs.count)
    try scanner.beginArray()
    while try scanner.nextElement() {
      if try scanner.peek() == .bool {
        values.append(try scanner.bool() ? 1 : 0)
      } else {
        values.append(try scanner.integer())
      }
    }
    return values
  }

  private func floats(_ scanner: inout JSONScanner) throws(JSONError) -> [Float] {
    var values = [Float]()
    values.reserveCapacity(row.maskPositions.count)
    try scanner.beginArray()
    while try scanner.nextElement() { values.append(Float(try scanner.number())) }
    return values
  }
}
