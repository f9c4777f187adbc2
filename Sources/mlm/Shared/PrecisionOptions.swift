import CommandLine
import Model

/// The options of predict and evaluate about how products are computed.
struct PrecisionOptions: Sendable, Equatable {
  /// nil: $MLM_PRECISION, otherwise the precision of the model's files.
  var precision: Precision?
  var isVerbose = false
}

extension PrecisionOptions {
  static let precision = precision(foreignNames: [
    "dtype", "torch-dtype", "compute-type", "inference-precision", "quantize", "quantization", "load-in-8bit", "int8",
    "bf16", "fp16", "half",
  ])
  /// The same for a command in which other options have the foreign names.
  static let precisionOfPresets = precision(foreignNames: [])

  private static func precision(foreignNames: [String]) -> Option<Precision?> {
    .choice(
      "precision", "NAME", defaultText: "$MLM_PRECISION …", in: .model, help: "float32, bfloat16 or int8",
      details: """
        The precision of matrix products; everything between them is float32. bfloat16: the operands have 8 \
        significant bits. int8: the encoder's weights are integers with a scale for each output, its activations \
        integers with a scale for each token; the head and the last layer's products of masked positions are \
        bfloat16. In both, columns of very large activations stay float32. Both are faster and need less memory, and \
        change predictions slightly; evaluate --against measures how much. Default: $MLM_PRECISION; otherwise int8 for \
        a directory of int8 weights, and float32 for all others. fit always trains in float32.
        """,
      foreignNames: foreignNames, foreignValues: foreignValues)
  }

  static let verbose = Option<Bool>.flag(
    "verbose", in: .general, role: .session, excludes: [CommonOptions.verbosity],
    help: "also show how it computes",
    details: """
      Also show, in notes, the number formats and the instructions of the matrix products, and the columns of large \
      activations that stay float32.
      """)

  /// Names of number formats in other tools.
  static let foreignValues: [String: String] = {
    let names: [Precision: [String]] = [
      .float32: ["fp32", "f32", "float", "single", "full", "tf32", "fp64", "f64", "float64", "double"],
      .bfloat16: ["bf16", "half", "fp16", "f16", "float16"],
      .int8: ["i8", "s8", "u8", "uint8", "qint8", "q8", "q8_0", "8bit", "8-bit", "w8a8"],
    ]
    return Dictionary(uniqueKeysWithValues: names.flatMap { value, names in names.map { ($0, value.rawValue) } })
  }()

  /// The environment variable beneath `--precision`.
  static let variable = "MLM_PRECISION"
  static let environment = (name: variable, meaning: "default of --precision")

  init(_ arguments: ParsedArguments) throws(UsageError) {
    precision = try arguments.value(of: Self.precision)
    isVerbose = try arguments.value(of: Self.verbose)
  }
}

extension CommandContext {
  /// The precision to compute in: the given one, otherwise that of $MLM_PRECISION; nil for that of the model's files.
  func precision(_ given: Precision?) throws(UsageError) -> Precision? {
    guard given == nil, let name = environment(PrecisionOptions.variable), !name.isEmpty else { return given }
    if let precision = Precision(rawValue: name) { return precision }
    let option = PrecisionOptions.precision.declaration
    throw UsageError(
      "\(PrecisionOptions.variable): '\(name)' is not \(option.kind?.expectation ?? "")",
      hint: option.nearestValue(to: name).map { "did you mean \($0)?" } ?? "unset it to compute in the files' precision"
    )
  }

  /// Says how a model computes, for `--verbose`.
  func show(_ computation: ComputationSummary) {
    console.note("computing in \(computation.precision.rawValue): \(computation)")
    for note in computation.notes { console.note(note) }
  }
}
