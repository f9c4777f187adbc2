import Files
import Hub

/// KerasHub's name for the tokenizer of DistilBERT.
public typealias DistilBertTokenizer = WordPieceTokenizer

/// KerasHub's way to make and to call a tokenizer.
///
///     let tokenizer = try DistilBertTokenizer.fromPreset("distil_bert_base_en_uncased")
///     tokenizer("The quick brown fox jumped.")
///     tokenizer.detokenize(tokenizer("The quick brown fox jumped."))
extension WordPieceTokenizer {
  /// The tokenizer of a preset (KerasHub: `DistilBertTokenizer.from_preset`). What is missing in the hub's cache is fetched; weights are
  /// not.
  ///
  /// - Parameters:
  ///   - preset: a model directory, a name in the registry, or `hf://OWNER/NAME[@REVISION]`.
  ///   - hub: how the hub is reached; by default as the environment says (`Hub.fromEnvironment`).
  /// - Throws: `PresetError`, `HubError`, `FileError`, `TokenizerError`.
  public static func fromPreset(_ preset: String, hub: Hub = .fromEnvironment) throws -> WordPieceTokenizer {
    try PresetRegistry.builtIn().resolve(preset, hub: hub, loadWeights: false) { try $0.loadTokenizer() }
  }

  /// A tokenizer of these word pieces, their ids in this order (KerasHub: `DistilBertTokenizer(vocabulary=…)`, with its default case).
  ///
  /// - Throws: `TokenizerError` where a special token is missing, or a piece stands there twice.
  public convenience init(vocabulary: [String], lowercase: Bool = false) throws {
    try self.init(vocabulary: Vocabulary(pieces: vocabulary), options: Options(lowercase: lowercase))
  }

  /// The ids of a text, without [CLS] and [SEP].
  public func callAsFunction(_ text: String) -> [Int32] { encode(text) }

  /// The ids of each text: rows of different lengths.
  public func callAsFunction(_ texts: [String]) -> [[Int32]] { texts.map { encode($0) } }

  /// The text of ids.
  public func detokenize(_ ids: [Int32]) -> String { decode(ids) }
}

extension DistilBertMaskedLMPreprocessor {
  /// The preprocessor of a preset, with KerasHub's defaults (KerasHub: `DistilBertMaskedLMPreprocessor.from_preset`).
  ///
  /// - Parameters:
  ///   - preset: a model directory, a name in the registry, or `hf://OWNER/NAME[@REVISION]`.
  ///   - sequenceLength: nil: the smaller of 512 and the preset's positions.
  ///   - masking: which tokens are hidden, and how.
  ///   - hub: how the hub is reached; by default as the environment says (`Hub.fromEnvironment`).
  /// - Throws: `PresetError`, `HubError`, `FileError`, `TokenizerError`, `PreprocessorError`.
  public static func fromPreset(
    _ preset: String, sequenceLength: Int? = nil, masking: MaskingOptions = MaskingOptions(),
    hub: Hub = .fromEnvironment
  ) throws -> DistilBertMaskedLMPreprocessor {
    try PresetRegistry.builtIn().resolve(preset, hub: hub, loadWeights: false) { resolved in
      try DistilBertMaskedLMPreprocessor(
        tokenizer: resolved.loadTokenizer(),
        sequenceLength: sequenceLength ?? min(512, resolved.configuration.maxSequenceLength), masking: masking)
    }
  }

  /// One text, as a batch of one.
  public func callAsFunction(
    _ text: String, epoch: Int = 0, index: Int = 0
  ) throws(PreprocessorError) -> (MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]) {
    try self([text], epoch: epoch, firstIndex: index)
  }

  /// Pairs, given as KerasHub takes them: all first texts and all second ones.
  ///
  /// - Throws: `PreprocessorError` where there are not as many of the one as of the other.
  public func callAsFunction(
    _ first: [String], _ second: [String], epoch: Int = 0, firstIndex: Int = 0
  ) throws(PreprocessorError) -> (MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]) {
    guard first.count == second.count else {
      throw .samplesDiffer(what: "second texts", found: second.count, expected: first.count)
    }
    return try self(segments: zip(first, second).map { [$0, $1] }, epoch: epoch, firstIndex: firstIndex)
  }
}
