import CommandLine
import Model

/// The options of `mlm fit`.
struct FitOptions: Sendable, Equatable {
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
  var output = Self.output.defaultValue
  var overwrites = false
  /// Whether to continue from the newest checkpoint.
  var resumes = false
  /// Whether the learning rate may differ from the checkpoint's.
  var changesLearningRate = false
  /// Steps; nil: only after each epoch.
  var checkpointInterval: Int?
  var keptCheckpoints = Self.keep.defaultValue
  /// nil: as many as `maximumSteps` needs.
  var epochs: Int?
  var maximumSteps: Int?
  var batchSize = Self.batchSize.defaultValue
  var gradientAccumulation = Self.gradientAccumulation.defaultValue
  var learningRate = Self.learningRate.defaultValue
  var optimizer = Self.optimizer.defaultValue
  /// With the optimizer's default filled in.
  var weightDecay = 0.0
  var beta1 = Self.beta1.defaultValue
  var beta2 = Self.beta2.defaultValue
  var epsilon = Self.epsilon.defaultValue
  var schedule = Self.schedule.defaultValue
  var warmup = Warmup.steps(0)
  var clipNorm: Double?
  var lossReduction = Self.lossReduction.defaultValue
  /// nil: the model's own.
  var dropout: Double?
  /// In the order given, `--freeze-backbone` last.
  var frozen: [ModelPart] = []
  var shuffles = true
  var validation = Validation.none
  /// Evaluations without progress; nil: no early stopping.
  var earlyStopping: Int?
  /// nil: `history.csv` in the output directory.
  var log: String?
  /// Steps between the rows of the log.
  var logInterval = Self.logEvery.defaultValue
  /// The directory for TensorBoard's events; nil for none.
  var tensorBoard: String?
  var isVerbose = false
}

extension FitOptions {
  init(_ arguments: ParsedArguments) throws(UsageError) {
    try arguments.checkExclusions()
    common = try CommonOptions(arguments)
    newModel = try NewModelOptions(arguments)
    samples = try SampleOptions(arguments)
    files = try arguments.files()
    for field in Self.ownFields { try field.read(arguments, &self) }
    if maximumSteps == nil { epochs = epochs ?? 1 }
    weightDecay = try arguments.value(of: Self.weightDecay) ?? (optimizer == .adamw ? 0.01 : 0)
    warmup = try Self.warmup(arguments)
    frozen = try Self.frozen(arguments)
    validation = try Self.validation(arguments)

    if validation == .file("-"), files.contains("-") {
      throw .conflict("--validation -", "the FILE -", why: "standard input can be read only once")
    }
    if earlyStopping != nil, validation == .none {
      throw UsageError(
        "--early-stopping needs validation data", hint: "add --validation FILE or --validation-split X")
    }
    if changesLearningRate, !resumes {
      throw UsageError(
        "--change-learning-rate needs --resume", hint: "a new training needs only --learning-rate")
    }
  }

  private static func frozen(_ arguments: ParsedArguments) throws(UsageError) -> [ModelPart] {
    var parts: [ModelPart] = []
    for word in try arguments.value(of: freeze) {
      guard let part = ModelPart(word) else {
        throw UsageError(
          "--freeze: unknown model part '\(word)'", hint: "the parts are embeddings, layers:0-3, backbone and head")
      }
      parts.append(part)
    }
    return try parts + (arguments.value(of: freezeBackbone) ? [.backbone] : [])
  }

  private static func warmup(_ arguments: ParsedArguments) throws(UsageError) -> Warmup {
    if arguments.has(warmupRatio) { return .ratio(try arguments.value(of: warmupRatio) ?? 0) }
    return .steps(try arguments.value(of: warmupSteps))
  }

  private static func validation(_ arguments: ParsedArguments) throws(UsageError) -> Validation {
    if let file = try arguments.value(of: validationFile) { return .file(file) }
    if let share = try arguments.value(of: validationSplit) { return .split(share) }
    return .none
  }
}

