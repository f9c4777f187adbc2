import Files
import Hub

/// KerasHub's name for the tokenizer of DistilBERT.
public typealias DistilBertTokenizer = WordPieceTokenizer

/// Creation and use of a tokenizer as in KerasHub.
///
///     let tokenizer = try DistilBertTokenizer.fromPreset("distil_bert_base_en_uncased")
///     tokenizer("The quick brown fox jumped.")
///     tokenizer.detokenize(tokenizer("The quick brown fox jumped."))
extension WordPieceTokenizer {
  /// Loads the tokenizer of a preset (KerasHub: `DistilBertTokenizer.from_preset`). Files missing from the hub's cache
  /// are downloaded, except weights.
  ///
  /// - Parameters:
  ///   - preset: a model directory, a name in the registry, or `hf://OWNER/NAME[@REVISION]`.
  ///   - hub: how to access the hub; by default as configured in the environment (`Hub.fromEnvironment`).
  /// - Throws: `PresetError`, `HubError`, `FileError`, `TokenizerError`.
  public static func fromPreset(_ preset: String, hub: Hub = .fromEnvironment) throws -> WordPieceTokenizer {
    try PresetRegistry.builtIn().resolve(preset, hub: hub, loadWeights: false) { try $0.loadTokenizer() }
  }

  /// Creates a tokenizer from word pieces in the order of their ids (KerasHub: `DistilBertTokenizer(vocabulary=…)`,
  /// with its default case).
  ///
  /// - Throws: `TokenizerError` for a missing special token, or a duplicate piece.
  public convenience init(vocabulary: [String], lowercase: Bool = false) throws {
    try self.init(vocabulary: Vocabulary(pieces: vocabulary), options: Options(lowercase: lowercase))
  }

  /// Returns the ids of a text, without [CLS] and [SEP].
  public func callAsFunction(_ text: String) -> [Int32] { encode(text) }

  /// Returns the ids of each text, as rows of different lengths.
  public func callAsFunction(_ texts: [String]) -> [[Int32]] { texts.map { encode($0) } }

  /// Returns the text of ids.
  public func detokenize(_ ids: [Int32]) -> String { decode(ids) }
}

extension DistilBertMaskedLMPreprocessor {
  /// Loads the preprocessor of a preset, with KerasHub's defaults (KerasHub:
  /// `DistilBertMaskedLMPreprocessor.from_preset`).
  ///
  /// - Parameters:
  ///   - preset: a model directory, a name in the registry, or `hf://OWNER/NAME[@REVISION]`.
  ///   - sequenceLength: the sequence length; nil: the smaller of 512 and the preset's number of positions.
  ///   - masking: the selection and replacement of masked tokens.
  ///   - hub: how to access the hub; by default as configured in the environment (`Hub.fromEnvironment`).
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

  /// Preprocesses one text as a batch of one.
  public func callAsFunction(
    _ text: String, epoch: Int = 0, index: Int = 0
  ) throws(PreprocessorError) -> (MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]) {
    try self([text], epoch: epoch, firstIndex: index)
  }

  /// Preprocesses pairs in KerasHub's form: all first texts, and all second texts.
  ///
  /// - Throws: `PreprocessorError` if the numbers of first and second texts differ.
  public func callAsFunction(
    _ first: [String], _ second: [String], epoch: Int = 0, firstIndex: Int = 0
  ) throws(PreprocessorError) -> (MaskedLMFeatures, labels: [[Int]], sampleWeights: [[Float]]) {
    guard first.count == second.count else {
      throw .samplesDiffer(what: "second texts", found: second.count, expected: first.count)
    }
    return try self(segments: zip(first, second).map { [$0, $1] }, epoch: epoch, firstIndex: firstIndex)
  }
}
