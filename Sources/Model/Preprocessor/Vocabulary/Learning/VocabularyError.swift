import Files

/// Why no vocabulary can be learned.
public enum VocabularyError: ModelError, Equatable {
  /// So few pieces that no text can be written with them.
  case tooSmall(_ size: Int, least: Int)
  /// No word in any of the files.
  case noWords(file: String)

  public var message: String {
    switch self {
    case .tooSmall(let size, let least):
      "a vocabulary of \(size) word \(size == 1 ? "piece" : "pieces") is too small: \(least) is the least"
    case .noWords: "there is no word in the text to learn a vocabulary from"
    }
  }

  public var location: DataLocation? {
    switch self {
    case .tooSmall: nil
    case .noWords(let file): DataLocation(file: file)
    }
  }
}
