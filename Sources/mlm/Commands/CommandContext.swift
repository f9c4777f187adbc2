import Glibc
import Model

/// What a command needs of the world.
struct CommandContext {
  let output: Output
  /// Standard error.
  let console: Console
  /// What standard output can show.
  let outputTerminal: Terminal
  let environment: @Sendable (String) -> String?

  init(output: Output, isQuiet: Bool, environment: @escaping @Sendable (String) -> String? = environmentVariable) {
    self.output = output
    self.environment = environment
    console = Console(
      isQuiet: isQuiet, terminal: Terminal(descriptor: STDERR_FILENO, environment: environment))
    outputTerminal = Terminal(descriptor: output.descriptor, environment: environment)
  }

  /// The variables that say where the hub's cache is, and those that are named in them (`$SCRATCH/hub`).
  var hub: HubEnvironment {
    var variables: [String: String] = [:]
    for name in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"] {
      guard let value = environment(name) else { continue }
      variables[name] = value
      for part in value.split(separator: "$", omittingEmptySubsequences: false).dropFirst() {
        let inner = String(part.drop { $0 == "{" }.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) })
        if let text = environment(inner) { variables[inner] = text }
      }
    }
    return HubEnvironment(variables)
  }

  /// What to load: `given` where the user said it, else by the default rule, which is said on standard error.
  func preset(
    for command: Command, given: String?, needsWeights: Bool, in registry: PresetRegistry
  ) throws -> String {
    let embedded = registry.presets.first { $0.embedded != nil }?.name ?? ""
    let choice = try DefaultPreset.choose(
      for: command, given: given, needsWeights: needsWeights, environment: environment,
      isModelDirectory: ModelDirectory.isModelDirectory, embedded: (embedded, isTrained: false),
      names: registry.presets.map(\.name))
    if let notice = choice.notice { console.note(notice) }
    return choice.preset
  }

  /// What `--preset`, or the default rule, comes to for a command that computes; its notes are said.
  func resolvedPreset(for command: Command, _ common: CommonOptions) throws -> ResolvedPreset {
    let registry = try PresetRegistry.builtIn()
    let name = try preset(for: command, given: common.preset, needsWeights: common.loadsWeights, in: registry)
    let resolved = try registry.resolve(name, environment: hub, loadWeights: common.loadsWeights)
    for note in resolved.notes { console.note(note) }
    return resolved
  }

  /// The threads to compute with.
  func threads(_ common: CommonOptions) -> Int { common.threads ?? ThreadCount.standard(environment: environment) }
}

extension ResolvedPreset {
  /// The tokenizer of the preset.
  func loadTokenizer() throws -> WordPieceTokenizer {
    switch tokenizer {
    case .directory(let directory): return try WordPieceTokenizer.load(directory: directory, lowercase: isLowercase)
    case .vocabulary(let bytes, let name):
      return try WordPieceTokenizer(
        vocabulary: Vocabulary(vocabTXT: bytes, file: name), options: .init(lowercase: isLowercase ?? true))
    }
  }
}
