/// The ids of the tokens to which BERT assigns a special meaning.
public struct SpecialTokens: Sendable, Equatable {
  /// [PAD].
  public let padding: Int32
  /// [UNK], for words that no sequence of pieces spells.
  public let unknown: Int32
  /// [CLS], at the beginning of every sample.
  public let classification: Int32
  /// [SEP], after every segment.
  public let separator: Int32
  /// [MASK].
  public let mask: Int32
  /// The spelling of the tokens.
  public let names: SpecialTokenNames

  /// Looks up the ids by content. Throws `TokenizerError.missingSpecialToken`.
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

  /// The spelling and id of each token.
  public var named: [(content: String, id: Int32)] {
    [
      (names.padding, padding), (names.unknown, unknown), (names.classification, classification),
      (names.separator, separator), (names.mask, mask),
    ]
  }
}

/// The spelling of the special tokens. The corresponding keys in tokenizer_config.json are `pad_token`, `unk_token`, ….
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

  /// Creates BERT's names.
  public init() {}
}
