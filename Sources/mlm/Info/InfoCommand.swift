import Files
import Hub
import Model
import Text

/// `mlm info`: describes a model without loading its weights.
struct InfoCommand {
  let options: InfoOptions
  let context: CommandContext

  init(_ options: InfoOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode {
    let precision = try context.precision(options.precision)
    let registry = try context.registry()
    let name = context.preset(for: .info, given: options.preset, in: registry)
    // Within `reachingHub`, signals also end the hashing of large files, which takes seconds.
    let information = try context.reachingHub { hub in
      try registry.resolve(name, hub: hub, loadWeights: false) { resolved in
        try resolved.reading {
          let (head, configuration) = head(of: resolved)
          return ModelInformation(
            resolved, configuration, tokenizer: try tokenizer(of: resolved), head: head,
            files: try resolved.files { Signals.received != nil }, past: TrainingPast(of: resolved),
            computation: ComputationSummary(precision ?? configuration.storedPrecision))
        }
      }
    }
    switch options.format {
    case .text: try context.output.write(information.text)
    case .json: try context.output.write(information.json)
    }
    return .done
  }

  /// Loads the tokenizer; nil with a warning if the directory has no vocabulary.
  private func tokenizer(of preset: ResolvedPreset) throws -> WordPieceTokenizer? {
    do {
      return try preset.loadTokenizer()
    } catch let error as TokenizerError {
      guard case .noVocabularyFile = error else { throw error }
      context.console.warning(error.message)
      return nil
    }
  }

  /// Reads from the files' headers whether there is a head, and whether the output matrix is the word embedding.
  private func head(of preset: ResolvedPreset) -> (ModelInformation.Head, Configuration) {
    guard let directory = preset.directory else { return (.trained, preset.configuration) }
    do {
      let model = try ModelDirectory.open(directory)
      return (model.hasHead ? .trained : .missing, model.configuration)
    } catch CheckpointError.noWeights {
      return (.noWeights, preset.configuration)
    } catch {
      // Commands that load the model report the same error; here the other facts are still shown.
      context.console.warning("the weights cannot be read: \((error as? any ModelError)?.message ?? "\(error)")")
      return (.unreadable, preset.configuration)
    }
  }
}

/// The records of a training in a model's directory.
struct TrainingPast {
  /// Rows of history.csv; for a checkpoint, the rows so far.
  let history: [HistoryRow]
  /// training.json; nil if it is missing or unreadable.
  let run: JSONValue?

  init(of preset: ResolvedPreset) {
    guard let directory = preset.directory else { (history, run) = ([], nil); return }
    func contents(_ name: String) -> [UInt8]? { try? FileMapping.contents(of: directory + "/" + name) }
    let csv =
      contents("history.csv").map { String(decoding: $0, as: UTF8.self) }
      ?? (try? TrainingCheckpoint(path: directory))?.record["history"]?.string ?? ""
    history = HistoryRow.rows(csv: csv)
    run = contents(FitConfiguration.fileName).flatMap { try? JSONValue.parse($0, withPaths: true) }
  }
}
