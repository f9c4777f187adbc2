import Text

/// Parsing of the `normalizer` and the `pre_tokenizer` in a tokenizer.json.
extension TextSteps {
  /// The result of parsing the components.
  enum Components {
    /// BERT's own components.
    case bert(TextNormalizer, stripAccents: Bool?)
    case steps(TextSteps)
  }

  /// - Throws: `TokenizerError.unsupported`, with the name of an unsupported component.
  static func read(normalizer: JSONValue, preTokenizer: JSONValue, file: String) throws -> Components {
    let reader = Reader(file: file)
    var stripAccents: Bool?
    let normalizers = try reader.normalizers(normalizer, &stripAccents)
    let preTokenizers = try reader.preTokenizers(preTokenizer)
    if preTokenizers == [.bert] {
      if normalizers.isEmpty {
        let none = TextNormalizer(cleansText: false, splitsCJK: false, stripsAccents: false, lowercases: false)
        return .bert(none, stripAccents: false)
      }
      if normalizers.count == 1, case .bert(let options) = normalizers[0] {
        return .bert(options, stripAccents: stripAccents)
      }
    }
    return .steps(
      TextSteps(normalizers: normalizers, preTokenizers: preTokenizers, json: (normalizer, preTokenizer)))
  }

  private struct Reader {
    let file: String

    func normalizers(_ value: JSONValue, _ stripAccents: inout Bool?) throws -> [Normalizer] {
      if value.isNull { return [] }
      switch value["type"]?.string {
      case "Sequence":
        var steps: [Normalizer] = []
        for part in try list("normalizers", of: value) { steps += try normalizers(part, &stripAccents) }
        return steps
      case "BertNormalizer":
        let lowercases = try flag("lowercase", of: value) ?? true
        stripAccents = try flag("strip_accents", of: value)
        return [
          .bert(
            TextNormalizer(
              cleansText: try flag("clean_text", of: value) ?? true,
              splitsCJK: try flag("handle_chinese_chars", of: value) ?? true,
              stripsAccents: stripAccents ?? lowercases, lowercases: lowercases))
        ]
      case "NFD": return [.nfd]
      case "NFC": return [.nfc]
      case "Lowercase": return [.lowercase]
      case "StripAccents": return [.stripAccents]
      case "Strip":
        return [
          .strip(left: try flag("strip_left", of: value) ?? true, right: try flag("strip_right", of: value) ?? true)
        ]
      case "Replace":
        guard let pattern = value["pattern"]?["String"]?.string, !pattern.isEmpty else {
          throw unsupported("the pattern of the normalizer Replace", value["pattern"] ?? .null, "a string")
        }
        guard let content = value["content"]?.string else {
          throw TokenizerError.badFile(file, what: "missing key 'content' in the normalizer Replace")
        }
        return [.replace(pattern, with: content)]
      default:
        throw unsupported(
          "normalizer", value["type"] ?? value,
          "BertNormalizer, NFD, NFC, Lowercase, StripAccents, Strip, Replace, Sequence")
      }
    }

    func preTokenizers(_ value: JSONValue) throws -> [PreTokenizer] {
      if value.isNull { return [] }
      switch value["type"]?.string {
      case "Sequence": return try list("pretokenizers", of: value).flatMap(preTokenizers)
      case "BertPreTokenizer": return [.bert]
      case "Whitespace": return [.whitespace]
      case "WhitespaceSplit": return [.whitespaceSplit]
      case "Punctuation":
        guard let behavior = value["behavior"], !behavior.isNull else { return [.punctuation(.isolated)] }
        guard let known = behavior.string.flatMap(Behavior.init) else {
          throw unsupported(
            "the behavior of the pre_tokenizer Punctuation", behavior,
            "Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous")
        }
        return [.punctuation(known)]
      case "Digits": return [.digits(individually: try flag("individual_digits", of: value) ?? false)]
      default:
        throw unsupported(
          "pre_tokenizer", value["type"] ?? value,
          "BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation, Digits, Sequence")
      }
    }

    private func list(_ key: String, of value: JSONValue) throws -> [JSONValue] {
      guard let list = value[key]?.array else {
        throw TokenizerError.badFile(file, what: "missing array '\(key)' in a Sequence")
      }
      return list
    }

    private func flag(_ key: String, of value: JSONValue) throws -> Bool? {
      guard let entry = value[key], !entry.isNull else { return nil }
      guard let flag = entry.bool else {
        throw TokenizerError.badFile(
          file, what: "\(value["type"]?.string ?? "").\(key) is \(entry.kindName), expected true or false")
      }
      return flag
    }

    private func unsupported(_ what: String, _ value: JSONValue, _ supported: String) -> TokenizerError {
      let spelled = value.string ?? String(decoding: value.serialized(.compact).prefix(60), as: UTF8.self)
      return .unsupported(file: file, what: what, value: spelled, supported: supported)
    }
  }
}
