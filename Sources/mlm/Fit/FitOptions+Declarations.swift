import CommandLine

extension FitOptions {
  static let output = Option<String>.text(
    "output", "DIR", kind: .directory, default: "./mlm-model", in: .output, help: "the model directory to write",
    details: "Where the model directory is written. It appears whole or not at all.",
    foreignNames: ["output-dir", "out", "save-dir"])
  static let overwrite = Option<Bool>.flag(
    "overwrite", in: .output, help: "replace a model directory that is there",
    details: """
      Replace a model directory that is there, or start over where checkpoints of a training are. Without it, either \
      is an error. Old checkpoints are removed only when every input and output has been opened.
      """,
    foreignNames: ["overwrite-output-dir", "force"])
  static let resume = Option<Bool>.flag(
    "resume", in: .output, help: "go on from the newest checkpoint",
    details: """
      Go on from the newest checkpoint in --output. With the same FILEs, options and threads the model at the end is \
      the one of a training that was never interrupted, byte for byte. What would change the arithmetic is refused by \
      name. --preset and --vocabulary are compared by content, and --preset may be left out. What says where and how \
      often something is written may differ; --threads too, with a note (last digits may change), and --early-stopping, \
      with a note; --epochs and --max-steps may grow where the learning rate does not depend on the length.
      """,
    foreignNames: ["resume-from-checkpoint", "continue"])
  static let changeLearningRate = Option<Bool>.flag(
    "change-learning-rate", in: .optimizer, help: "with --resume: --learning-rate may differ",
    details: "With --resume: take --learning-rate, though the checkpoint's is another. Without it, that is an error.")
  static let log = Option<String?>.text(
    "log", "FILE", kind: .file, defaultText: "DIR/history.csv", in: .output, help: "a CSV row per report",
    details: """
      One CSV row per report: epoch, step, samples, tokens, loss, accuracy, learning_rate, val_loss, val_accuracy, \
      seconds. Loss and accuracy are means over the epoch so far, as Keras' CSVLogger has them; empty where no token was \
      masked. Without this option the rows grow in DIR/checkpoints/history.csv until the model is written.
      """,
    foreignNames: ["history", "csv-logger", "log-file"])
  static let logEvery = Option<Int>.integer(
    "log-every", default: 100, in: .output, help: "steps from row to row of the log",
    details: """
      Steps from one row of the history to the next; each epoch ends with a row too. TensorBoard's events and \
      the picture history.svg follow.
      """,
    foreignNames: ["logging-steps", "update-freq", "log-interval"])
  static let tensorBoard = Option<String?>.text(
    "tensorboard", "DIR", kind: .directory, in: .output, help: "event files for TensorBoard",
    details: """
      Write event files for TensorBoard into this directory, one per run: loss and accuracy since the row before, \
      learning_rate, val_loss, val_accuracy, tokens_per_second, by step. Look at them with 'tensorboard --logdir DIR'; \
      runs that are to be told apart want directories of their own.
      """,
    foreignNames: ["logging-dir", "tensorboard-dir", "log-dir"])
  static let verbose = Option<Bool>.flag(
    "verbose", in: .general, help: "say where the time goes, too",
    details: "Say in the lines of progress, too, how much of the threads' time goes into matrix products.")
  static let checkpointEvery = Option<Int?>.integer(
    "checkpoint-every", defaultText: "each epoch", in: .output, help: "a checkpoint each N steps",
    details: """
      Also write a checkpoint each N steps. One is written after each epoch, and when training is ended by Ctrl-C, in \
      DIR/checkpoints; each is a model directory, which can be a --preset.
      """,
    foreignNames: ["save-steps", "save-every"])
  static let keep = Option<Int>.integer(
    "keep", default: 2, in: .output, help: "keep the newest N checkpoints",
    details: "Keep the newest N checkpoints, and besides them those of the best validation loss until then.",
    foreignNames: ["save-total-limit", "keep-checkpoints"])

