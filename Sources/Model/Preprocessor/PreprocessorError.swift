import Files

/// Errors in the settings of the preprocessor, in text, and in preprocessed samples.
public enum PreprocessorError: ModelError, Equatable {
  /// A rate outside 0 … 1.
  case rateOutOfRange(name: String, value: Double)
  /// The shares of [MASK] and of random replacements together exceed 1.
  case replacementRatesTooLarge(maskTokenRate: Double, randomTokenRate: Double)
  /// A maximum number of selected tokens below 1.
  case selectionLengthNotPositive(Int)
  /// A sequence length without room for the special tokens (and, in a corpus, one token of text).
  case sequenceTooShort(length: Int, needed: Int)
  /// A sample without a segment.
  case noSegments(sample: Int)
  /// A sample index outside the corpus.
  case noSuchSample(index: Int, count: Int)
  /// Arrays of one batch with different numbers of samples.
  case samplesDiffer(what: String, found: Int, expected: Int)
  /// A vocabulary without a word piece.
  case vocabularyEmpty
  /// A vocabulary size too small to spell any text.
  case vocabularyTooSmall(_ size: Int, least: Int)
  /// Files without a word to learn a vocabulary from.
  case noWords(file: String)
  /// A validation share outside 0 … 1.
  case fractionOutOfRange(Double)
  /// A corpus of fewer than two lines.
  case tooFewLinesToSplit(lines: Int)

  /// An empty list of files.
  case noFiles
  /// Files without a line of text.
  case emptyCorpus(file: String, blankLines: Int)
  /// A file that is certainly not text: its probable format, and a remedy.
  case notText(file: String, looksLike: String, remedy: String?)
  /// Invalid UTF-8 with `isStrict`. The byte is counted from 1 in the line; the offset is from the start of the file.
  case invalidUTF8(DataLocation, byteInLine: Int, offset: Int)
  /// A line that is not two segments separated by one tab.
  case notAPair(DataLocation, tabs: Int)
  /// A file of more than 1 TiB.
  case fileTooLarge(file: String)
  /// A second "-" among the files.
  case standardInputTwice
  /// Input that can be read only once could not be copied to a temporary file.
  case spoolFailed(source: String, directory: String, reason: String)

  /// A preprocessed sample that is inconsistent, or does not fit the model.
  case badSample(SamplePlace, SampleFault)
  /// A line that is not a preprocessed sample.
  case badJSON(DataLocation, reason: String)

  public var kind: ErrorKind { .data }

  /// The problem: one line, in lower case, without a full stop.
  public var message: String {
    switch self {
    case .rateOutOfRange(let name, let value): "\(name) is \(value), expected a rate between 0 and 1"
    case .replacementRatesTooLarge(let mask, let random):
      "mask token rate \(mask) and random token rate \(random) together exceed 1"
    case .selectionLengthNotPositive(let length): "mask selection length is \(length), expected at least 1"
    case .sequenceTooShort(let length, let needed):
      "sequence length \(length) is too short: the special tokens and the text need at least \(needed)"
    case .noSegments(let sample): "sample \(sample) has no segment"
    case .noSuchSample(let index, let count): "no sample \(index): the corpus has \(count), counted from 0"
    case .samplesDiffer(let what, let found, let expected): "\(found) \(what) for \(expected) samples"
    case .vocabularyEmpty: "the vocabulary is empty"
    case .vocabularyTooSmall(let size, let least):
      "a vocabulary of \(size) word \(size == 1 ? "piece" : "pieces") is too small: the minimum is \(least)"
    case .noWords: "no words in the text to learn a vocabulary from"
    case .fractionOutOfRange(let value): "validation split \(value) is not between 0 and 1"
    case .tooFewLinesToSplit(let lines):
      "\(lines) \(lines == 1 ? "line" : "lines") of text cannot be split into training and validation"
    case .noFiles: "no input file"
    case .emptyCorpus(_, let blank):
      blank == 0 ? "the file is empty" : "no text: all \(blank) lines contain only white space"
    case .notText(_, let kind, _): "not a text file: looks like \(kind)"
    case .invalidUTF8(_, let byte, let offset):
      "invalid UTF-8 at byte \(byte) of the line (offset \(offset) in the file)"
    case .notAPair(_, let tabs):
      tabs == 0 ? "the line is not a pair: it has no tab" : "the line is not a pair: it has \(tabs) tabs"
    case .fileTooLarge: "files larger than 1 TiB are not supported"
    case .standardInputTwice: "standard input ('-') is given twice"
    case .spoolFailed(let source, let directory, let reason):
      "cannot copy \(source) to a temporary file in \(directory): \(reason)"
    case .badSample(.index(let index), let fault): "sample \(index): \(fault.message)"
    case .badSample(.line, let fault): fault.message
    case .badJSON(_, let reason): "not a preprocessed sample: \(reason)"
    }
  }

