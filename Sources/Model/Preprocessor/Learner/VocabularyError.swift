/// Why no vocabulary can be learned.
public enum VocabularyError: ModelError, Equatable {
  /// A size that has no room for the special pieces and some others.
  case tooSmall(_ size: Int, least: Int)
  /// No word in any of the files.
  case noWords(file: String)

  public var message: String {
    switch self {
    case .tooSmall(let size, let least): "a vocabulary of \(size) word pieces is too small: \(least) is the least"
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