/// The options and their table. A new option needs a declaration, a property and a row here.
extension FitOptions {
  static let output = Option<String>.text(
    "output", "DIR", kind: .directory, default: "./mlm-model", in: .output, role: .place,
    help: "the model directory to write",
    details: "The model directory to write. It appears complete or not at all.",
    foreignNames: ["output-dir", "out", "save-dir"])
  static let overwrite = Option<Bool>.flag(
    "overwrite", in: .output, role: .session, excludes: [atStart], help: "replace an existing model directory",
    details: """
      Replace an existing model directory, or start over in a directory with checkpoints. By default, both are \
      errors. Old checkpoints are removed only after all inputs and outputs have been opened.
      """,
    foreignNames: ["overwrite-output-dir", "force"])
  static let resume = Option<Bool>.flag(
    "resume", in: .output, role: .session, excludes: [atStart], help: "continue from the newest checkpoint",
    details: """
      Continue from the newest checkpoint in --output. With the same FILEs, options and threads, the final model has \
      the same bytes as without the interruption. An option that would change the computation is an error that names \
      it. --preset and --vocabulary are compared by content; --preset may be omitted. Options that only say where and \
      how often to write may differ. --threads (the last digits may change) and --early-stopping may differ, with a \
      note. --epochs and --max-steps may grow unless the learning rate depends on them.
      """,
    foreignNames: ["resume-from-checkpoint", "continue"])
  static let changeLearningRate = Option<Bool>.flag(
    "change-learning-rate", in: .optimizer, role: .session, help: "with --resume: allow another --learning-rate",
    details: """
      With --resume: use --learning-rate even if it differs from the checkpoint's. By default, a difference is an error.
      """)
  static let log = Option<String?>.text(
    "log", "FILE", kind: .file, defaultText: "DIR/history.csv", in: .output, role: .place, help: "history as CSV",
    details: """
      Write the history as CSV while training, with the columns epoch, step, samples, tokens, loss, accuracy, \
      learning_rate, val_loss, val_accuracy and seconds. Loss and accuracy are means over the epoch so far, as in \
      Keras' CSVLogger; they are empty if no token was masked. By default, the rows are written to \
      DIR/checkpoints/history.csv until the model is written.
      """,
    foreignNames: ["history", "csv-logger", "log-file"])
  static let logEvery = Option<Int>.integer(
    "log-every", default: 100, in: .output, role: .output, help: "steps between rows of the history",
    details: """
      Steps between rows of the history; each epoch also ends with a row. TensorBoard's events and the chart \
      history.svg are updated with each row.
      """,
    foreignNames: ["logging-steps", "update-freq", "log-interval"])
  static let tensorBoard = Option<String?>.text(
    "tensorboard", "DIR", kind: .directory, in: .output, role: .place, help: "write event files for TensorBoard",
    details: """
      Write event files for TensorBoard into this directory, one per run: loss and accuracy since the previous row, \
      learning_rate, val_loss, val_accuracy, tokens_per_second, by step. View them with 'tensorboard --logdir DIR'. \
      Use one directory per run to compare runs.
      """,
    foreignNames: ["logging-dir", "tensorboard-dir", "log-dir"])
  static let verbose = Option<Bool>.flag(
    "verbose", in: .general, role: .session, excludes: [CommonOptions.verbosity],
    help: "also show how it computes",
    details: """
      Also show, in the progress lines, the share of the threads' time spent in matrix products and the share of the \
      time spent waiting for data.
      """)
  static let checkpointEvery = Option<Int?>.integer(
    "checkpoint-every", defaultText: "each epoch", in: .output, role: .output, help: "write a checkpoint every N steps",
    details: """
      Also write a checkpoint to DIR/checkpoints every N steps. Checkpoints are always written after each epoch and \
      after Ctrl-C. Each is a model directory that --preset accepts.
      """,
    foreignNames: ["save-steps", "save-every"])
  static let keep = Option<Int>.integer(
    "keep", default: 2, in: .output, role: .output, help: "keep the newest N checkpoints",
    details: "Keep the newest N checkpoints, and the one with the lowest validation loss so far.",
    foreignNames: ["save-total-limit", "keep-checkpoints"])