  public var hint: String? {
    switch self {
    case .replacementRatesTooLarge: "lower one of them: the remaining selected tokens stay unchanged"
    case .notText(_, _, let remedy): remedy
    case .invalidUTF8: "convert the file to UTF-8, or read it without strict, to replace invalid bytes with U+FFFD"
    case .notAPair: "each line must be two text segments separated by one tab"
    case .fileTooLarge: "split it into smaller files"
    case .tooFewLinesToSplit: "put the validation text in a separate file"
    case .emptyCorpus: "give a file with at least one line of text"
    case .badJSON:
      "each line must be an object like {\"token_ids\":[…],\"mask_positions\":[…],\"labels\":[…]}"
    case .badSample(_, .missingLabels): "training and evaluation need \"labels\": the original id at each mask position"
    default: nil
    }
  }

  public var location: DataLocation? {
    switch self {
    case .emptyCorpus(let file, _), .notText(let file, _, _), .fileTooLarge(let file), .noWords(let file):
      DataLocation(file: file)
    case .invalidUTF8(let location, _, _), .notAPair(let location, _), .badJSON(let location, _),
      .badSample(.line(let location), _):
      location
    default: nil
    }
  }
}

/// The location of a sample: its index in an array, or its line in a file.
public enum SamplePlace: Sendable, Equatable {
  /// The index, counted from 0.
  case index(Int)
  /// A file and a line.
  case line(DataLocation)
}

/// A fault in a preprocessed sample.
public enum SampleFault: Error, Sendable, Equatable {
  /// No token other than padding.
  case noTokens
  /// Related arrays with different lengths.
  case lengthsDiffer(name: String, count: Int, other: String, expected: Int)
  /// An id outside the model's vocabulary.
  case tokenOutsideVocabulary(name: String, index: Int, id: Int, vocabularySize: Int)
  /// A padding mask value other than 0 and 1.
  case paddingMaskValue(index: Int, value: Int)
  /// A mask position beyond the end of the sample.
  case positionOutside(slot: Int, position: Int, length: Int)
  /// A mask position on padding.
  case positionOnPadding(slot: Int, position: Int)
  /// A weight that is negative or not finite.
  case weightNotUsable(slot: Int, weight: Float)
  /// More tokens than the model has positions.
  case tooLong(length: Int, maximum: Int)
  /// Missing labels, in training or evaluation.
  case missingLabels
  /// A position id below 0.
  case negativePositionID

  /// The problem: one line, in lower case, without a full stop.
  public var message: String {
    switch self {
    case .noTokens: "no tokens other than padding"
    case .lengthsDiffer(let name, let count, let other, let expected):
      "\(name) has \(count) entries, but \(other) has \(expected)"
    case .tokenOutsideVocabulary(let name, let index, let id, let size):
      "\(name)[\(index)] is \(id), outside the vocabulary of \(size)"
    case .paddingMaskValue(let index, let value): "padding_mask[\(index)] is \(value), expected 0 or 1"
    case .positionOutside(let slot, let position, let length):
      "mask_positions[\(slot)] is \(position), outside the sample of \(length) tokens"
    case .positionOnPadding(let slot, let position):
      "mask_positions[\(slot)] is \(position), which is padding, and its weight is not 0"
    case .weightNotUsable(let slot, let weight): "sample_weight[\(slot)] is \(weight), expected a finite number ≥ 0"
    case .tooLong(let length, let maximum): "\(length) tokens, but the model has \(maximum) positions"
    case .missingLabels: "no labels"
    case .negativePositionID: "a position id is negative"
    }
  }
}
