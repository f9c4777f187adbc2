import CommandLine
import Model

/// What `mlm fit` was asked to do.
struct FitOptions: Sendable, Equatable {
  enum OptimizerName: String, Sendable, CaseIterable { case adam, adamw }
  enum ScheduleName: String, Sendable, CaseIterable { case constant, linear, cosine }
  enum LossReductionName: String, Sendable, CaseIterable {
    case maskedMean = "masked-mean"
    case sumOverBatchSize = "sum-over-batch-size"
  }
  enum Warmup: Sendable, Equatable {
    case steps(Int)
    /// A share of all steps.
    case ratio(Double)
  }
  enum Validation: Sendable, Equatable {
    case none
    case file(String)
    /// A share of the samples.
    case split(Double)
  }

  var common: CommonOptions
  var newModel: NewModelOptions
  var samples: SampleOptions
  /// At least one; `-` is standard input.
  var files: [String]
  var output: String
  var overwrites: Bool
  /// Whether to go on from the newest checkpoint.
  var resumes: Bool
  /// Whether a learning rate other than that of the checkpoint is meant.
  var changesLearningRate: Bool
  /// Steps; nil: after each epoch alone.
  var checkpointInterval: Int?
  var keptCheckpoints: Int
  /// nil: as many as `maximumSteps` needs.
  var epochs: Int?
  var maximumSteps: Int?
  var batchSize: Int
  var gradientAccumulation: Int
  var learningRate: Double
  var optimizer: OptimizerName
  /// The optimizer's own default already filled in.
  var weightDecay: Double
  var beta1, beta2, epsilon: Double
  var schedule: ScheduleName
  var warmup: Warmup
  var clipNorm: Double?
  var lossReduction: LossReductionName
  /// nil: the model's own.
  var dropout: Double?
  /// In the order they were given, `--freeze-backbone` last.
  var frozen: [ModelPart]
  var shuffles: Bool
  var validation: Validation
  /// Evaluations without progress; nil: to the end.
  var earlyStopping: Int?
  /// nil: `history.csv` in the output directory.
  var log: String?
  /// Steps between the rows of the log.
  var logInterval: Int
  /// Where TensorBoard's events go; nil for nowhere.
  var tensorBoard: String?
  var isVerbose: Bool
}

extension FitOptions {
  init(_ arguments: ParsedArguments) throws(UsageError) {
    common = try CommonOptions(arguments)
    newModel = try NewModelOptions(arguments)
    samples = try SampleOptions(arguments)
    output = try arguments.value(of: Self.output)
    overwrites = try arguments.value(of: Self.overwrite)
    resumes = try arguments.value(of: Self.resume)
    changesLearningRate = try arguments.value(of: Self.changeLearningRate)
    checkpointInterval = try arguments.value(of: Self.checkpointEvery)
    keptCheckpoints = try arguments.value(of: Self.keep)
    maximumSteps = try arguments.value(of: Self.maxSteps)
    epochs = try arguments.value(of: Self.epochs) ?? (maximumSteps == nil ? 1 : nil)
    batchSize = try arguments.value(of: Self.batchSize)
    gradientAccumulation = try arguments.value(of: Self.gradientAccumulation)
    learningRate = try arguments.value(of: Self.learningRate)
    optimizer = try arguments.value(of: Self.optimizer)
    weightDecay = try arguments.value(of: Self.weightDecay) ?? (optimizer == .adamw ? 0.01 : 0)
    beta1 = try arguments.value(of: Self.beta1)
    beta2 = try arguments.value(of: Self.beta2)
    epsilon = try arguments.value(of: Self.epsilon)
    schedule = try arguments.value(of: Self.schedule)
    warmup = try Self.warmup(arguments)
    clipNorm = try arguments.value(of: Self.clipNorm)
    lossReduction = try arguments.value(of: Self.lossReduction)
    dropout = try arguments.value(of: Self.dropout)
    frozen = try Self.frozen(arguments)
    shuffles = try !arguments.value(of: Self.noShuffle)
    validation = try Self.validation(arguments)
    earlyStopping = try arguments.value(of: Self.earlyStopping)
    log = try arguments.value(of: Self.log)
    logInterval = try arguments.value(of: Self.logEvery)
    tensorBoard = try arguments.value(of: Self.tensorBoard)
    isVerbose = try arguments.value(of: Self.verbose)
    files = try arguments.files()

    if isVerbose, common.quiet {
      throw .conflict("--quiet", "--verbose", why: "one asks for less, the other for more")
    }
    if validation == .file("-"), files.contains("-") {
      throw .conflict("--validation -", "the FILE -", why: "standard input can be read only once")
    }
    if earlyStopping != nil, validation == .none {
      throw UsageError(
        "--early-stopping needs something to validate on", hint: "add --validation FILE or --validation-split X")
    }
    if resumes, overwrites {
      throw .conflict("--resume", "--overwrite", why: "one goes on with what is there, the other removes it")
    }
    if changesLearningRate, !resumes {
      throw UsageError("--change-learning-rate is for --resume", hint: "--learning-rate alone sets it at the beginning")
    }
  }

  private static func frozen(_ arguments: ParsedArguments) throws(UsageError) -> [ModelPart] {
    var parts: [ModelPart] = []
    for word in try arguments.value(of: freeze) {
      guard let part = ModelPart(word) else {
        throw UsageError(
          "--freeze: '\(word)' is no part of a model", hint: "the parts are embeddings, layers:0-3, backbone and head")
      }
      parts.append(part)
    }
    return try parts + (arguments.value(of: freezeBackbone) ? [.backbone] : [])
  }

  private static func warmup(_ arguments: ParsedArguments) throws(UsageError) -> Warmup {
    if arguments.has(warmupRatio), arguments.has(warmupSteps) {
      throw .conflict("--warmup-steps", "--warmup-ratio", why: "both say how long the warm-up is")
    }
    if arguments.has(warmupRatio) { return .ratio(try arguments.value(of: warmupRatio) ?? 0) }
    return .steps(try arguments.value(of: warmupSteps))
  }

  private static func validation(_ arguments: ParsedArguments) throws(UsageError) -> Validation {
    let file = try arguments.value(of: validationFile)
    let split = try arguments.value(of: validationSplit)
    switch (file, split) {
    case (nil, nil): return .none
    case (let file?, nil): return .file(file)
    case (nil, let split?): return .split(split)
    case (_?, _?):
      throw .conflict("--validation", "--validation-split", why: "both say what to validate on")
    }
  }
}