  static let epochs = Option<Int?>.integer(
    "epochs", defaultText: "1", in: .training, role: .ruled, excludes: [length], help: "passes over the samples",
    details: "Passes over the samples. With only --max-steps: as many as those steps need.",
    foreignNames: ["num-train-epochs", "num-epochs"])
  static let maxSteps = Option<Int?>.integer(
    "max-steps", in: .training, role: .ruled, excludes: [length], help: "stop after N optimizer steps",
    details: "Stop after N optimizer steps. With --epochs, training stops at the earlier of the two.",
    foreignNames: ["steps-per-epoch", "steps", "num-steps"])
  static let batchSize = Option<Int>.integer(
    "batch-size", default: 32, in: .training, role: .arithmetic, help: "samples per optimizer step",
    details: "Samples per optimizer step; with --gradient-accumulation, per accumulated batch.",
    foreignNames: ["per-device-train-batch-size", "train-batch-size", "batch"])
  static let gradientAccumulation = Option<Int>.integer(
    "gradient-accumulation", default: 1, in: .training, role: .arithmetic, help: "batches per optimizer step",
    details: "Batches per optimizer step. The result is the same as with one batch of all their samples.",
    foreignNames: ["gradient-accumulation-steps", "accumulate", "grad-accum"])
  static let lossReduction = Option<LossReduction>.choice(
    "loss-reduction", "HOW", default: .maskedMean, in: .training, role: .arithmetic,
    help: "loss divisor, or sum-over-batch-size",
    details: """
      The loss divisor. masked-mean: the weights of the masked tokens of the optimizer step. sum-over-batch-size, as \
      in Keras: samples × mask slots (--mask-selection-length, or the length of a preprocessed sample's \
      mask_positions). Reported losses are always per masked token.
      """)
  static let dropout = Option<Double?>.number(
    "dropout", .zeroToBelowOne, defaultText: "the model's", in: .training, role: .arithmetic,
    help: "dropout rate",
    details: "The dropout rate.", foreignNames: ["dropout-rate"])
  static let freezeBackbone = Option<Bool>.flag(
    "freeze-backbone", in: .training, role: .arithmetic, excludes: [frozenParts], help: "train only the head",
    details: "Train only the head, as backbone.trainable = False does. The same as --freeze backbone.",
    foreignNames: ["freeze-encoder"])
  static let freeze = Option<[String]>.words(
    "freeze", "P,P…", in: .training, role: .arithmetic, excludes: [frozenParts], help: "do not train these parts",
    details: """
      Do not train these parts of the model: embeddings (including the token embedding, which the head shares), \
      layers:0-3 (encoder layers, counted from 0), backbone, head. Layers below the lowest trained part cost only \
      their forward pass.
      """,
    foreignNames: ["freeze-layers", "freeze-embeddings"])
  static let noShuffle = Option<Bool>.flag(
    "no-shuffle", in: .training, role: .arithmetic, help: "keep samples in file order",
    details: "Keep the samples in file order. By default, they are shuffled in each epoch, by --seed.",
    foreignNames: ["shuffle"])

  static let config = Option<String?>.text(
    "config", "FILE", kind: .file, in: .general, role: .place, help: "read options and FILEs from training.json",
    details: """
      Read options and FILEs from DIR/training.json, which fit writes, or from a file that you wrote: \
      {"files": ["a.txt"], "options": {"epochs": 3, "freeze": ["embeddings"], "no-shuffle": true}}. Options and FILEs \
      on the command line override those of the file, and the file overrides the environment. Keys are the names of \
      options; paths are relative to the current directory.
      """,
    foreignNames: ["config-file", "configuration"])

