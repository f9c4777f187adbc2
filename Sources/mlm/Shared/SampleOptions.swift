import CommandLine

/// How text becomes masked samples; fit and evaluate share it.
struct SampleOptions: Sendable, Equatable {
  enum MaskSampling: String, Sendable, CaseIterable { case exact, bernoulli }
  enum Cut: String, Sendable, CaseIterable { case lines, packed }

  var selectionRate = 0.15
  var selectionLength = 96
  var maskTokenRate = 0.8
  var randomTokenRate = 0.1
  var sampling = MaskSampling.exact
  var wholeWords = false
  var masksUnknown = false
  var cut = Cut.lines
  var truncates = false
  /// A line is two segments with a tab between them.
  var pairs = false
}

extension SampleOptions {
  static let selectionRate = Option<Double>.number(
    "mask-selection-rate", .aboveZeroToOne, default: 0.15, in: .masking, help: "share of tokens to predict",
    details: "The share of the selectable tokens of a sample that is to be predicted.",
    foreignNames: ["mlm-probability", "mask-rate", "mask-prob", "mask-probability"])
  static let selectionLength = Option<Int>.integer(
    "mask-selection-length", default: 96, in: .masking, help: "at most this many in a sample",
    details: "The most tokens to predict in one sample.", foreignNames: ["max-predictions-per-seq"])
  static let maskTokenRate = Option<Double>.number(
    "mask-token-rate", .zeroToOne, default: 0.8, in: .masking, help: "share of those that become [MASK]",
    details: "The share of the selected tokens that becomes [MASK].", foreignNames: ["mask-replace-prob"])
  static let randomTokenRate = Option<Double>.number(
    "random-token-rate", .zeroToOne, default: 0.1, in: .masking, help: "share that becomes a random token",
    details: "The share of the selected tokens that becomes a random token; what is left stays as it is.",
    foreignNames: ["random-replace-prob"])
  static let sampling = Option<MaskSampling>.choice(
    "mask-sampling", "HOW", default: .exact, in: .masking, help: "exact or bernoulli",
    details: """
      exact: just rate times n of the n selectable tokens, rounded up, but no more than the length, as KerasHub's fit \
      does. bernoulli: each token by itself, as transformers does.
      """)
  static let wholeWords = Option<Bool>.flag(
    "whole-word-masking", in: .masking, help: "select whole words, not pieces",
    details: "Select whole words, not word pieces.", foreignNames: ["whole-word-mask", "wwm"])
  static let maskUnknown = Option<Bool>.flag(
    "mask-unknown", in: .masking, help: "[UNK] may be selected, too",
    details: """
      Select [UNK] like any other token, as KerasHub does. Without it, [UNK] is never selected, as in transformers: a \
      model learns no word from it, and to guess it right says nothing.
      """)
  static let cut = Option<Cut>.choice(
    "samples", "HOW", default: .lines, in: .input, help: "lines or packed",
    details: """
      lines: a line is a sample; a line too long goes on in further samples, so that no text is lost. packed: a sample \
      is [CLS], as many lines as fit with [SEP] between them, and [SEP]; where the next word has no room, the next \
      sample begins with it, so that no text is lost. Packing begins anew with each FILE and each MiB of it: only the \
      last sample there is much shorter.
      """,
    foreignNames: ["line-by-line", "group-texts"])
  static let truncate = Option<Bool>.flag(
    "truncate", in: .input, help: "drop what does not fit a sample",
    details: """
      Drop what does not fit into a line's one sample, as KerasHub does. How much that is, is said.
      """, foreignNames: ["truncation"])
  static let pairs = Option<Bool>.flag(
    "pairs", in: .input, help: "a line is two segments, tab between",
    details: """
      Each line is two segments of text with one tab between them: the sample is [CLS] a [SEP] b [SEP]. What does not \
      fit is dropped from the longer segment first, and counted.
      """, foreignNames: ["sentence-pairs", "text-pair"])

  static let inputDeclarations = [cut.declaration, truncate.declaration, pairs.declaration]
  static let maskingDeclarations = [
    selectionRate.declaration, selectionLength.declaration, maskTokenRate.declaration, randomTokenRate.declaration,
    sampling.declaration, wholeWords.declaration, maskUnknown.declaration,
  ]

  init(_ arguments: ParsedArguments) throws(UsageError) {
    selectionRate = try arguments.value(of: Self.selectionRate)
    selectionLength = try arguments.value(of: Self.selectionLength)
    maskTokenRate = try arguments.value(of: Self.maskTokenRate)
    randomTokenRate = try arguments.value(of: Self.randomTokenRate)
    sampling = try arguments.value(of: Self.sampling)
    wholeWords = try arguments.value(of: Self.wholeWords)
    masksUnknown = try arguments.value(of: Self.maskUnknown)
    cut = try arguments.value(of: Self.cut)
    truncates = try arguments.value(of: Self.truncate)
    pairs = try arguments.value(of: Self.pairs)

    guard maskTokenRate + randomTokenRate <= 1 + 1e-9 else {
      let sum = NumberText.short(maskTokenRate + randomTokenRate)
      throw UsageError(
        "--mask-token-rate and --random-token-rate are \(sum) together, more than 1",
        hint: arguments.has(Self.randomTokenRate) ? nil : "--random-token-rate is 0.1 unless it is given")
    }
    if cut == .packed, pairs {
      throw .conflict("--samples packed", "--pairs", why: "a pair is a sample of its own")
    }
    if cut == .packed, truncates {
      throw .conflict("--samples packed", "--truncate", why: "packed lines go on in the next sample")
    }
    // Preprocessed samples come with their masks: what chooses masks or cuts text has nothing to do there.
    if try arguments.value(of: CommonOptions.preprocessed) {
      let textOptions =
        (Self.inputDeclarations + Self.maskingDeclarations
        + [CommonOptions.strict.declaration, CommonOptions.specialTokensInText.declaration]).map(\.name)
      for given in arguments.given where textOptions.contains(given.option.name) {
        throw .conflict(
          "--preprocessed", given.option.spelling, why: "preprocessed samples bring their own tokens and masks")
      }
    }
  }
}
