import Files
import Tensor

/// DistilBERT with its masked-language-modeling head and its preprocessor: load, fit, evaluate, predict, save
/// (KerasHub: `DistilBertMaskedLM`).
///
///     let maskedLM = try DistilBertMaskedLM.fromPreset("my-model")
///     maskedLM.compile(optimizer: .adam(learningRate: 5e-5))
///     try maskedLM.fit(["The quick brown fox jumped."])
///     try maskedLM.save(to: "my-model-2")
///
/// A model computes on `threads` threads of its own, one call at a time: `fit`, `evaluate`, `predict`, `rank`, `save`
/// and the calls of its backbone and head throw `ModelUseError.inUse` while another thread computes. A callback of
/// `fit` may evaluate, predict and save. A model is not `Sendable`, so the compiler keeps it to one task. Models of one
/// preset are independent; they share the pages of their files in memory.
public final class DistilBertMaskedLM {
  /// The model's sizes and rates.
  public let configuration: Configuration
  /// The encoder, from tokens to hidden states; can be frozen.
  public let backbone: DistilBertBackbone
  /// The head, from hidden states to scores of the vocabulary.
  public let maskedLMHead: MaskedLMHead
  /// The preprocessor, from text to samples; nil for a model that takes only preprocessed samples.
  public var preprocessor: DistilBertMaskedLMPreprocessor?
  /// The source of every random choice.
  public let seed: UInt64
  /// The number of threads that the model computes with.
  public let threads: Int
  /// Notes about loading the model, one line each.
  public let notes: [String]
  /// Warnings about loading the model, one line each, such as a randomly initialized head.
  public let warnings: [String]
  /// The precision of the matrix products in `predict`, `rank` and `evaluate`.
  public var precision: Precision { network.precision }
  /// Whether the weights were loaded from integers, so that the model cannot be trained.
  public var hasQuantizedWeights: Bool { network.hasQuantizedWeights }
  /// Whether the masked-language-model head was trained, before it was loaded or by `fit`. Predictions of an untrained
  /// head are noise.
  public var hasTrainedHead: Bool { network.hasTrainedHead }

  let network: Network
  let compute: Compute
  private var optimizer: Optimizer
  private(set) var schedule: Schedule
  private var lossReduction: LossReduction
  /// The optimizer's moments, kept from one `fit` to the next until `compile`.
  private var training: TrainingStep?
  /// The progress since `compile`.
  private var progress = TrainingState()

  init(
    _ network: Network, preprocessor: DistilBertMaskedLMPreprocessor?, compute: Compute, seed: UInt64,
    notes: [String] = [], warnings: [String] = [], backbone: DistilBertBackbone? = nil
  ) {
    self.network = network
    self.compute = compute
    self.preprocessor = preprocessor
    self.seed = seed
    self.notes = notes
    self.warnings = warnings
    configuration = network.configuration
    threads = compute.pool.threads
    self.backbone = backbone ?? DistilBertBackbone(network, compute, seed: seed, belongsToModel: true)
    maskedLMHead = MaskedLMHead(network, compute)
    // The defaults of Keras' `compile()`.
    optimizer = .adam()
    schedule = Schedule()
    lossReduction = .maskedMean
  }

  /// The default number of threads: the CPUs that this process may use, by its affinity mask and the CPU quota of its
  /// control group. `OMP_NUM_THREADS` and `OPENBLAS_NUM_THREADS` override it.
  public static let defaultThreads = ThreadCount.standard(environment: environmentVariable)

  /// Creates a model with random weights.
  ///
  /// - Parameters:
  ///   - configuration: the sizes and rates.
  ///   - preprocessor: turns text into samples; nil for a model that takes only preprocessed samples.
  ///   - seed: the source of every random choice.
  ///   - threads: the number of threads to compute with.
  /// - Throws: `ConfigurationError` if the sizes or rates are invalid.
  public convenience init(
    configuration: Configuration, preprocessor: DistilBertMaskedLMPreprocessor? = nil, seed: UInt64 = 0,
    threads: Int = DistilBertMaskedLM.defaultThreads
  ) throws {
    try configuration.validate()
    let compute = Compute(threads: threads)
    let network = try Network(random: configuration, seed: seed, on: compute.pool)
    self.init(network, preprocessor: preprocessor, compute: compute, seed: seed)
  }