  static let epochs = Option<Int?>.integer(
    "epochs", defaultText: "1", in: .training, help: "passes over the samples",
    details: "Passes over the samples. With --max-steps alone: as many as those steps need.",
    foreignNames: ["num-train-epochs", "num-epochs"])
  static let maxSteps = Option<Int?>.integer(
    "max-steps", in: .training, help: "stop after N optimizer steps",
    details: "Stop after that many optimizer steps. With --epochs too, whichever ends first.",
    foreignNames: ["steps-per-epoch", "steps", "num-steps"])
  static let batchSize = Option<Int>.integer(
    "batch-size", default: 32, in: .training, help: "samples per optimizer step",
    details: "Samples per optimizer step; with --gradient-accumulation, per accumulated batch.",
    foreignNames: ["per-device-train-batch-size", "train-batch-size", "batch"])
  static let gradientAccumulation = Option<Int>.integer(
    "gradient-accumulation", default: 1, in: .training, help: "batches per optimizer step",
    details: "Batches per optimizer step. The result equals one batch of the sum.",
    foreignNames: ["gradient-accumulation-steps", "accumulate", "grad-accum"])
  static let lossReduction = Option<LossReductionName>.choice(
    "loss-reduction", "HOW", default: .maskedMean, in: .training, help: "or sum-over-batch-size",
    details: """
      What the gradient's loss is divided by. masked-mean: the weights of the masked tokens of the whole optimizer \
      step. sum-over-batch-size, as Keras does: samples × mask slots (--mask-selection-length, or the length of a \
      preprocessed sample's mask_positions). What is reported is always per masked token.
      """)
  static let dropout = Option<Double?>.number(
    "dropout", .zeroToBelowOne, defaultText: "the model's", in: .training, help: "overrides the model's dropout",
    details: "Overrides the model's own dropout.", foreignNames: ["dropout-rate"])
  static let freezeBackbone = Option<Bool>.flag(
    "freeze-backbone", in: .training, help: "train the head alone",
    details: "Train the head alone: backbone.trainable = False. The same as --freeze backbone.",
    foreignNames: ["freeze-encoder"])
  static let freeze = Option<[String]>.words(
    "freeze", "P,P…", in: .training, help: "keep these parts as they are",
    details: """
      Keep parts of the model as they are: embeddings (the token embedding, which the head shares, is one), layers:0-3 \
      (encoder layers, counted from 0), backbone, head. Below the lowest part that is trained nothing is computed but \
      the forward pass.
      """,
    foreignNames: ["freeze-layers", "freeze-embeddings"])
  static let noShuffle = Option<Bool>.flag(
    "no-shuffle", in: .training, help: "samples in file order",
    details: "Take the samples in file order. Without it they are shuffled by --seed in each epoch.",
    foreignNames: ["shuffle"])

  static let config = Option<String?>.text(
    "config", "FILE", kind: .file, in: .general, help: "options and FILEs from training.json",
    details: """
      Take options and FILEs from a file that fit has written, DIR/training.json, or from one of your own: \
      {"files": ["a.txt"], "options": {"epochs": 3, "freeze": ["embeddings"], "no-shuffle": true}}. An option that is \
      typed goes before the file's, FILEs that are typed take the place of its FILEs, and the file goes before the \
      environment. The names in it are those of the options; paths are relative to where you are.
      """,
    foreignNames: ["config-file", "configuration"])

  static let optimizer = Option<OptimizerName>.choice(
    "optimizer", "NAME", default: .adam, in: .optimizer, help: "adam or adamw",
    details: "adam or adamw, as Keras computes them.", foreignNames: ["optim"])
  static let learningRate = Option<Double>.number(
    "learning-rate", .aboveZero, default: 5e-5, in: .optimizer, help: "peak learning rate",
    details: "The learning rate at its peak.", foreignNames: ["lr"])
  static let weightDecay = Option<Double?>.number(
    "weight-decay", .atLeastZero, defaultText: "0; adamw: 0.01", in: .optimizer, help: "decoupled weight decay",
    details: "Decoupled weight decay; biases and layer norms are left alone.", foreignNames: ["wd"])
  static let beta1 = Option<Double>.number(
    "beta1", .zeroToBelowOne, default: 0.9, in: .optimizer, help: "decay of the first moment",
    foreignNames: ["beta-1", "adam-beta1"])
  static let beta2 = Option<Double>.number(
    "beta2", .zeroToBelowOne, default: 0.999, in: .optimizer, help: "decay of the second moment",
    foreignNames: ["beta-2", "adam-beta2"])
  static let epsilon = Option<Double>.number(
    "epsilon", .aboveZero, default: 1e-7, in: .optimizer, help: "added to the root of the second moment",
    foreignNames: ["adam-epsilon", "eps"])
  static let schedule = Option<ScheduleName>.choice(
    "schedule", "NAME", default: .constant, in: .optimizer, help: "constant, linear or cosine",
    details: "How the learning rate goes on after the warm-up: constant, or linear or cosine down to zero.",
    foreignNames: ["lr-scheduler-type", "lr-schedule", "scheduler"])
  static let warmupSteps = Option<Int>.integer(
    "warmup-steps", "N", 0...Int.max, default: 0, in: .optimizer, help: "steps up to the peak rate",
    details: "Steps in which the learning rate rises to its peak.",
    foreignNames: ["warmup", "num-warmup-steps", "warm-up"])
  static let warmupRatio = Option<Double?>.number(
    "warmup-ratio", .zeroToOne, in: .optimizer, help: "the same as a share of all steps",
    details: "Instead of --warmup-steps: the share of all steps.")
  static let clipNorm = Option<Double?>.number(
    "clip-norm", .aboveZero, defaultText: "off", in: .optimizer, help: "clip gradients by global norm",
    details: "Scale the gradients down where their global norm is larger.",
    foreignNames: ["max-grad-norm", "global-clipnorm", "clipnorm"])

