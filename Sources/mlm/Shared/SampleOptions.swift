import CommandLine
import Model

/// How text becomes masked samples; fit and evaluate share it.
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
  /// A line is two segments with a tab between them.
  var pairs = false
}

extension SampleOptions {
  static let selectionRate = Option<Double>.number(
    "mask-selection-rate", .aboveZeroToOne, default: 0.15, in: .masking, role: .arithmetic,
    help: "share of tokens to predict",
    details: "The share of the selectable tokens of a sample that is to be predicted.",
    foreignNames: ["mlm-probability", "mask-rate", "mask-prob", "mask-probability"])
  static let selectionLength = Option<Int>.integer(
    "mask-selection-length", default: 96, in: .masking, role: .arithmetic, help: "at most this many in a sample",
    details: "The most tokens to predict in one sample.", foreignNames: ["max-predictions-per-seq"])
  static let maskTokenRate = Option<Double>.number(
    "mask-token-rate", .zeroToOne, default: 0.8, in: .masking, role: .arithmetic,
    help: "share of those that become [MASK]",
    details: "The share of the selected tokens that becomes [MASK].", foreignNames: ["mask-replace-prob"])
  static let randomTokenRate = Option<Double>.number(
    "random-token-rate", .zeroToOne, default: 0.1, in: .masking, role: .arithmetic,
    help: "share that becomes a random token",
    details: "The share of the selected tokens that becomes a random token; what is left stays as it is.",
    foreignNames: ["random-replace-prob"])
  static let sampling = Option<MaskingOptions.Sampling>.choice(
    "mask-sampling", "HOW", default: .exact, in: .masking, role: .arithmetic, help: "exact or bernoulli",
    details: """
      exact: just rate times n of the n selectable tokens, rounded up, but no more than the length, as KerasHub's fit \
      does. bernoulli: each token by itself, as transformers does.
      """)
  static let wholeWords = Option<Bool>.flag(
    "whole-word-masking", in: .masking, role: .arithmetic, help: "select whole words, not pieces",
    details: "Select whole words, not word pieces.", foreignNames: ["whole-word-mask", "wwm"])
  static let maskUnknown = Option<Bool>.flag(
    "mask-unknown", in: .masking, role: .arithmetic, help: "[UNK] may be selected, too",
    details: """
      Select [UNK] like any other token, as KerasHub does. Without it, [UNK] is never selected, as in transformers: a \
      model learns no word from it, and to guess it right says nothing.
      """)
  static let cut = Option<Cut>.choice(
    "samples", "HOW", default: .lines, in: .input, role: .arithmetic,
    excludes: [
      Exclusion(of: ["pairs"], when: "packed", because: "a pair is a sample of its own"),
      Exclusion(of: ["truncate"], when: "packed", because: "packed lines go on in the next sample"),
    ], help: "lines or packed",
    details: """
      lines: a line is a sample; a line too long goes on in further samples, so that no text is lost. packed: a sample \
      is [CLS], as many lines as fit with [SEP] between them, and [SEP]; where the next word has no room, the next \
      sample begins with it, so that no text is lost. Packing begins anew with each FILE and each MiB of it: only the \
      last sample there is much shorter.
      """,
    foreignNames: ["line-by-line", "group-texts"])
  static let truncate = Option<Bool>.flag(
    "truncate", in: .input, role: .arithmetic, help: "drop what does not fit a sample",
    details: """
      Drop what does not fit into a line's one sample, as KerasHub does. How much that is, is said.
      """, foreignNames: ["truncation"])
  static let pairs = Option<Bool>.flag(
    "pairs", in: .input, role: .arithmetic, help: "a line is two segments, tab between",
    details: """
      Each line is two segments of text with one tab between them: the sample is [CLS] a [SEP] b [SEP]. What does not \
      fit is dropped from the longer segment first, and counted.
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
        "--mask-token-rate and --random-token-rate are \(sum) together, more than 1",
        hint: arguments.has(Self.randomTokenRate) ? nil : "--random-token-rate is 0.1 unless it is given")
    }
  }
}

extension MaskingOptions.Sampling: RecordedValue {}
