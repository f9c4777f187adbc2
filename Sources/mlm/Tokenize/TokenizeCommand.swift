import Files
import Glibc
import Model
import Text

/// `mlm tokenize`: converts text to word pieces and ids, and ids to text.
struct TokenizeCommand {
  let options: TokenizeOptions
  let context: CommandContext

  init(_ options: TokenizeOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode {
    let inputs = try Inputs(options.input, context: context)
    let tokenizer = try loadTokenizer()
    for note in tokenizer.notes { context.console.note(note) }
    var writer = TokenWriter(
      tokenizer: tokenizer, format: options.format, addsSpecialTokens: options.addsSpecialTokens,
      specialTokensInText: options.specialTokensInText ? .all : .none)
    var audit = UTF8Audit(isStrict: options.strict)
    var failures = 0
    defer {
      audit.report(to: context.console)
      if let warning = writer.unknown.warning { context.console.warning(warning) }
    }

    while let batch = try inputs.next() {
      for input in batch {
        do {
          try context.output.write(line(for: input, of: inputs, by: &writer, &audit) + [0x0A])
        } catch let problem as InputProblem {
          failures += 1
          context.console.error(problem)
          try context.output.write(placeholder(for: problem, line: input.number))
        }
      }
      // The program that wrote these lines may be waiting for the answers.
      try context.output.flush()
    }
    return failures == 0 ? .done : .failed
  }

  private func line(
    for input: InputLine, of inputs: Inputs, by writer: inout TokenWriter, _ audit: inout UTF8Audit
  ) throws(InputProblem) -> [UInt8] {
    if options.decodes { return try writer.text(ofIDs: input.bytes, at: inputs.location(of: input)) }
    try audit.check(input, in: inputs)
    return writer.line(for: input.bytes)
  }

  /// The output line for an input that failed, so that input and output lines match.
  private func placeholder(for problem: InputProblem, line: Int) -> [UInt8] {
    guard options.format == .json, !options.decodes else { return [0x0A] }
    var json = JSONWriter()
    json.append(raw: "{\"line\":\(line),\"error\":")
    json.append(string: problem.message)
    json.append(raw: "}\n")
    return json.bytes
  }

  /// Loads only the tokenizer. A directory needs neither config.json nor weights.
  private func loadTokenizer() throws -> WordPieceTokenizer {
    let registry = try context.registry()
    let name = context.preset(for: .tokenize, given: options.preset, in: registry)
    var information = stat()
    if registry[name] == nil, stat(name.cPath, &information) == 0, information.st_mode & S_IFMT == S_IFDIR {
      return try OpenDirectory.reading(name) { try WordPieceTokenizer.load(directory: name) }
    }
    return try context.reachingHub { hub in
      try registry.resolve(name, hub: hub, loadWeights: false) { try $0.loadTokenizer() }
    }
  }
}
