/// The ids of the tokens that BERT gives a meaning of their own.
public struct SpecialTokens: Sendable, Equatable {
  /// [PAD].
  public let padding: Int32
  /// [UNK]: words that no pieces make up.
  public let unknown: Int32
  /// [CLS], in front of every sample.
  public let classification: Int32
  /// [SEP], behind every segment.
  public let separator: Int32
  /// [MASK].
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
  public var named: [(content: String, id: Int32)] {
    [
      (names.padding, padding), (names.unknown, unknown), (names.classification, classification),
      (names.separator, separator), (names.mask, mask),
    ]
  }
}

/// How the special tokens are spelled. Names of the keys in tokenizer_config.json: `pad_token`, `unk_token`, ….
public struct SpecialTokenNames: Sendable, Equatable {
  /// `pad_token`.
  public var padding = "[PAD]"
  /// `unk_token`.
  public var unknown = "[UNK]"
  /// `cls_token`.
  public var classification = "[CLS]"
  /// `sep_token`.
  public var separator = "[SEP]"
  /// `mask_token`.
  public var mask = "[MASK]"

  /// As in BERT.
  public init() {}
}

/// A token that was added to the vocabulary, or marked as special in it (an entry of tokenizer.json's `added_tokens`).
public struct AddedToken: Sendable, Equatable {
  /// Its place in the vocabulary.
  public var id: Int32
  /// How it is spelled.
  public var content: String
  /// Whether it is one of the tokens with a meaning of their own.
  public var isSpecial: Bool
  /// Found in the normalized text, and so in either case in a lower-case model.
  public var isNormalized: Bool
  /// Found only where no letter or digit stands beside it.
  public var singleWord: Bool
  /// Takes white space before it along.
  public var leftStrip: Bool
  /// Takes white space behind it along.
  public var rightStrip: Bool

  /// A token from its parts.
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
