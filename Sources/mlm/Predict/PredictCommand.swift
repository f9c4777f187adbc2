import Model

/// `mlm predict`: fills masks, input by input.
struct PredictCommand {
  let options: PredictOptions
  let context: CommandContext

  init(_ options: PredictOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode {
    // An invalid input name is reported before a model is loaded.
    let inputs = try Inputs(options.input, context: context)
    let filler = try InputFiller(options, context: context)
    var writer = PredictionWriter(format: options.format, output: context.output, terminal: context.outputTerminal)
    var audit = UTF8Audit(isStrict: options.common.strict)
    var failures = 0
    defer { audit.report(to: context.console) }

    while let batch = try inputs.next() {
      let answers = try answers(of: filler, to: batch, in: inputs, audit: &audit)
      for (input, answer) in zip(batch, answers) {
        let location = inputs.location(of: input)
        switch answer {
        case .filled(let prediction):
          for note in prediction.notes { context.console.note("\(note) [\(location)]") }
        case .untouched: break
        case .failed(let error):
          failures += 1
          context.console.error(error.message, location: (error.location ?? location).description, hint: error.advice)
        }
        try writer.write(answer, to: input)
      }
      // The program that wrote these lines may be waiting for the answers.
      try context.output.flush()
    }
    return failures == 0 ? .done : .failed
  }

  /// Returns the answers in order. Inputs that `--strict` refuses do not reach the model.
  private func answers(
    of filler: InputFiller, to batch: [InputLine], in inputs: Inputs, audit: inout UTF8Audit
  ) throws -> [MaskAnswer] {
    guard !options.common.preprocessed else { return try filler.answers(to: batch, in: inputs) }
    var refused: [Int: InputProblem] = [:]
    for (index, input) in batch.enumerated() {
      do {
        try audit.check(input, in: inputs)
      } catch {
        refused[index] = error
      }
    }
    guard !refused.isEmpty else { return try filler.answers(to: batch, in: inputs) }
    let accepted = batch.enumerated().filter { refused[$0.offset] == nil }.map(\.element)
    var answers = try filler.answers(to: accepted, in: inputs).makeIterator()
    return batch.indices.map { index in
      if let problem = refused[index] { return .failed(problem) }
      return answers.next() ?? .untouched
    }
  }
}
