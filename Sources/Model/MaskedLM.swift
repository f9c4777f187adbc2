import Files
import Tensor

/// DistilBERT with its masked-language-modelling head and its preprocessor: load, fit, evaluate, predict, save
/// (KerasHub: `DistilBertMaskedLM`).
///
///     let maskedLM = try DistilBertMaskedLM.fromPreset("my-model")
///     maskedLM.compile(optimizer: .adam(learningRate: 5e-5))
///     try maskedLM.fit(["The quick brown fox jumped."])
///     try maskedLM.save(to: "my-model-2")
///
/// It computes on `threads` threads of its own, one call at a time: what computes while another thread does (`fit`, `evaluate`,
/// `predict`, `rank`, `save`, and those of its backbone and head) throws `ModelUseError.inUse`. A callback of `fit` may evaluate,
/// predict and save. It is not `Sendable`, so that the compiler, too, keeps it to one task; models of one preset are independent, and
/// the pages of their files are in memory once.
public final class DistilBertMaskedLM {
  /// Its sizes and rates.
  public let configuration: Configuration
  /// Tokens to hidden states; can be frozen.
  public let backbone: DistilBertBackbone
  /// Hidden states to scores of the vocabulary.
  public let maskedLMHead: MaskedLMHead
  /// Text to samples; nil for a model that takes preprocessed samples alone.
  public var preprocessor: DistilBertMaskedLMPreprocessor?
  /// Every random choice comes from it.
  public let seed: UInt64
  /// Threads it computes with.
  public let threads: Int
  /// What a person should know of how it was loaded, each one line.
  public let notes: [String]
  /// The same, where something is probably not as it should be: a head that is new.
  public let warnings: [String]
  /// Whether the masked-language-model head was trained, by whoever made its files or by a step of `fit` that changed it. Without,
  /// predictions are noise.
  public var hasTrainedHead: Bool { network.hasTrainedHead }

