/// Preprocessed integer samples from JSON Lines files, one sample a line:
///
///     {"token_ids":[…],"padding_mask":[…],"mask_positions":[…],"labels":[…],"sample_weight":[…]}
///
/// the arrays of KerasHub's preprocessor output. `padding_mask` (default: all 1; booleans will do), `labels` (not
/// needed in prediction) and `sample_weight` (default: all 1) may be left out or null; samples may differ in length;
/// other keys are passed over. Also understood: `mask_ids` for `labels`, `mask_weights` for `sample_weight`,
/// `input_ids` and `attention_mask` for the first two, and transformers' way of writing targets: no `mask_positions`,
/// and `labels` as long as the sample with -100 where nothing is to be predicted.
///
/// All files are read and judged before the first sample is given out. Memory is about 4 bytes a token.
public final class PreprocessedCorpus: SampleSource {
  private let files: [String]
  /// The first sample of each file.
  private let firstSamples: [Int]
  private let storage: Storage
  private let temporaryDirectory: String

  /// The samples end to end.
  private struct Storage: Sendable {
    var tokenIDs: [Int32] = []
    var maskPositions: [Int32] = []
    var labels: [Int32] = []
    var weights: [Float] = []
    var rows: [Row] = []
    /// The position ids of samples with padding between their tokens, which are rare.
    var positionIDs: [Int: [Int32]] = [:]
  }

  /// Where a sample begins in each array.
  private struct Row: Sendable {
    var token, mask, label: Int
    /// The position id of the first token: 0 unless there is padding before it.
    var firstPosition: Int32
    var line: Int
    /// The mask slots as they stood in the file, those of weight 0 counted.
    var slots: Int32
  }

  /// - Parameters:
  ///   - paths: files, read in that order; "-" is standard input.
  ///   - vocabularySize: ids are below this.
  ///   - maximumLength: the model's positions.
  ///   - needsLabels: true for training and evaluation.
  /// - Throws: `FileError`; `JSONError` or `PreprocessorError` with the file and the line.
  public init(
    paths: [String], vocabularySize: Int, maximumLength: Int, needsLabels: Bool = true,
    temporaryDirectory: String = "/tmp", standardInput: Int32 = 0
  ) throws {
    guard !paths.isEmpty else { throw PreprocessorError.noFiles }
    guard paths.count(where: { $0 == "-" }) < 2 else { throw PreprocessorError.standardInputTwice }
    let limits = SampleLimits(vocabularySize: vocabularySize, maximumLength: maximumLength)
    var storage = Storage()
    var names = [String]()
    var firstSamples = [Int]()
    var blankLines = 0
    for path in paths {
      let file = try TextFile.open(path, temporaryDirectory: temporaryDirectory, standardInput: standardInput)
      try file.requireText()
      names.append(file.name)
      firstSamples.append(storage.rows.count)
      let bytes = file.bytes
      var reader = PreprocessedLine(file: file.name, needsLabels: needsLabels)
      var lines = TextLines(bytes)
      while let range = lines.next() {
        let line = UnsafeBufferPointer(rebasing: bytes[range])
        if TextLines.isBlank(line) {
          blankLines += 1
          continue
        }
        Self.append(try reader.sample(line, number: lines.number, within: limits), line: lines.number, to: &storage)
      }
    }
    guard !storage.rows.isEmpty else {
      throw PreprocessorError.emptyCorpus(file: names.joined(separator: ", "), blankLines: blankLines)
    }
    storage.rows.append(
      Row(
        token: storage.tokenIDs.count, mask: storage.maskPositions.count, label: storage.labels.count,
        firstPosition: 0, line: 0, slots: 0))
    files = names
    self.temporaryDirectory = temporaryDirectory
    self.firstSamples = firstSamples
    self.storage = storage
  }

