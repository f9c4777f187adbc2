import CommandLine

/// The options that commands which load a model share.
struct CommonOptions: Sendable, Equatable {
  /// A name, a directory or `hf://…`; nil if the default rule (`DefaultPreset`) decides.
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
      The model: a directory, a name that 'mlm presets' lists, or hf://OWNER/NAME[@REVISION]. Files that are not in \
      the hub's cache are downloaded. Default: $MLM_PRESET; otherwise (except for fit) ./mlm-model if that is a model \
      directory; otherwise the built-in preset. A note on standard error names the model.
      """,
    foreignNames: ["model", "model-name-or-path", "model-name", "checkpoint"])
  static let noLoadWeights = Option<Bool>.flag(
    "no-load-weights", in: .model, role: .arithmetic, help: "random weights from --seed",
    details:
      "Use the preset's architecture and vocabulary with random weights from --seed. Its weights are not downloaded.",
    foreignNames: ["random-init", "load-weights", "from-scratch"])
  static let seed = Option<UInt64>.seed(
    "seed", default: 0, in: .general, role: .arithmetic, help: "seed of all random choices",
    details: "The seed of all random choices: weights, masks, dropout, order.",
    foreignNames: ["random-seed", "random-state"])
  static let threads = Option<Int?>.integer(
    "threads", "N", 1...1024, defaultText: "the CPUs allowed", in: .general, role: .ruled,
    help: "number of threads",
    details: """
      The number of threads. Default: OMP_NUM_THREADS or OPENBLAS_NUM_THREADS if set, otherwise the CPUs that this \
      process may use (affinity and cgroup quotas are respected).
      """,
    foreignNames: ["num-threads", "jobs", "workers", "num-workers"])
  static let sequenceLength = Option<Int?>.integer(
    "sequence-length", "N", 3...Int.max, defaultText: "512 or the model's", in: .model, role: .arithmetic,
    help: "tokens per sample",
    details: """
      Tokens per sample, including [CLS] and [SEP]. Default: 512, or the model's number of positions if that is smaller.
      """,
    foreignNames: ["max-seq-length", "max-length", "max-sequence-length", "seq-length"])
  static let preprocessed = Option<Bool>.flag(
    "preprocessed", in: .input, role: .arithmetic,
    excludes: [
      Exclusion(
        of: SampleOptions.fields.map(\.declaration.name) + ["strict", "special-tokens-in-text"],
        because: "preprocessed samples have their own tokens and masks"),
      Exclusion(
        of: ["learn-vocabulary"], because: "a vocabulary is learned from text, not from ids",
        overridesFile: false),
      Exclusion(of: ["format"], otherValue: "fill", because: "a preprocessed sample has no text"),
    ], help: "read samples of token ids instead of text",
    details: """
      Read JSON Lines of samples instead of text, with the arrays of KerasHub's preprocessor: token_ids, \
      padding_mask, mask_positions, labels, sample_weight. See 'mlm help formats'.
      """)
  static let strict = Option<Bool>.flag(
    "strict", in: .input, role: .output, help: "treat invalid UTF-8 as an error",
    details: """
      Treat invalid UTF-8 as an error that names file, line and byte. By default, it becomes U+FFFD and a warning \
      counts it.
      """)
  static let specialTokensInText = Option<Bool>.flag(
    "special-tokens-in-text", in: .input, role: .arithmetic, help: "recognize [SEP], [CLS] … in the text",
    details: """
      Recognize [CLS], [SEP], [MASK], [PAD] and [UNK] in the text as special tokens, as transformers does. By default, \
      they are plain text, as in KerasHub; predict always recognizes [MASK]. Tokens that users added to a vocabulary \
      are always recognized.
      """)
  static let offline = Option<Bool>.flag(
    "offline", in: .general, role: .place, help: "do not use the network",
    details: "Do not use the network; a file that is not in the hub's cache is an error. Same as HF_HUB_OFFLINE=1.",
    foreignNames: ["local-files-only"])
  static let quiet = Option<Bool>.flag(
    "quiet", in: .general, role: .session, excludes: [verbosity], help: "show only errors on standard error",
    details: "Show only errors on standard error, without progress, notes and warnings.", foreignNames: ["silent"])

  /// `--quiet` and `--verbose`.
  static let verbosity = Exclusion(of: ["quiet", "verbose"], because: "they are opposites")

  /// The options that fit, predict and evaluate share, by heading.
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
    ("MLM_PRESET", "default of --preset"),
    ("OMP_NUM_THREADS, OPENBLAS_NUM_THREADS", "default of --threads"),
    ("MLM_PRESETS", "a file of additional presets; 'mlm presets --help' shows its format"),
    ("HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME", "the location of the hub's cache of downloaded models"),
    ("HF_HUB_OFFLINE", "1 is the same as --offline"),
    ("HF_ENDPOINT", "a mirror to use instead of https://huggingface.co"),
    ("HF_TOKEN, HF_TOKEN_PATH", "the access token for private models, or a file with it"),
    ("HF_HUB_ETAG_TIMEOUT, HF_HUB_DOWNLOAD_TIMEOUT", "timeouts of requests to the hub, in seconds [default: 10]"),
    ("HF_HUB_DISABLE_PROGRESS_BARS", "1 hides the progress of downloads"),
    ("HF_HUB_DISABLE_SYMLINKS", "1 keeps copies in the cache instead of links"),
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY", "proxies, in upper or lower case"),
    ("NO_COLOR, TERM", "no color if NO_COLOR is not empty or TERM is dumb"),
  ]

  /// The variables of predict and evaluate.
  static let computingEnvironment: [(name: String, meaning: String)] =
    environment.prefix(1) + [PrecisionOptions.environment] + environment.dropFirst()

  init(_ arguments: ParsedArguments) throws(UsageError) {
    for field in Self.modelFields + Self.inputFields + Self.generalFields { try field.read(arguments, &self) }
  }
}
