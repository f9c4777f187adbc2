import CommandLine

/// The source of the inputs of predict and tokenize.
enum InputChoice: Sendable, Equatable {
  /// Each operand is one input.
  case texts([[UInt8]])
  /// The lines of a file, or of standard input if nil.
  case lines(file: String?)
}

extension InputChoice {
  static let input = Option<String?>.text(
    "input", "FILE", kind: .file, defaultText: "standard input", in: .input,
    help: "file of inputs, one per line",
    details: "Read inputs from this file, one per line, if no TEXT is given; - is standard input.",
    foreignNames: ["input-file", "file"])

  init(_ arguments: ParsedArguments) throws(UsageError) {
    let file = try arguments.value(of: Self.input)
    if arguments.operands.isEmpty {
      self = .lines(file: file == "-" ? nil : file)
    } else {
      guard file == nil else {
        throw .conflict(
          "--input", "TEXT", why: "inputs have one source", hint: "add each TEXT to the file, or omit --input")
      }
      self = .texts(arguments.operands.map(\.bytes))
    }
  }
}