  static let validationFile = Option<String?>.text(
    "validation", "FILE", kind: .file, in: .validation, help: "evaluated after each epoch",
    details: "Text (or, with --preprocessed, samples) to evaluate after each epoch, always with the same masks.",
    foreignNames: ["validation-file", "validation-data", "eval-file", "eval"])
  static let validationSplit = Option<Double?>.number(
    "validation-split", .betweenZeroAndOne, in: .validation, help: "hold out this share instead",
    details: "Hold out this share of the samples and evaluate on it after each epoch.",
    foreignNames: ["validation-split-percentage"])
  static let earlyStopping = Option<Int?>.integer(
    "early-stopping", in: .validation, help: "stop after N evaluations without progress",
    details: """
      Stop after N evaluations in a row without a better validation loss. Saves the weights with the lowest validation \
      loss, whether or not training stopped early.
      """,
    foreignNames: ["early-stop", "patience"])

  static let declaration = CommandDeclaration(
    name: "fit", summary: "train on text, write a model directory", operands: .files,
    options: CommonOptions.modelDeclarations
      + NewModelOptions.declarations + SampleOptions.inputDeclarations + CommonOptions.inputDeclarations
      + [
        output.declaration, overwrite.declaration, resume.declaration, checkpointEvery.declaration, keep.declaration,
        log.declaration, logEvery.declaration, tensorBoard.declaration, epochs.declaration, maxSteps.declaration,
        batchSize.declaration,
        gradientAccumulation.declaration,
        lossReduction.declaration, dropout.declaration, freezeBackbone.declaration, freeze.declaration,
        noShuffle.declaration,
        optimizer.declaration, learningRate.declaration, changeLearningRate.declaration, weightDecay.declaration,
        beta1.declaration,
        beta2.declaration, epsilon.declaration, schedule.declaration, warmupSteps.declaration,
        warmupRatio.declaration, clipNorm.declaration,
      ]
      + SampleOptions.maskingDeclarations
      + [validationFile.declaration, validationSplit.declaration, earlyStopping.declaration]
      + [config.declaration, verbose.declaration] + CommonOptions.generalDeclarations,
    description: [
      """
      Trains a model to fill in masked tokens of text. Each non-blank line of the FILEs is a sample: some of its \
      tokens are hidden, and the model learns to predict them. In the text, [MASK] and [SEP] are ordinary characters.
      """,
      """
      The model directory is written at the end and appears whole or not at all. transformers and KerasHub load it; \
      'mlm predict' and 'mlm evaluate' take it without being told. Until then it holds checkpoints. Ctrl-C ends after \
      the step at hand with a checkpoint, from which the same command with --resume goes on; a second one ends at once.
      """,
      """
      Beside the model stand history.csv and history.svg, the course of the training as a table and as a picture, and \
      README.md, a model card with the data, the figures and the command that repeats it; and training.json, all options \
      of the run, for --config. With --overwrite, a README.md \
      that mlm did not write stays, and the card becomes MODEL_CARD.md.
      """,
    ],
    examples: [
      .init(
        command: "mlm fit --preset distil_bert_base_en_uncased --epochs 3 novels.txt",
        meaning: "go on training a published model on your own text"),
      .init(
        command: "mlm fit --learn-vocabulary 8000 --learning-rate 1e-3 --epochs 10 letters.txt",
        meaning: "from nothing: your own word pieces, the tiny preset's size, random weights"),
      .init(
        command: "zcat corpus.gz | mlm fit --max-steps 1000 --validation held-out.txt -",
        meaning: "text from a pipe, 1000 steps, validated on a file"),
      .init(
        command: "mlm fit --schedule linear --warmup-ratio 0.06 --optimizer adamw novels.txt",
        meaning: "the recipe of the BERT papers"),
      .init(
        command: "mlm fit --config mlm-model/training.json --seed 1 --output other",
        meaning: "the same training again, with another seed"),
      .init(
        command: "mlm fit --epochs 3 --checkpoint-every 500 novels.txt --resume",
        meaning: "go on where the same command without --resume was interrupted"),
    ],
    environment: CommonOptions.environment)
}
