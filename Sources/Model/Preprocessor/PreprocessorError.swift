import Files

/// What can be wrong with the settings of the preprocessor, with text, and with preprocessed samples.
public enum PreprocessorError: ModelError, Equatable {
  /// A rate outside 0 … 1.
  case rateOutOfRange(name: String, value: Double)
  /// The shares of [MASK] and of random replacements together exceed 1.
  case replacementRatesTooLarge(maskTokenRate: Double, randomTokenRate: Double)
  /// No token may be selected.
  case selectionLengthNotPositive(Int)
  /// No room for the special tokens (and, in a corpus, one token of text).
  case sequenceTooShort(length: Int, needed: Int)
  /// A sample without a segment.
  case noSegments(sample: Int)
  /// A sample that the corpus does not have.
  case noSuchSample(index: Int, count: Int)
  /// Arrays of one batch that have different numbers of samples.
  case samplesDiffer(what: String, found: Int, expected: Int)
  /// A vocabulary without a word piece.
  case vocabularyEmpty
  /// A vocabulary to learn of so few pieces that no text can be written with them.
  case vocabularyTooSmall(_ size: Int, least: Int)
  /// No word, in any of the files, to learn a vocabulary from.
  case noWords(file: String)
  /// A share for validation outside 0 … 1.
  case fractionOutOfRange(Double)
  /// A corpus of a line or none.
  case tooFewLinesToSplit(lines: Int)

  /// No file was named.
  case noFiles
  /// No line of text in any of the files.
  case emptyCorpus(file: String, blankLines: Int)
  /// A file that is certainly not text, what it looks like, and what to do.
  case notText(file: String, looksLike: String, remedy: String?)
  /// Bytes that are not UTF-8, where that is an error; counted from 1 in the line, from 0 in the file.
  case invalidUTF8(DataLocation, byteInLine: Int, offset: Int)
  /// A line that is not two segments with a tab between them.
  case notAPair(DataLocation, tabs: Int)
  /// A file of more than 1 TiB.
  case fileTooLarge(file: String)
  /// "-" is among the files twice.
  case standardInputTwice
  /// What can be read only once could not be copied.
  case spoolFailed(source: String, directory: String, reason: String)

  /// A preprocessed sample that does not fit itself or the model.
  case badSample(SamplePlace, SampleFault)
  /// A line that is not a preprocessed sample.
  case badJSON(DataLocation, reason: String)

  public var kind: ErrorKind { .data }
  /// What is wrong: one line, in lower case, without a full stop.
  public var message: String {
    switch self {
    case .rateOutOfRange(let name, let value): "\(name) is \(value), not a rate between 0 and 1"
    case .replacementRatesTooLarge(let mask, let random):
      "mask token rate \(mask) and random token rate \(random) together exceed 1"
    case .selectionLengthNotPositive(let length): "mask selection length is \(length), not a positive number"
    case .sequenceTooShort(let length, let needed):
      "sequence length \(length) is too short: \(needed) is the least that holds the special tokens and the text"
    case .noSegments(let sample): "sample \(sample) has no segment"
    case .noSuchSample(let index, let count): "no sample \(index): there are \(count), counted from 0"
    case .samplesDiffer(let what, let found, let expected): "\(found) \(what) for \(expected) samples"
    case .vocabularyEmpty: "the vocabulary is empty"
    case .vocabularyTooSmall(let size, let least):
      "a vocabulary of \(size) word \(size == 1 ? "piece" : "pieces") is too small: \(least) is the least"
    case .noWords: "there is no word in the text to learn a vocabulary from"
    case .fractionOutOfRange(let value): "validation split \(value) is not between 0 and 1"
    case .tooFewLinesToSplit(let lines):
      "\(lines) \(lines == 1 ? "line" : "lines") of text cannot be split into training and validation"
    case .noFiles: "no file to read text from"
    case .emptyCorpus(_, let blank):
      blank == 0 ? "the file is empty" : "no text: all \(blank) lines are white space"
    case .notText(_, let kind, _): "not a text file: it looks like \(kind)"
    case .invalidUTF8(_, let byte, let offset):
      "invalid UTF-8 at byte \(byte) of the line (offset \(offset) in the file)"
    case .notAPair(_, let tabs):
      tabs == 0 ? "the line is no pair: it has no tab" : "the line is no pair: it has \(tabs) tabs"
    case .fileTooLarge: "files above 1 TiB are not supported"
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
    case .replacementRatesTooLarge: "what is left of 1 are the tokens that stay as they are"
    case .notText(_, _, let remedy): remedy
    case .invalidUTF8: "convert the file to UTF-8, or read it without strict, which replaces such bytes by U+FFFD"
    case .notAPair: "each line is two segments of text with one tab between them"
    case .fileTooLarge: "split it into several files"
    case .tooFewLinesToSplit: "give the validation text as a file of its own"
    case .emptyCorpus: "give a file with at least one line of text"
    case .badJSON:
      "each line is an object like {\"token_ids\":[…],\"mask_positions\":[…],\"labels\":[…]}"
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

/// Where a sample was found: its index in an array, or its line in a file.
public enum SamplePlace: Sendable, Equatable {
  /// Counted from 0.
  case index(Int)
  /// A file and a line.
  case line(DataLocation)
}

/// What is wrong with a preprocessed sample.
public enum SampleFault: Error, Sendable, Equatable {
  /// Nothing but padding.
  case noTokens
  /// Arrays that belong together and have different lengths.
  case lengthsDiffer(name: String, count: Int, other: String, expected: Int)
  /// An id that the model has no row for.
  case tokenOutsideVocabulary(name: String, index: Int, id: Int, vocabularySize: Int)
  /// A padding mask with something else than 0 and 1.
  case paddingMaskValue(index: Int, value: Int)
  /// A mask position behind the sample's end.
  case positionOutside(slot: Int, position: Int, length: Int)
  /// A mask position where padding is.
  case positionOnPadding(slot: Int, position: Int)
  /// A weight that is negative, or no number.
  case weightNotUsable(slot: Int, weight: Float)
  /// More tokens than the model has positions.
  case tooLong(length: Int, maximum: Int)
  /// No labels, where they are needed.
  case missingLabels
  /// A position id below 0.
  case negativePositionID

  /// What is wrong: one line, in lower case, without a full stop.
  public var message: String {
    switch self {
    case .noTokens: "no token that is not padding"
    case .lengthsDiffer(let name, let count, let other, let expected):
      "\(name) has \(count) entries, but \(other) has \(expected)"
    case .tokenOutsideVocabulary(let name, let index, let id, let size):
      "\(name)[\(index)] is \(id), outside the vocabulary of \(size)"
    case .paddingMaskValue(let index, let value): "padding_mask[\(index)] is \(value), neither 0 nor 1"
    case .positionOutside(let slot, let position, let length):
      "mask_positions[\(slot)] is \(position), outside the sample of \(length) tokens"
    case .positionOnPadding(let slot, let position):
      "mask_positions[\(slot)] is \(position), which is padding, and its weight is not 0"
    case .weightNotUsable(let slot, let weight): "sample_weight[\(slot)] is \(weight), not a finite number from 0 up"
    case .tooLong(let length, let maximum): "\(length) tokens, but the model has \(maximum) positions"
    case .missingLabels: "no labels"
    case .negativePositionID: "a position id is negative"
    }
  }
}
