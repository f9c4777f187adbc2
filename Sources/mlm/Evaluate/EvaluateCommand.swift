import Files
import Model
import Text

/// `mlm evaluate`: loss, accuracy and perplexity of text.
struct EvaluateCommand {
  let options: EvaluateOptions
  let context: CommandContext

  init(_ options: EvaluateOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode {
    try CorpusReader.check(options.files)
    let (model, reference) = try context.model(
      for: .evaluate, options.common, options.computation, reference: options.reference)
    let corpus = try CorpusReader(options.common, options.samples, model, context).open(options.files)
    let progress = Progress(console: context.console)
    defer { progress.finish() }
    let located = corpus as? any LocatedSource
    let evaluation = try model.evaluate(
      corpus, pseudoLikelihood: options.pseudoPerplexity, against: reference
    ) { done in
      // The program that reads the samples may be waiting for them.
      if options.printsSamples { try context.output.flush() }
      progress.update { "evaluated \(done) of \(plural(corpus.count, "sample"))" }
      return true
    } onSample: { index, evaluation in
      guard options.printsSamples else { return }
      try context.output.write(EvaluationReport(evaluation).sample(index, at: located?.location(of: index)))
    }
    progress.finish()
    let report = EvaluationReport(
      evaluation, precisions: reference.map { (model.precision, $0.precision) })
    guard report.measures else { throw NothingMasked() }
    guard report.isFinite else { throw NotFiniteError(what: "loss") }
    if options.printsSamples {
      context.console.note(report.summary)
    } else {
      try context.output.write(report.text(options.format))
    }
    return .done
  }
}

/// Samples without masks, on which nothing can be measured.
private struct NothingMasked: ModelError {
  var message: String { "no token of the samples is masked, so there is nothing to evaluate" }
  var hint: String? { "use more text, a higher --mask-selection-rate, or samples with mask_positions" }
}
