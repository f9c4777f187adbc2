import Files

/// What can be wrong with a tokenizer's files.
public enum TokenizerError: ModelError, Equatable {
  /// No word piece.
  case emptyVocabulary(file: String)
  /// A word piece without a character.
  case emptyPiece(DataLocation)
  /// A word piece that stands there twice; `first`: its id.
  case duplicatePiece(String, DataLocation, first: Int)
  /// A word piece that is not UTF-8.
  case notUTF8(DataLocation)
  /// More than 2²⁸ pieces, or a GiB of them.
  case vocabularyTooLarge(file: String)
  /// A vocabulary without [CLS], or another token that every model needs.
  case missingSpecialToken(String, role: String, file: String)
  /// A directory without a tokenizer.
  case noVocabularyFile(directory: String)
  /// A file that does not have the form it should.
  case badFile(String, what: String)
  /// A tokenizer of a kind that is not provided for.
  case unsupported(file: String, what: String, value: String, supported: String)
  /// An id with a gap before it.
  case idOutOfRange(piece: String, id: String, count: Int, file: String)
  /// Two word pieces of one id.
  case duplicateID(Int, String, String, file: String)
  /// An added token whose id is not the one that transformers would give it.
  case addedTokenID(String, id: Int, expected: Int, file: String)
  /// An added token with the id of another piece.
  case conflictingAddedToken(String, id: Int, other: String, file: String)

  public var kind: ErrorKind { .directory }
  public var message: String {
    switch self {
    case .emptyVocabulary: "the vocabulary is empty"
    case .emptyPiece: "empty line in the vocabulary"
    case .duplicatePiece(let piece, _, let first):
      "the piece '\(piece)' is in the vocabulary twice, first as id \(first)"
    case .notUTF8: "the vocabulary is not UTF-8 text"
    case .vocabularyTooLarge: "the vocabulary is larger than 1 GiB or has too many pieces"
    case .missingSpecialToken(let token, let role, _): "the vocabulary has no \(role) token '\(token)'"
    case .noVocabularyFile(let directory): "\(directory) has neither tokenizer.json nor vocab.txt"
    case .badFile(_, let what): what
    case .unsupported(_, let what, let value, let supported): "\(what) '\(value)' is not supported, only \(supported)"
    case .idOutOfRange(let piece, let id, let count, _):
      "the piece '\(piece)' has id \(id), but there are \(count) pieces"
    case .addedTokenID(let token, let id, let expected, _):
      "the added token '\(token)' has id \(id), but transformers gives it \(expected)"
    case .duplicateID(let id, let first, let second, _): "the pieces '\(first)' and '\(second)' both have id \(id)"
    case .conflictingAddedToken(let token, let id, let other, _):
      "the added token '\(token)' has id \(id), which the vocabulary gives to '\(other)'"
    }
  }

  public var hint: String? {
    switch self {
    case .emptyVocabulary, .emptyPiece: "a vocabulary is UTF-8 text with one word piece a line"
    case .notUTF8: "is this another kind of file? a vocabulary is UTF-8 text with one word piece a line"
    case .duplicatePiece: "each piece needs an id of its own; was the file edited by hand?"
    case .missingSpecialToken:
      "a BERT vocabulary holds [PAD] [UNK] [CLS] [SEP] [MASK], or tokenizer_config.json names others"
    case .noVocabularyFile: "copy the model's tokenizer.json or vocab.txt into the directory"
    case .unsupported: "this tool reads BERT's WordPiece tokenizers"
    case .idOutOfRange, .duplicateID: "ids are rows of the embedding, counted from 0: each belongs to one piece"
    case .addedTokenID: "tokens that are not in the vocabulary get the ids behind it, one after the other"
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
