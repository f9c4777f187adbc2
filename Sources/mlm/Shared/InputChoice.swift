import CommandLine

/// Where the inputs of predict and tokenize come from.
enum InputChoice: Sendable, Equatable {
  /// Each operand is one input.
  case texts([[UInt8]])
  /// The lines of a file, or of standard input where nil.
  case lines(file: String?)
}

extension InputChoice {
  static let input = Option<String?>.text(
    "input", "FILE", kind: .file, defaultText: "standard input", in: .input, help: "inputs are the lines of FILE",
    details: "With no TEXT, the inputs are the lines of this file; - is standard input.",
    foreignNames: ["input-file", "file"])

  init(_ arguments: ParsedArguments) throws(UsageError) {
    let file = try arguments.value(of: Self.input)
    if arguments.operands.isEmpty {
      self = .lines(file: file == "-" ? nil : file)
    } else {
      guard file == nil else {
        throw .conflict(
          "--input", "TEXT", why: "inputs come from one place", hint: "put each TEXT into the file, or leave --input")
      }
      self = .texts(arguments.operands.map(\.bytes))
    }
  }
}
