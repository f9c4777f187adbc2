/// The ids of the tokens that BERT gives a meaning of their own.
public struct SpecialTokens: Sendable, Equatable {
  public let padding: Int32
  public let unknown: Int32
  public let classification: Int32
  public let separator: Int32
  public let mask: Int32
  /// How they are spelled.
  public let names: SpecialTokenNames

  /// Looks the ids up by content. Throws `TokenizerError.missingSpecialToken`.
  public init(_ vocabulary: Vocabulary, names: SpecialTokenNames = SpecialTokenNames()) throws {
    func id(_ name: String, _ role: String) throws -> Int32 {
      guard let id = vocabulary.id(of: name) else {
        throw TokenizerError.missingSpecialToken(name, role: role, file: vocabulary.file)
      }
      return id
    }
    padding = try id(names.padding, "padding")
    unknown = try id(names.unknown, "unknown-word")
    classification = try id(names.classification, "classification")
    separator = try id(names.separator, "separator")
    mask = try id(names.mask, "mask")
    self.names = names
  }

  /// Spelling and id of each.
  var named: [(content: String, id: Int32)] {
    [
      (names.padding, padding), (names.unknown, unknown), (names.classification, classification),
      (names.separator, separator), (names.mask, mask),
    ]
  }
}

/// How the special tokens are spelled. Names of the keys in tokenizer_config.json: `pad_token`, `unk_token`, ….
public struct SpecialTokenNames: Sendable, Equatable {
  public var padding = "[PAD]"
  public var unknown = "[UNK]"
  public var classification = "[CLS]"
  public var separator = "[SEP]"
  public var mask = "[MASK]"

  public init() {}
}

/// A token that was added to the vocabulary, or marked as special in it (an entry of tokenizer.json's `added_tokens`).
public struct AddedToken: Sendable, Equatable {
  public var id: Int32
  public var content: String
  public var isSpecial: Bool
  /// Found in the normalized text, and so in either case in a lower-case model.
  public var isNormalized: Bool
  public var singleWord: Bool
  public var leftStrip: Bool
  public var rightStrip: Bool

  public init(
    id: Int32, content: String, isSpecial: Bool, isNormalized: Bool = false, singleWord: Bool = false,
    leftStrip: Bool = false, rightStrip: Bool = false
  ) {
    self.id = id
    self.content = content
    self.isSpecial = isSpecial
    self.isNormalized = isNormalized
    self.singleWord = singleWord
    self.leftStrip = leftStrip
    self.rightStrip = rightStrip
  }
}
