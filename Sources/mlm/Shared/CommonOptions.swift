import CommandLine

/// Which model, and what every command that loads one can be told.
struct CommonOptions: Sendable, Equatable {
  /// A name, a directory or `hf://…`; nil where the default rule decides (`DefaultPreset`).
  var preset: String?
  var loadsWeights = true
  var seed: UInt64 = 0
  /// nil: the CPUs this process may use (`ThreadCount`).
  var threads: Int?
  /// nil: the smaller of 512 and the model's positions.
  var sequenceLength: Int?
  var preprocessed = false
  var strict = false
  var specialTokensInText = false
  var offline = false
  var quiet = false
}

extension CommonOptions {
  static let preset = Option<String?>.text(
    "preset", "P", kind: .entry(.presets), defaultText: "$MLM_PRESET …", in: .model, role: .content,
    help: "name, directory, hf://OWNER/NAME",
    details: """
      The model: a directory, a name that 'mlm presets' lists, or hf://OWNER/NAME[@REVISION]; what is not in the \
      hub's cache is downloaded. Without it: \
      $MLM_PRESET, else (but for fit) ./mlm-model if that is a model directory, else the preset \
      inside the program. A line on standard error says which was taken.
      """,
    foreignNames: ["model", "model-name-or-path", "model-name", "checkpoint"])
  static let noLoadWeights = Option<Bool>.flag(
    "no-load-weights", in: .model, role: .arithmetic, help: "random weights from --seed",
    details:
      "Take the preset's architecture and vocabulary, but random weights from --seed. Its weights are not downloaded.",
    foreignNames: ["random-init", "load-weights", "from-scratch"])
  static let seed = Option<UInt64>.seed(
    "seed", default: 0, in: .general, role: .arithmetic, help: "every random choice comes from it",
    details: "Every random choice comes from this number: weights, masks, dropout, order.",
    foreignNames: ["random-seed", "random-state"])
  static let threads = Option<Int?>.integer(
    "threads", "N", 1...1024, defaultText: "the CPUs allowed", in: .general, role: .ruled,
    help: "threads to compute with",
    details: """
      Threads to compute with. Without it: OMP_NUM_THREADS or OPENBLAS_NUM_THREADS where set, else the CPUs this \
      process may use, affinity and cgroup quota counted.
      """,
    foreignNames: ["num-threads", "jobs", "workers", "num-workers"])
  static let sequenceLength = Option<Int?>.integer(
    "sequence-length", "N", 3...Int.max, defaultText: "512 or the model's", in: .model, role: .arithmetic,
    help: "tokens per sample",
    details: """
      Tokens per sample, [CLS] and [SEP] counted. Without it the smaller of 512 and the positions the model has.
      """,
    foreignNames: ["max-seq-length", "max-length", "max-sequence-length", "seq-length"])
  static let preprocessed = Option<Bool>.flag(
    "preprocessed", in: .input, role: .arithmetic,
    excludes: [
      Exclusion(
        of: SampleOptions.fields.map(\.declaration.name) + ["strict", "special-tokens-in-text"],
        because: "preprocessed samples bring their own tokens and masks"),
      Exclusion(of: ["learn-vocabulary"], because: "integers are no text to learn from"),
      Exclusion(of: ["format"], otherValue: "fill", because: "an integer sample has no text to fill in"),
    ], help: "inputs are integer samples, not text",
    details: """
      The inputs are JSON Lines of integer samples with the arrays of KerasHub's preprocessor: token_ids, \
      padding_mask, mask_positions, labels, sample_weight.
      """)
  static let strict = Option<Bool>.flag(
    "strict", in: .input, role: .output, help: "invalid UTF-8 is an error",
    details: """
      Invalid UTF-8 is an error with file, line and byte. Without it, it becomes U+FFFD and is counted in a warning.
      """)
  static let specialTokensInText = Option<Bool>.flag(
    "special-tokens-in-text", in: .input, role: .arithmetic, help: "find [SEP], [CLS] … in the text",
    details: """
      Read [CLS], [SEP], [MASK], [PAD] and [UNK] in the text as the tokens, as transformers does. Without it they are \
      plain text, as in KerasHub; in predict, [MASK] is always the mask. Tokens that users added to a vocabulary are \
      always found.
      """)
  static let offline = Option<Bool>.flag(
    "offline", in: .general, role: .place, help: "never touch the network",
    details: "Never touch the network, as HF_HUB_OFFLINE=1 does: what is not in the hub's cache is an error.",
    foreignNames: ["local-files-only"])
  static let quiet = Option<Bool>.flag(
    "quiet", in: .general, role: .session, excludes: [verbosity], help: "errors only on standard error",
    foreignNames: ["silent"])

  static let verbosity = Exclusion(of: ["quiet", "verbose"], because: "one asks for less, the other for more")

  /// What fit, predict and evaluate share, by heading.
  static let modelFields: [OptionField<Self>] = [
    .init(preset, \.preset, key: { $0 ?? "" }), .init(noLoadWeights, \.loadsWeights.negated),
    .init(sequenceLength, \.sequenceLength, absent: "the model's"),
  ]
  static let inputFields: [OptionField<Self>] = [
    .init(strict, \.strict), .init(specialTokensInText, \.specialTokensInText, before: "off"),
    .init(preprocessed, \.preprocessed),
  ]
  static let generalFields: [OptionField<Self>] = [
    .init(seed, \.seed), .init(threads, \.threads), .init(offline, \.offline), .init(quiet, \.quiet),
  ]
  static let modelDeclarations = modelFields.map(\.declaration)
  static let inputDeclarations = inputFields.map(\.declaration)
  static let generalDeclarations = generalFields.map(\.declaration) + [CommandDeclaration.help.declaration]

  static let environment: [(name: String, meaning: String)] = [
    ("MLM_PRESET", "the model to take without --preset"),
    ("OMP_NUM_THREADS, OPENBLAS_NUM_THREADS", "threads to compute with, without --threads"),
    ("MLM_PRESETS", "a file of more presets; 'mlm presets --help' shows its format"),
    ("HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME", "where the hub's cache of downloaded models is"),
    ("HF_HUB_OFFLINE", "1 is the same as --offline"),
    ("HF_ENDPOINT", "a mirror of the hub, instead of https://huggingface.co"),
    ("HF_TOKEN, HF_TOKEN_PATH", "the token for private models, or the file it is in"),
    ("HF_HUB_ETAG_TIMEOUT, HF_HUB_DOWNLOAD_TIMEOUT", "seconds to wait for the hub, 10 each"),
    ("HF_HUB_DISABLE_PROGRESS_BARS", "1 shows no progress of downloads"),
    ("HF_HUB_DISABLE_SYMLINKS", "1 keeps copies in the cache instead of links"),
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY", "the way to the network, in either case"),
    ("NO_COLOR, TERM", "no colour where NO_COLOR is not empty or TERM is dumb"),
  ]

  init(_ arguments: ParsedArguments) throws(UsageError) {
    for field in Self.modelFields + Self.inputFields + Self.generalFields { try field.read(arguments, &self) }
  }
}
