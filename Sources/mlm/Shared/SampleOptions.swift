import CommandLine
import Model

/// The options of fit and evaluate that turn text into masked samples.
struct SampleOptions: Sendable, Equatable {
  enum Cut: String, RecordedValue, CaseIterable { case lines, packed }

  var selectionRate = Self.selectionRate.defaultValue
  var selectionLength = Self.selectionLength.defaultValue
  var maskTokenRate = Self.maskTokenRate.defaultValue
  var randomTokenRate = Self.randomTokenRate.defaultValue
  var sampling = Self.sampling.defaultValue
  var wholeWords = false
  var masksUnknown = false
  var cut = Self.cut.defaultValue
  var truncates = false
  /// Whether a line is two segments separated by a tab.
  var pairs = false
}

extension SampleOptions {
  static let selectionRate = Option<Double>.number(
    "mask-selection-rate", .aboveZeroToOne, default: 0.15, in: .masking, role: .arithmetic,
    help: "share of tokens to predict",
    details: "The share of a sample's selectable tokens to predict.",
    foreignNames: ["mlm-probability", "mask-rate", "mask-prob", "mask-probability"])
  static let selectionLength = Option<Int>.integer(
    "mask-selection-length", default: 96, in: .masking, role: .arithmetic, help: "maximum number of tokens to predict",
    details: "The maximum number of tokens to predict in one sample.", foreignNames: ["max-predictions-per-seq"])
  static let maskTokenRate = Option<Double>.number(
    "mask-token-rate", .zeroToOne, default: 0.8, in: .masking, role: .arithmetic,
    help: "share of selected tokens that become [MASK]",
    details: "The share of the selected tokens to replace by [MASK].", foreignNames: ["mask-replace-prob"])
  static let randomTokenRate = Option<Double>.number(
    "random-token-rate", .zeroToOne, default: 0.1, in: .masking, role: .arithmetic,
    help: "share of selected tokens made random",
    details: "The share of the selected tokens to replace by a random token. The remaining ones are left unchanged.",
    foreignNames: ["random-replace-prob"])
  static let sampling = Option<MaskingOptions.Sampling>.choice(
    "mask-sampling", "HOW", default: .exact, in: .masking, role: .arithmetic, help: "exact or bernoulli",
    details: """
      exact: selects exactly rate × n of the n selectable tokens, rounded up, but at most --mask-selection-length, as \
      KerasHub does. bernoulli: selects each token independently, as transformers does.
      """)
  static let wholeWords = Option<Bool>.flag(
    "whole-word-masking", in: .masking, role: .arithmetic, help: "select whole words, not pieces",
    details: "Select whole words, not word pieces.", foreignNames: ["whole-word-mask", "wwm"])
  static let maskUnknown = Option<Bool>.flag(
    "mask-unknown", in: .masking, role: .arithmetic, help: "also select [UNK]",
    details: """
      Select [UNK] like any other token, as KerasHub does. By default, [UNK] is never selected, as in transformers, \
      because predicting it teaches and measures nothing.
      """)
  static let cut = Option<Cut>.choice(
    "samples", "HOW", default: .lines, in: .input, role: .arithmetic,
    excludes: [
      Exclusion(of: ["pairs"], when: "packed", because: "each pair is one sample", overridesFile: false),
      Exclusion(
        of: ["truncate"], when: "packed", because: "packed lines continue in the next sample", overridesFile: false),
    ], help: "how lines become samples: lines or packed",
    details: """
      lines: each line is a sample; a longer line continues in further samples, so no text is lost. packed: a sample \
      is [CLS], as many lines as fit, separated by [SEP], and [SEP]; the first word that does not fit begins the next \
      sample, so no text is lost. Packing restarts at each FILE and at each MiB of a FILE, so only the last sample \
      before that is much shorter.
      """,
    foreignNames: ["line-by-line", "group-texts"])
  static let truncate = Option<Bool>.flag(
    "truncate", in: .input, role: .arithmetic, help: "cut each line to one sample",
    details: """
      Cut each line to one sample, as KerasHub does. Reports how much was dropped.
      """, foreignNames: ["truncation"])
  static let pairs = Option<Bool>.flag(
    "pairs", in: .input, role: .arithmetic, help: "each line is two segments separated by a tab",
    details: """
      Each line is two segments of text separated by one tab; the sample is [CLS] a [SEP] b [SEP]. Tokens that do not \
      fit are dropped, from the longer segment first, and counted.
      """, foreignNames: ["sentence-pairs", "text-pair"])

  static let inputFields: [OptionField<Self>] = [
    .init(cut, \.cut), .init(truncate, \.truncates), .init(pairs, \.pairs),
  ]
  static let maskingFields: [OptionField<Self>] = [
    .init(selectionRate, \.selectionRate), .init(selectionLength, \.selectionLength),
    .init(maskTokenRate, \.maskTokenRate), .init(randomTokenRate, \.randomTokenRate), .init(sampling, \.sampling),
    .init(wholeWords, \.wholeWords), .init(maskUnknown, \.masksUnknown, before: "on"),
  ]
  static let fields = inputFields + maskingFields
  static let inputDeclarations = inputFields.map(\.declaration)
  static let maskingDeclarations = maskingFields.map(\.declaration)

  init(_ arguments: ParsedArguments) throws(UsageError) {
    for field in Self.fields { try field.read(arguments, &self) }
    guard maskTokenRate + randomTokenRate <= 1 + 1e-9 else {
      let sum = NumberText.short(maskTokenRate + randomTokenRate)
      throw UsageError(
        "the sum of --mask-token-rate and --random-token-rate is \(sum), more than 1",
        hint: arguments.has(Self.randomTokenRate) ? nil : "--random-token-rate is 0.1 by default")
    }
  }
}

extension MaskingOptions.Sampling: RecordedValue {}