  /// Creates a model from an encoder, with a new head (KerasHub: `DistilBertMaskedLM(backbone, preprocessor)`). The
  /// encoder then belongs to the model.
  ///
  /// - Throws: `ModelUseError` if the encoder already belongs to a model, or if the preprocessor's vocabulary is larger
  ///   than the encoder's.
  public convenience init(backbone: DistilBertBackbone, preprocessor: DistilBertMaskedLMPreprocessor? = nil) throws {
    guard !backbone.belongsToModel else { throw ModelUseError.backboneIsTaken }
    let (pieces, rows) = (preprocessor?.tokenizer.vocabulary.count ?? 0, backbone.configuration.vocabularySize)
    guard pieces <= rows else { throw ModelUseError.vocabularyTooLarge(pieces: pieces, rows: rows) }
    backbone.belongsToModel = true
    self.init(
      backbone.network, preprocessor: preprocessor, compute: backbone.compute, seed: backbone.seed, backbone: backbone)
  }

  /// Sets how `fit` trains. The next `fit` starts over: at epoch 1 and step 1, with fresh moments, as in Keras.
  ///
  /// - Parameters:
  ///   - optimizer: computes updates from gradients.
  ///   - schedule: the learning-rate schedule.
  ///   - lossReduction: the divisor of the gradient's loss; reported losses are always per masked token.
  public func compile(
    optimizer: Optimizer = .adam(), schedule: Schedule = Schedule(), lossReduction: LossReduction = .maskedMean
  ) {
    self.optimizer = optimizer
    self.schedule = schedule
    self.lossReduction = lossReduction
    training = nil
    progress = TrainingState()
  }

  /// Calls a body with the optimizer's moments and the progress of the last `fit`, or fresh ones. Keeps the changes,
  /// even if the body throws.
  func withTraining<Value>(_ body: (TrainingStep, inout TrainingState) throws -> Value) rethrows -> Value {
    let training = training ?? TrainingStep(network, compute, optimizer, lossReduction, seed: seed)
    self.training = training
    // A copy: a callback may call `compile`.
    var progress = progress
    defer { if self.training === training { self.progress = progress } }
    return try body(training, &progress)
  }

  /// Returns loss, accuracy and perplexity of a corpus. The figures do not depend on the number of threads.
  ///
  /// - Parameters:
  ///   - pseudoLikelihood: also scores every token with itself masked, n passes for a sample of n tokens.
  ///   - reference: a model with the same vocabulary, such as the same one in float32, to compare with on the same
  ///     masks; see `Evaluation.comparison`. Both compute on this model's threads.
  ///   - progress: called with the number of samples done; false stops and returns the figures so far.
  ///   - onSample: called with each sample's index and figures, in order, as soon as they are computed.
  /// - Throws: the errors of the corpus and `onSample`; `PreprocessorError` for a sample that does not fit the model;
  ///   `ModelUseError` if one of the models is in use, if their vocabularies differ in size, or if a pseudo-likelihood
  ///   needs the mask token and there is no preprocessor.
  public func evaluate(
    _ source: some SampleSource, pseudoLikelihood: PseudoLikelihood.Variant? = nil,
    against reference: DistilBertMaskedLM? = nil, progress: (Int) throws -> Bool = { _ in true },
    onSample: (Int, Evaluation) throws -> Void = { _, _ in }
  ) throws -> Evaluation {
    var tokenMasking: TokenMasking?
    if let pseudoLikelihood {
      guard let preprocessor else { throw ModelUseError.noPreprocessor }
      tokenMasking = TokenMasking(preprocessor, pseudoLikelihood)
    }
    var checked = CheckedSource(source, for: configuration)
    if let reference {
      let (size, other) = (configuration.vocabularySize, reference.configuration.vocabularySize)
      guard size == other else { throw ModelUseError.differentVocabularies(size: size, reference: other) }
      checked = CheckedSource(checked, for: reference.configuration)
    }
    func evaluate() throws -> Evaluation {
      try Evaluator(network: network, compute: compute, reference: reference?.network)
        .evaluate(checked, tokenMasking: tokenMasking, progress: progress, onSample: onSample)
    }
    return try compute.exclusiveAccess.claim {
      try reference.map { try $0.compute.exclusiveAccess.claim(evaluate) } ?? evaluate()
    }
  }

  /// The formats and instructions of the products in `predict`, `rank` and `evaluate`.
  public var computation: ComputationSummary { ComputationSummary(network) }

  /// Returns the most likely word pieces for every mask of samples: [sample][mask][rank].
  ///
  /// The result for a sample does not depend on the other samples.
  /// - Parameters:
  ///   - targets: the ids to rank; nil: all. Probabilities are still those over the whole vocabulary.
  ///   - batchRows: the most tokens that a thread computes together.
  /// - Throws: `PreprocessorError` for a sample that does not fit the model, `ModelUseError.inUse`.
  public func rank(
    _ samples: [Sample], topK: Int = 5, targets: [Int]? = nil, batchRows: Int? = nil
  ) throws -> [[[TokenScore]]] {
    try collect(samples, batchRows: batchRows) { Ranking.best(topK, of: $0, $1, among: targets) }
  }