  /// One line by itself, for prediction: labels may be missing.
  /// - Throws: `JSONError` or `PreprocessorError`, with the line's place in `location`.
  public static func sample(
    line: [UInt8], vocabularySize: Int, maximumLength: Int, at location: DataLocation
  ) throws -> Sample {
    let limits = SampleLimits(vocabularySize: vocabularySize, maximumLength: maximumLength)
    var reader = PreprocessedLine(file: location.file, needsLabels: false)
    return try line.withUnsafeBufferPointer { try reader.sample($0, number: location.line ?? 1, within: limits) }
  }

  private static func append(_ sample: Sample, line: Int, to storage: inout Storage) {
    let first = sample.positionIDs.first ?? 0
    if let last = sample.positionIDs.last, Int(last - first) + 1 != sample.tokenIDs.count {
      storage.positionIDs[storage.rows.count] = sample.positionIDs
    }
    storage.rows.append(
      Row(
        token: storage.tokenIDs.count, mask: storage.maskPositions.count, label: storage.labels.count,
        firstPosition: first, line: line, slots: Int32(truncatingIfNeeded: sample.slots)))
    storage.tokenIDs.append(contentsOf: sample.tokenIDs)
    storage.maskPositions.append(contentsOf: sample.maskPositions)
    storage.labels.append(contentsOf: sample.labels)
    storage.weights.append(contentsOf: sample.weights)
  }

  /// The number of samples.
  public var count: Int { storage.rows.count - 1 }

  /// The sample as it is in the file, the same in every epoch.
  public func sample(_ index: Int, epoch: Int) throws -> Sample {
    guard index >= 0, index < count else { throw PreprocessorError.noSuchSample(index: index, count: count) }
    let row = storage.rows[index]
    let next = storage.rows[index + 1]
    let length = Int32(truncatingIfNeeded: next.token - row.token)
    return Sample(
      tokenIDs: Array(storage.tokenIDs[row.token..<next.token]),
      positionIDs: storage.positionIDs[index] ?? Array(row.firstPosition..<row.firstPosition + length),
      maskPositions: Array(storage.maskPositions[row.mask..<next.mask]),
      labels: Array(storage.labels[row.label..<next.label]), weights: Array(storage.weights[row.mask..<next.mask]),
      slots: Int(row.slots))
  }

  /// The file and line a sample stands in.
  public func location(of index: Int) -> DataLocation {
    let file = firstSamples.lastIndex { $0 <= index } ?? 0
    guard index >= 0, index < count else { return DataLocation(file: files[file]) }
    return DataLocation(file: files[file], line: storage.rows[index].line)
  }

  /// Two disjoint parts, chosen at random from the seed alone; at least one sample in each.
  public func split(
    validation fraction: Double, seed: UInt64
  ) throws -> (train: CorpusSubset, validation: CorpusSubset) {
    let split = try LineSplit(lines: count, fraction: fraction, seed: seed)
    return try CorpusSubset.split(self, by: split, temporaryDirectory: temporaryDirectory) { body in
      for _ in 0..<count { try body(false) }
    }
  }
}

/// Reads one line into a row, and nothing more is judged than its form.
struct PreprocessedLine {
  let file: String
  let needsLabels: Bool
  /// The last line that was read.
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

  /// Reads and judges a line.
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
      throw PreprocessorError.badJSON(location, reason: "the line is not an object")
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
        throw PreprocessorError.badJSON(location, reason: "\(name) is not an array of numbers")
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

    guard hasTokens else { throw PreprocessorError.badJSON(location, reason: "it has no token_ids") }
    if !hasPositions {
      guard let labels = row.labels, labels.count == row.tokenIDs.count, row.weights == nil else {
        throw PreprocessorError.badJSON(location, reason: "it has no mask_positions")
      }
      row.maskPositions = labels.indices.filter { labels[$0] != -100 }
      row.labels = row.maskPositions.map { labels[$0] }
    }
    if needsLabels, row.labels == nil {
      guard row.maskPositions.isEmpty else { throw PreprocessorError.badSample(.line(location), .missingLabels) }
      row.labels = []
    }
  }

  /// Whole numbers; true and false count as 1 and 0.
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
