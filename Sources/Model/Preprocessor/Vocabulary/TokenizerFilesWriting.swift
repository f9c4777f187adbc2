import Text

/// Writing of a tokenizer into a model directory.
extension WordPieceTokenizer {
  /// Returns tokenizer.json, tokenizer_config.json, special_tokens_map.json and vocab.txt, with reproducible bytes. Old
  /// and new versions of transformers can load them.
  ///
  /// `maximumLength`: the model's maximum sequence length, for `model_max_length`.
  public func files(maximumLength: Int) -> [(name: String, bytes: [UInt8])] {
    [
      ("special_tokens_map.json", specialTokensMap.serialized(.indented(2), endingInNewline: true)),
      ("tokenizer.json", tokenizerJSON),
      ("tokenizer_config.json", tokenizerConfig(maximumLength).serialized(.indented(2), endingInNewline: true)),
      ("vocab.txt", vocabulary.vocabTXT),
    ]
  }

  private var specialTokensMap: JSONValue {
    .object((namedTokens + extras.specialTokens).sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
  }

  private var namedTokens: [(key: String, value: JSONValue)] {
    let names = specialTokens.names
    return [
      ("cls_token", .string(names.classification)), ("mask_token", .string(names.mask)),
      ("pad_token", .string(names.padding)), ("sep_token", .string(names.separator)),
      ("unk_token", .string(names.unknown)),
    ]
  }

  private func tokenizerConfig(_ maximumLength: Int) -> JSONValue {
    let decoder = addedTokens.map { token in
      (key: String(token.id), value: JSONValue.object([(key: "content", value: .string(token.content))] + flags(token)))
    }
    var members: [(key: String, value: JSONValue)] = [
      ("added_tokens_decoder", .object(decoder)),
      ("clean_up_tokenization_spaces", .bool(options.cleanUpTokenizationSpaces)),
      ("do_lower_case", .bool(options.lowercase)),
      ("model_max_length", .number(maximumLength)),
      ("strip_accents", options.stripAccents.map { .bool($0) } ?? .null),
      ("tokenize_chinese_chars", .bool(options.splitsCJK)),
      ("tokenizer_class", .string(isDistilBertTokenizer ? "DistilBertTokenizer" : "PreTrainedTokenizerFast")),
    ]
    // Used by this project and KerasHub; transformers always finds special tokens.
    if options.findsSpecialTokens { members.append(("special_tokens_in_strings", .bool(true))) }
    return .object(
      (members + namedTokens + extras.specialTokens).sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
  }

  /// Whether transformers' class of this name reads text the same way. It supports BERT's normalization only;
  /// otherwise, the class that reads tokenizer.json is named.
  private var isDistilBertTokenizer: Bool {
    options.steps == nil && options.cleansText
      && options.maximumWordLength == WordPieceTokenizer.Options().maximumWordLength
  }

  private func flags(_ token: AddedToken) -> [(key: String, value: JSONValue)] {
    [
      ("single_word", .bool(token.singleWord)), ("lstrip", .bool(token.leftStrip)),
      ("rstrip", .bool(token.rightStrip)), ("normalized", .bool(token.isNormalized)),
      ("special", .bool(token.isSpecial)),
    ]
  }

  private var tokenizerJSON: [UInt8] {
    let names = specialTokens.names
    func special(_ name: String, _ type: Int) -> JSONValue {
      .object([("SpecialToken", .object([("id", .string(name)), ("type_id", .number(type))]))])
    }
    func sequence(_ name: String, _ type: Int) -> JSONValue {
      .object([("Sequence", .object([("id", .string(name)), ("type_id", .number(type))]))])
    }
    func template(_ name: String, _ id: Int32) -> (key: String, value: JSONValue) {
      (
        name,
        .object([
          ("id", .string(name)), ("ids", .array([.number(Int(id))])), ("tokens", .array([.string(name)])),
        ])
      )
    }
    let single = [special(names.classification, 0), sequence("A", 0), special(names.separator, 0)]
    let pair = single + [sequence("B", 1), special(names.separator, 1)]
    let head: [(key: String, value: JSONValue)] = [
      ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
      (
        "added_tokens",
        .array(
          addedTokens.map { token in
            .object(
              [(key: "id", value: .number(Int(token.id))), (key: "content", value: .string(token.content))]
                + flags(token))
          })
      ),
      (
        "normalizer",
        options.steps?.json.normalizer
          ?? .object([
            ("type", .string("BertNormalizer")), ("clean_text", .bool(options.cleansText)),
            ("handle_chinese_chars", .bool(options.splitsCJK)),
            ("strip_accents", options.stripAccents.map { .bool($0) } ?? .null), ("lowercase", .bool(options.lowercase)),
          ])
      ),
      ("pre_tokenizer", options.steps?.json.preTokenizer ?? .object([("type", .string("BertPreTokenizer"))])),
      (
        "post_processor",
        .object([
          ("type", .string("TemplateProcessing")), ("single", .array(single)), ("pair", .array(pair)),
          (
            "special_tokens",
            .object([
              template(names.classification, specialTokens.classification),
              template(names.separator, specialTokens.separator),
            ])
          ),
        ])
      ),
      (
        "decoder",
        .object([
          ("type", .string("WordPiece")), ("prefix", .string("##")), ("cleanup", .bool(options.decoderCleansUp)),
        ])
      ),
    ]
    var writer = JSONWriter()
    writer.append(raw: "{")
    for (key, value) in head {
      writer.append(string: key)
      writer.append(raw: ":")
      writer.append(value, style: .compact)
      writer.append(raw: ",")
    }
    writer.append(raw: #""model":{"type":"WordPiece","unk_token":"#)
    writer.append(string: names.unknown)
    writer.append(raw: ###","continuing_subword_prefix":"##","max_input_chars_per_word":"###)
    writer.append(options.maximumWordLength)
    // Writes the vocabulary piece by piece, without building a tree.
    writer.append(raw: #","vocab":{"#)
    var isFirst = true
    for id in 0..<vocabulary.wordPieceCount where !vocabulary.bytes(of: id).isEmpty {
      writer.append(raw: isFirst ? "\"" : ",\"")
      isFirst = false
      writer.append(escaped: vocabulary.bytes(of: id))
      writer.append(raw: "\":")
      writer.append(id)
    }
    writer.append(raw: "}}}")
    return writer.bytes
  }
}