  let network: Network
  let compute: Compute
  private var optimizer: Optimizer
  private(set) var schedule: Schedule
  private var lossReduction: LossReduction
  /// The optimizer's moments, which one `fit` leaves to the next, until `compile`.
  private var training: TrainingStep?
  /// The epochs and steps since `compile`.
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
    // What Keras' `compile()` chooses.
    optimizer = .adam()
    schedule = Schedule()
    lossReduction = .maskedMean
  }

  /// The threads that models compute with unless told otherwise: the CPUs that this process may use, by its affinity mask and the CPU
  /// quota of its control group. `OMP_NUM_THREADS` and `OPENBLAS_NUM_THREADS` override it.
  public static let defaultThreads = ThreadCount.standard(environment: environmentVariable)

  /// A model of random weights.
  ///
  /// - Parameters:
  ///   - configuration: sizes and rates.
  ///   - preprocessor: text to samples; nil for a model that takes preprocessed samples alone.
  ///   - seed: every random choice comes from it.
  ///   - threads: threads to compute with.
  /// - Throws: `ConfigurationError` where the sizes make no model.
  public convenience init(
    configuration: Configuration, preprocessor: DistilBertMaskedLMPreprocessor? = nil, seed: UInt64 = 0,
    threads: Int = DistilBertMaskedLM.defaultThreads
  ) throws {
    try configuration.validate()
    let compute = Compute(threads: threads)
    let network = try Network(random: configuration, seed: seed, on: compute.pool)
    self.init(network, preprocessor: preprocessor, compute: compute, seed: seed)
  }

  /// A model of an encoder, with a new head (KerasHub: `DistilBertMaskedLM(backbone, preprocessor)`). The encoder is the model's own
  /// from here on.
  ///
  /// - Throws: `ModelUseError` where the encoder belongs to a model already, or the preprocessor has more word pieces than it.
  public convenience init(backbone: DistilBertBackbone, preprocessor: DistilBertMaskedLMPreprocessor? = nil) throws {
    guard !backbone.belongsToModel else { throw ModelUseError.backboneIsTaken }
    let (pieces, rows) = (preprocessor?.tokenizer.vocabulary.count ?? 0, backbone.configuration.vocabularySize)
    guard pieces <= rows else { throw ModelUseError.vocabularyTooLarge(pieces: pieces, rows: rows) }
    backbone.belongsToModel = true
    self.init(
      backbone.network, preprocessor: preprocessor, compute: backbone.compute, seed: backbone.seed, backbone: backbone)
  }

  /// How `fit` trains. The next `fit` starts over: at epoch 1 and step 1, with fresh moments, as in Keras.
  ///
  /// - Parameters:
  ///   - optimizer: how parameters follow their gradients.
  ///   - schedule: how the learning rate goes over the steps.
  ///   - lossReduction: what the gradient's loss is divided by; reported losses are always per masked token.
  public func compile(
    optimizer: Optimizer = .adam(), schedule: Schedule = Schedule(), lossReduction: LossReduction = .maskedMean
  ) {
    self.optimizer = optimizer
    self.schedule = schedule
    self.lossReduction = lossReduction
    training = nil
    progress = TrainingState()
  }

  /// Calls a body with the optimizer's moments and the progress of the `fit` before, or fresh ones. Keeps what the body makes of
  /// them, also where it throws.
  func withTraining<Value>(_ body: (TrainingStep, inout TrainingState) throws -> Value) rethrows -> Value {
    let training = training ?? TrainingStep(network, compute, optimizer, lossReduction, seed: seed)
    self.training = training
    // A copy: a callback may call `compile`.
    var progress = progress
    defer { if self.training === training { self.progress = progress } }
    return try body(training, &progress)
  }

  /// Loss, accuracy and perplexity of a corpus. The figures do not depend on the number of threads.
  ///
  /// - Parameters:
  ///   - pseudoLikelihood: also scores every token with itself masked; a sample of n tokens then costs n times as much.
  ///   - progress: called with the samples done; false ends with what was measured until then.
  ///   - onSample: called with each sample's index and its own figures, in order, while the rest is still to be computed.
  /// - Throws: what the corpus and `onSample` throw; `PreprocessorError` for a sample that does not fit the model; `ModelUseError` where
  ///   the model is in use, or has no preprocessor to say which token masks.
  public func evaluate(
    _ source: some SampleSource, pseudoLikelihood: PseudoLikelihood.Variant? = nil,
    progress: (Int) throws -> Bool = { _ in true }, onSample: (Int, Evaluation) throws -> Void = { _, _ in }
  ) throws -> Evaluation {
    var tokenMasking: TokenMasking?
    if let pseudoLikelihood {
      guard let preprocessor else { throw ModelUseError.noPreprocessor }
      tokenMasking = TokenMasking(preprocessor, pseudoLikelihood)
    }
    return try compute.exclusiveAccess.claim {
      try Evaluator(network: network, compute: compute).evaluate(
        CheckedSource(source, for: configuration), tokenMasking: tokenMasking, progress: progress, onSample: onSample)
    }
  }

  /// The most likely word pieces of every mask of some samples: [sample][mask][rank].
  ///
  /// The figures of a sample do not depend on what it is computed together with.
  /// - Parameters:
  ///   - targets: rank these ids alone; the probabilities stay those over the whole vocabulary.
  ///   - batchRows: the most tokens computed together by a thread.
  /// - Throws: `PreprocessorError` for a sample that does not fit the model, `ModelUseError.inUse`.
  public func rank(
    _ samples: [Sample], topK: Int = 5, targets: [Int]? = nil, batchRows: Int? = nil
  ) throws -> [[[TokenScore]]] {
    try collect(samples, batchRows: batchRows) { Ranking.best(topK, of: $0, $1, among: targets) }
  }

  /// Calls `row` with the scores of every mask: the values as [sample][mask].
  func collect<Value>(
    _ samples: [Sample], batchRows: Int?, _ row: (UnsafeMutablePointer<Float>, _ vocabulary: Int) -> Value
  ) throws -> [[Value]] {
    for (index, sample) in samples.enumerated() { try sample.check(for: configuration, index: index) }
    let alignment = Batch.inferenceAlignment
    let groups = Batch.groups(
      samples.map { Batch.rows(of: $0, alignment: alignment) }, limit: max(1, batchRows ?? Compute.microBatchRows))
    let batches = groups.map { Batch.inference(samples[$0]) }
    var results = [[Value]](repeating: [], count: samples.count)
    try compute.exclusiveAccess.claim {
      try results.withUnsafeMutableBufferPointer { results in
        nonisolated(unsafe) let results = results
        network.prepare(for: batches, on: compute.pool)
        try compute.forEach(batches) { index, batch, context in
          network.forEachLogits(batch, context) { rows, logits in
            for sample in 0..<batch.masks.sampleCount {
              for place in batch.masks.range(sample).clamped(to: rows) {
                results[groups[index].lowerBound + sample].append(row(logits[place - rows.lowerBound], logits.columns))
              }
            }
          }
        }
      }
    }
    return results
  }

  /// How weights are written.
  public enum WeightsType: Sendable {
    /// As they are computed with.
    case float32
    /// Half the size; each number keeps 11 significant bits.
    case float16
  }

  /// Writes a Hugging Face model directory, whole or not at all. A head that was never trained is left out: whoever loads the directory
  /// then knows that it has none.
  ///
  /// - Parameters:
  ///   - weights: how they are written; what is computed with stays 32 bits wide.
  ///   - files: more files to put in it: (name, bytes).
  ///   - overwrite: take the place of a model directory that is there.
  /// - Throws: `CheckpointError` or `FileError` where the place is taken or cannot be written; `ModelUseError.inUse`.
  public func save(
    to path: String, weights: WeightsType = .float32, files: [(name: String, bytes: [UInt8])] = [],
    overwrite: Bool = false
  ) throws {
    try compute.exclusiveAccess.claim {
      let halves = weights == .float16 ? try HalfPrecisionTensors(network.tensorSources) : nil
      defer { withExtendedLifetime(halves) {} }
      try ModelDirectory.write(
        to: path, configuration: configuration, tensors: halves?.sources ?? network.tensorSources,
        files: tokenizerFiles + files, overwrite: overwrite)
    }
  }

  /// What a person should know of a directory that it is saved to, each one line.
  public var notesOnWriting: [String] {
    configuration.notesOnWriting
      + (hasTrainedHead ? [] : ["the masked-language-model head was never trained, and is left out of the files"])
  }

  /// Its layers, what they put out, and their parameters (Keras: `summary()`).
  public func summary() -> ModelSummary {
    ModelSummary(
      configuration,
      trainableParameterCount: network.parameters.parameters.reduce(0) { $1.isTrainable ? $0 + $1.count : $0 },
      vocabularyCount: preprocessor?.tokenizer.vocabulary.count)
  }

  /// The tokenizer's files of a model directory.
  var tokenizerFiles: [(name: String, bytes: [UInt8])] {
    preprocessor?.tokenizer.files(maximumLength: configuration.maxSequenceLength) ?? []
  }
}
