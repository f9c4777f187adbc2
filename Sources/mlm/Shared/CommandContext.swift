import CommandLine
import Files
import Glibc
import Hub
import Model
import Tensor

/// The environment of a command: output, console, variables, and the hub.
struct CommandContext {
  let output: Output
  /// Standard error.
  let console: Console
  /// The capabilities of standard output.
  let outputTerminal: Terminal
  let environment: @Sendable (String) -> String?
  /// The hub's cache and the network. Use it within `reachingHub`.
  let hub: Hub
  private let downloads: DownloadReporter

  init(
    _ output: Output, isQuiet: Bool, isOffline: Bool,
    environment: @escaping @Sendable (String) -> String? = environmentVariable
  ) {
    self.output = output
    self.environment = environment
    let console = Console(
      isQuiet: isQuiet, terminal: Terminal(descriptor: STDERR_FILENO, environment: environment))
    self.console = console
    outputTerminal = Terminal(descriptor: output.descriptor, environment: environment)
    let variables = HubEnvironment(reading: environment)
    let downloads = DownloadReporter(console: console, showsProgress: variables.showsProgress)
    self.downloads = downloads
    hub = Hub(
      variables, isOffline: isOffline ? true : nil, onEvent: { downloads.show($0) },
      shouldStop: { Signals.received != nil })
  }

  init(_ output: Output, _ common: CommonOptions) {
    self.init(output, isQuiet: common.quiet, isOffline: common.offline)
  }

  /// Runs work that may download files. Meanwhile, SIGINT and SIGTERM stop the hub in an orderly way, and the bytes
  /// received so far are kept.
  func reachingHub<Value>(_ body: (Hub) throws -> Value) throws -> Value {
    Signals.intercept()
    let result = Result { try body(hub) }
    downloads.finish()
    if let signal = Signals.received, case .failure(let error) = result {
      throw Interruption(signal: signal, error: error)
    }
    Signals.release()
    return try result.get()
  }

  /// The presets known by name: the built-in ones and those of MLM_PRESETS.
  func registry() throws -> PresetRegistry {
    let file = environment("MLM_PRESETS") ?? ""
    let registry = try PresetRegistry.load(adding: file.isEmpty ? nil : file)
    for note in registry.notes { console.note(note) }
    return registry
  }

  /// The preset to load: `given`, or the default, which a note on standard error names.
  func preset(
    for command: Command, given: String?, use: DefaultPreset.Use = .model, in registry: PresetRegistry
  ) -> String {
    let embedded = registry.presets.first { $0.embedded != nil }?.name ?? ""
    let choice = DefaultPreset.choose(
      for: command, given: given, use: use, environment: environment,
      // A directory with only checkpoints counts, so that the error names them.
      isModelDirectory: { ModelDirectory.isModelDirectory($0) || CheckpointFolder(output: $0).isOfUnfinishedTraining },
      embedded: embedded)
    if let notice = choice.notice { console.note(notice) }
    return choice.preset
  }

  /// Loads the model of `--preset`, or the default one, and prints its notes and warnings.
  ///
  /// - Parameters:
  ///   - reference: the precision in which to load the model a second time, as the reference of a comparison.
  ///   - needsTrainedHead: whether to refuse an untrained head, unless random weights were requested.
  func model(
    for command: Command, _ common: CommonOptions, _ computation: PrecisionOptions, reference: Precision? = nil,
    needsTrainedHead: Bool = false
  ) throws -> (model: DistilBertMaskedLM, reference: DistilBertMaskedLM?) {
    let precision = try precision(computation.precision)
    let registry = try registry()
    let name = preset(
      for: command, given: common.preset, use: common.loadsWeights ? .model : .architectureAndVocabulary, in: registry)
    // Both read the same files, whatever happens to the directory meanwhile.
    let models = try reachingHub { hub in
      try registry.resolve(name, hub: hub, loadWeights: common.loadsWeights) { preset in
        func load(_ precision: Precision?, threads: Int) throws -> DistilBertMaskedLM {
          try DistilBertMaskedLM.load(preset, precision: precision, seed: common.seed, threads: threads)
        }
        // The reference computes on the model's threads.
        return (try load(precision, threads: threads(common)), try reference.map { try load($0, threads: 1) })
      }
    }
    try report(models.0, named: name, common, needsTrainedHead: needsTrainedHead)
    for note in models.1?.notes ?? [] where !models.0.notes.contains(note) { console.note(note) }
    if computation.isVerbose { show(models.0.computation) }
    return models
  }

  /// Loads the model of a preset by name for training, and prints its notes and warnings.
  func model(
    named name: String, in registry: PresetRegistry, _ common: CommonOptions, dropout: Double? = nil,
    isRestored: Bool = false
  ) throws -> DistilBertMaskedLM {
    let model = try reachingHub { hub in
      try registry.resolve(name, hub: hub, loadWeights: common.loadsWeights) { preset in
        var preset = preset
        if isRestored { preset.weights = .restored }
        return try DistilBertMaskedLM.load(
          preset, seed: common.seed, threads: threads(common), dropout: dropout.map { Float($0) })
      }
    }
    try report(model, named: name, common, needsTrainedHead: false)
    return model
  }

  private func report(
    _ model: DistilBertMaskedLM, named name: String, _ common: CommonOptions, needsTrainedHead: Bool
  ) throws {
    if needsTrainedHead, common.loadsWeights, !model.hasTrainedHead { throw UntrainedHead(preset: name) }
    for note in model.notes { console.note(note) }
    for warning in model.warnings { console.warning(warning) }
  }

  /// Tokens per sample: the requested number, which must not exceed the model's positions.
  func sequenceLength(_ common: CommonOptions, for model: DistilBertMaskedLM) throws(UsageError) -> Int {
    let positions = model.configuration.maxSequenceLength
    guard let length = common.sequenceLength else { return min(512, positions) }
    guard length <= positions else {
      throw UsageError("--sequence-length \(length) exceeds the model's \(positions) positions")
    }
    return length
  }

  /// Opens text files; "-" is standard input.
  func open(_ files: [String]) throws -> [TextFile] {
    try TextFile.open(files, temporaryDirectory: temporaryDirectory)
  }

  /// The directory for the copy of standard input that is read more than once.
  var temporaryDirectory: String {
    let directory = environment("TMPDIR") ?? ""
    return directory.isEmpty ? "/tmp" : directory
  }

  /// The number of threads to compute with.
  func threads(_ common: CommonOptions) -> Int { common.threads ?? ThreadCount.standard(environment: environment) }
}

/// A model whose predictions would be random.
private struct UntrainedHead: ModelError {
  let preset: String
  var message: String { "'\(preset)' has no trained masked-language-model head, so it cannot fill masks" }
  var hint: String? {
    "train it first: mlm fit FILE --preset \(preset); or get random predictions with --allow-untrained-head"
  }
}

/// An error that was caused by a signal.
struct Interruption: Error {
  let signal: Int32
  let error: any Error
}
