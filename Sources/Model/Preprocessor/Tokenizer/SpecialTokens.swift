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