  static let optimizer = Option<Optimizer.Algorithm>.choice(
    "optimizer", "NAME", default: .adam, in: .optimizer, role: .arithmetic, help: "adam or adamw",
    details: "adam or adamw, as Keras computes them.", foreignNames: ["optim"])
  static let learningRate = Option<Double>.number(
    "learning-rate", .aboveZero, default: 5e-5, in: .optimizer, role: .ruled, help: "peak learning rate",
    details: "The learning rate at the peak of the schedule.", foreignNames: ["lr"])
  static let weightDecay = Option<Double?>.number(
    "weight-decay", .atLeastZero, defaultText: "0; adamw: 0.01", in: .optimizer, role: .arithmetic,
    help: "decoupled weight decay",
    details: "Decoupled weight decay, not applied to biases and layer norms.", foreignNames: ["wd"])
  static let beta1 = Option<Double>.number(
    "beta1", .zeroToBelowOne, default: 0.9, in: .optimizer, role: .arithmetic, help: "decay rate of the first moment",
    details: "The decay rate of the first moment.",
    foreignNames: ["beta-1", "adam-beta1"])
  static let beta2 = Option<Double>.number(
    "beta2", .zeroToBelowOne, default: 0.999, in: .optimizer, role: .arithmetic,
    help: "decay rate of the second moment", details: "The decay rate of the second moment.",
    foreignNames: ["beta-2", "adam-beta2"])
  static let epsilon = Option<Double>.number(
    "epsilon", .aboveZero, default: 1e-7, in: .optimizer, role: .arithmetic,
    help: "added to the root of the second moment",
    details: "A small number added to the root of the second moment.",
    foreignNames: ["adam-epsilon", "eps"])
  static let schedule = Option<Schedule.Shape>.choice(
    "schedule", "NAME", default: .constant, in: .optimizer, role: .arithmetic, help: "constant, linear or cosine",
    details: "The learning-rate schedule after the warm-up: constant, or linear or cosine decay to zero.",
    foreignNames: ["lr-scheduler-type", "lr-schedule", "scheduler"])
  static let warmupSteps = Option<Int>.integer(
    "warmup-steps", "N", 0...Int.max, default: 0, in: .optimizer, role: .arithmetic, excludes: [warmupLength],
    help: "steps of linear warm-up",
    details: "The number of steps in which the learning rate rises linearly to its peak.",
    foreignNames: ["warmup", "num-warmup-steps", "warm-up"])
  static let warmupRatio = Option<Double?>.number(
    "warmup-ratio", .zeroToOne, in: .optimizer, role: .arithmetic, excludes: [warmupLength],
    help: "warm-up as a share of all steps",
    details: "The length of the warm-up as a share of all steps, instead of --warmup-steps.")
  static let clipNorm = Option<Double?>.number(
    "clip-norm", .aboveZero, defaultText: "off", in: .optimizer, role: .arithmetic,
    help: "clip gradients by global norm",
    details: "Scale the gradients down if their global norm is larger than X.",
    foreignNames: ["max-grad-norm", "global-clipnorm", "clipnorm"])

  static let validationFile = Option<String?>.text(
    "validation", "FILE", kind: .file, in: .validation, role: .content, excludes: [validationData],
    help: "data to evaluate after each epoch",
    details: "Text (with --preprocessed: samples) to evaluate after each epoch, always with the same masks.",
    foreignNames: ["validation-file", "validation-data", "eval-file", "eval"])
  static let validationSplit = Option<Double?>.number(
    "validation-split", .betweenZeroAndOne, in: .validation, role: .arithmetic, excludes: [validationData],
    help: "share of the samples to hold out instead",
    details: "Hold out this share of the samples, and evaluate on it after each epoch.",
    foreignNames: ["validation-split-percentage"])
  static let earlyStopping = Option<Int?>.integer(
    "early-stopping", in: .validation, role: .ruled, help: "stop after N evaluations without progress",
    details: """
      Stop after N evaluations in a row without a better validation loss. Saves the weights with the lowest validation \
      loss, whether or not training stopped early.
      """,
    foreignNames: ["early-stop", "patience"])

