import Files

/// Errors in a tokenizer's files.
public enum TokenizerError: ModelError, Equatable {
  /// A vocabulary without a word piece.
  case emptyVocabulary(file: String)
  /// A word piece without characters.
  case emptyPiece(DataLocation)
  /// A duplicate word piece; `first` is the id of its first occurrence.
  case duplicatePiece(String, DataLocation, first: Int)
  /// A word piece that is not UTF-8.
  case notUTF8(DataLocation)
  /// More than 2²⁸ pieces, or more than 1 GiB of them.
  case vocabularyTooLarge(file: String)
  /// A vocabulary without [CLS] or another token that every model needs.
  case missingSpecialToken(String, role: String, file: String)
  /// A directory without a tokenizer.
  case noVocabularyFile(directory: String)
  /// A file with an invalid structure.
  case badFile(String, what: String)
  /// A tokenizer of an unsupported kind.
  case unsupported(file: String, what: String, value: String, supported: String)
  /// An id that leaves a gap before it.
  case idOutOfRange(piece: String, id: String, count: Int, file: String)
  /// Two word pieces with the same id.
  case duplicateID(Int, String, String, file: String)
  /// An added token with another id than transformers assigns to it.
  case addedTokenID(String, id: Int, expected: Int, file: String)
  /// An added token with the id of another piece.
  case conflictingAddedToken(String, id: Int, other: String, file: String)

  public var kind: ErrorKind { .directory }
  public var message: String {
    switch self {
    case .emptyVocabulary: "the vocabulary is empty"
    case .emptyPiece: "empty line in the vocabulary"
    case .duplicatePiece(let piece, _, let first):
      "duplicate piece '\(piece)' in the vocabulary, first as id \(first)"
    case .notUTF8: "the vocabulary is not UTF-8 text"
    case .vocabularyTooLarge: "the vocabulary is larger than 1 GiB or has too many pieces"
    case .missingSpecialToken(let token, let role, _): "the vocabulary has no \(role) token '\(token)'"
    case .noVocabularyFile(let directory): "\(directory) has neither tokenizer.json nor vocab.txt"
    case .badFile(_, let what): what
    case .unsupported(_, let what, let value, let supported): "\(what) '\(value)' is not supported, only \(supported)"
    case .idOutOfRange(let piece, let id, let count, _):
      "the piece '\(piece)' has id \(id), but there are \(count) pieces"
    case .addedTokenID(let token, let id, let expected, _):
      "the added token '\(token)' has id \(id), but transformers assigns \(expected)"
    case .duplicateID(let id, let first, let second, _): "duplicate id \(id): pieces '\(first)' and '\(second)'"
    case .conflictingAddedToken(let token, let id, let other, _):
      "the added token '\(token)' has id \(id), which belongs to '\(other)' in the vocabulary"
    }
  }

  public var hint: String? {
    switch self {
    case .emptyVocabulary, .emptyPiece: "a vocabulary is UTF-8 text with one word piece per line"
    case .notUTF8: "give a vocabulary file: UTF-8 text with one word piece per line"
    case .duplicatePiece: "remove one of the two lines: each piece has exactly one id"
    case .missingSpecialToken:
      "add it to the vocabulary, or declare another token for its role in tokenizer_config.json"
    case .noVocabularyFile: "copy the model's tokenizer.json or vocab.txt into the directory"
    case .unsupported: "use a BERT WordPiece tokenizer"
    case .idOutOfRange, .duplicateID: "ids are the rows of the embedding, counted from 0: each belongs to one piece"
    case .addedTokenID: "tokens outside the vocabulary get consecutive ids after its last one"
    case .vocabularyTooLarge, .badFile, .conflictingAddedToken: nil
    }
  }

  public var location: DataLocation? {
    switch self {
    case .emptyPiece(let location), .duplicatePiece(_, let location, _), .notUTF8(let location): location
    case .emptyVocabulary(let file), .vocabularyTooLarge(let file), .missingSpecialToken(_, _, let file),
      .badFile(let file, _), .unsupported(let file, _, _, _), .idOutOfRange(_, _, _, let file),
      .duplicateID(_, _, _, let file), .conflictingAddedToken(_, _, _, let file), .addedTokenID(_, _, _, let file):
      DataLocation(file: file)
    case .noVocabularyFile: nil
    }
  }
}