  /// Calls `row` with the scores of every mask and returns its values: [sample][mask].
  func collect<Value>(
    _ samples: [Sample], batchRows: Int?, _ row: (UnsafeMutablePointer<Float>, _ vocabulary: Int) -> Value
  ) throws -> [[Value]] {
    for (index, sample) in samples.enumerated() { try sample.check(for: configuration, index: index) }
    let alignment = network.rowAlignment
    let groups = Batch.groups(
      samples.map { Batch.rows(of: $0, alignment: alignment) }, limit: max(1, batchRows ?? Compute.microBatchRows))
    let batches = groups.map { Batch.inference(samples[$0], alignment: network.rowAlignment) }
    var results = [[Value]](repeating: [], count: samples.count)
    try compute.exclusiveAccess.claim {
      try results.withUnsafeMutableBufferPointer { results in
        nonisolated(unsafe) let results = results
        network.prepare(for: batches, on: compute.pool)
        try compute.forEach(batches) { index, batch, context in
          network.forEachLogits(batch, context) { rows, logits in
            for sample in 0..<batch.masks.sampleCount {
              for maskedRow in batch.masks.range(sample).clamped(to: rows) {
                results[groups[index].lowerBound + sample].append(
                  row(logits[maskedRow - rows.lowerBound], logits.columns))
              }
            }
          }
        }
      }
    }
    return results
  }

  /// The number format of saved weights.
  public enum WeightsType: String, Sendable, CaseIterable {
    /// 32 bits, as in computation.
    case float32
    /// 16 bits: half the size, with 11 significant bits per number.
    case float16
    /// 16 bits: half the size, with 8 significant bits per number and the range of float32.
    case bfloat16
    /// The layout of the package compressed-tensors: the encoder's matrices as 8-bit integers with a scale per output
    /// row, embeddings and the head's matrices in bfloat16. A model of these files computes in int8, as a float32 model
    /// does with `precision: .int8`, and cannot be trained.
    case int8
  }

  /// Writes a Hugging Face model directory atomically. A head that was never trained is left out, so that the files do
  /// not claim to have one.
  ///
  /// - Parameters:
  ///   - weights: the number format of the files; the model itself does not change. Weights that were loaded as
  ///     integers are copied to int8 files, bit for bit, and widened for the others, which restores no lost precision.
  ///   - files: more files for the directory: (name, bytes).
  ///   - overwrite: whether to replace an existing model directory.
  /// - Throws: `CheckpointError` or `FileError` if the path exists or cannot be written; `ModelUseError.inUse`.
  public func save(
    to path: String, weights: WeightsType = .float32, files: [(name: String, bytes: [UInt8])] = [],
    overwrite: Bool = false
  ) throws {
    try compute.exclusiveAccess.claim {
      func write(_ tensors: [TensorSource]) throws {
        try ModelDirectory.write(
          to: path, configuration: configuration, tensors: tensors, files: tokenizerFiles + files, overwrite: overwrite)
      }
      switch weights {
      case .float32: try write(network.tensorSources)
      case .float16, .bfloat16:
        let halves = try HalfPrecisionTensors(
          network.tensorSources, as: weights == .float16 ? .float16 : .bfloat16)
        try withExtendedLifetime(halves) { try write(halves.sources) }
      case .int8:
        let quantized = try QuantizedTensors(
          network.trainedParameters, int8: ReducedScheme.int8Matrices(configuration),
          float32: Set(ReducedScheme(network, on: compute.pool).exactColumns().keys))
        try withExtendedLifetime(quantized) { try write(quantized.sources) }
      }
    }
  }

  /// Notes about saving the model, one line each.
  public var notesOnWriting: [String] {
    configuration.notesOnWriting
      + (hasTrainedHead ? [] : ["the masked-language-model head was never trained, and is left out of the files"])
  }

  /// Returns the layers with their output shapes and parameter counts (Keras: `summary()`).
  public func summary() -> ModelSummary {
    ModelSummary(
      configuration,
      trainableParameterCount: network.parameters.parameters.reduce(0) { $1.isTrainable ? $0 + $1.count : $0 },
      vocabularyCount: preprocessor?.tokenizer.vocabulary.count)
  }

  /// The tokenizer's files in a model directory.
  var tokenizerFiles: [(name: String, bytes: [UInt8])] {
    preprocessor?.tokenizer.files(maximumLength: configuration.maxSequenceLength) ?? []
  }
}