  private static let atStart = Exclusion(
    of: ["resume", "overwrite"], because: "one continues from the checkpoints, the other removes them")
  private static let length = Exclusion.overriding(["epochs", "max-steps"])
  private static let frozenParts = Exclusion.overriding(["freeze", "freeze-backbone"])
  private static let warmupLength = Exclusion(
    of: ["warmup-steps", "warmup-ratio"], because: "both set the length of the warm-up")
  private static let validationData = Exclusion(
    of: ["validation", "validation-split"], because: "both set the validation data")

  /// In the order of help.
  static let fields: [OptionField<Self>] =
    CommonOptions.modelFields.map { $0.part(\.common) } + NewModelOptions.fields.map { $0.part(\.newModel) }
    + SampleOptions.inputFields.map { $0.part(\.samples) } + CommonOptions.inputFields.map { $0.part(\.common) }
    + outputFields + trainingFields + optimizerFields + SampleOptions.maskingFields.map { $0.part(\.samples) }
    + validationFields + generalFields
    + CommonOptions.generalFields.map { $0.part(\.common) }

  /// Excludes the fields of `common`, `newModel` and `samples`, which read their own.
  private static let ownFields = outputFields + trainingFields + optimizerFields + validationFields + generalFields

  private static let generalFields: [OptionField<Self>] = [.init(config), .init(verbose, \.isVerbose)]

  private static let outputFields: [OptionField<Self>] = [
    .init(output, \.output), .init(overwrite, \.overwrites), .init(resume, \.resumes),
    .init(checkpointEvery, \.checkpointInterval), .init(keep, \.keptCheckpoints), .init(log, \.log),
    .init(logEvery, \.logInterval), .init(tensorBoard, \.tensorBoard),
  ]

  private static let trainingFields: [OptionField<Self>] = [
    .init(epochs, \.epochs), .init(maxSteps, \.maximumSteps), .init(batchSize, \.batchSize),
    .init(gradientAccumulation, \.gradientAccumulation), .init(lossReduction, \.lossReduction),
    .init(dropout, \.dropout, key: { $0.map(Double.keyTextOfFloat) ?? "the model's" }),
    .init(freezeBackbone), .init(freeze, value: { $0.frozen.map(\.text) }, absent: "nothing"),
    .init(noShuffle, \.shuffles.negated),
  ]

  private static let optimizerFields: [OptionField<Self>] = [
    .init(optimizer, \.optimizer), .init(learningRate, \.learningRate),
    .init(changeLearningRate, \.changesLearningRate),
    .init(weightDecay, value: { $0.weightDecay }, key: { Double.keyTextOfFloat($0.weightDecay) }),
    .init(beta1, \.beta1, key: Double.keyTextOfFloat), .init(beta2, \.beta2, key: Double.keyTextOfFloat),
    .init(epsilon, \.epsilon, key: Double.keyTextOfFloat), .init(schedule, \.schedule),
    // Only one of the two is recorded.
    .init(warmupSteps, value: { if case .steps(let steps) = $0.warmup { steps } else { nil } }),
    .init(warmupRatio, value: { if case .ratio(let ratio) = $0.warmup { .some(ratio) } else { nil } }),
    .init(clipNorm, \.clipNorm, key: { $0.map(Double.keyTextOfFloat) ?? "off" }),
  ]

  private static let validationFields: [OptionField<Self>] = [
    .init(validationFile, value: { if case .file(let file) = $0.validation { file } else { .some(nil) } }),
    .init(
      validationSplit, value: { if case .split(let share) = $0.validation { share } else { .some(nil) } },
      absent: "none"),
    .init(earlyStopping, \.earlyStopping),
  ]
}

extension Optimizer.Algorithm: RecordedValue {}
extension Schedule.Shape: RecordedValue {}
extension LossReduction: RecordedValue {}
