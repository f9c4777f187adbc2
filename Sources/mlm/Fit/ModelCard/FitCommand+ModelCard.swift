import CommandLine
import Files
import Hub
import Model

extension FitCommand {
  /// The card of the model before training, without results.
  ///
  /// - Parameter preset: the preset that the training began with, as `--preset` would name it.
  func card(
    _ model: DistilBertMaskedLM, _ preset: String, in registry: PresetRegistry, _ source: any SampleSource,
    _ validation: (any SampleSource)?
  ) -> ModelCard {
    let validated: ModelCard.Validation =
      switch (options.validation, validation) {
      case (.file(let file), let validation?): .files(described([file], validation))
      case (.split, let validation?): .heldOut(samples: validation.count)
      default: .none
      }
    return ModelCard(
      name: FileName.last(options.output), configuration: model.configuration,
      origin: origin(preset, model), preset: .init(preset, in: registry),
      text: described(options.files, source), validation: validated,
      commandLine: typed.commandLine(preset: preset),
      history: [], totalSteps: options.training.totalSteps(samples: source.count))
  }

  func origin(_ preset: String, _ model: DistilBertMaskedLM) -> TrainingOrigin {
    TrainingOrigin(options, preset: preset, pieces: model.preprocessor?.tokenizer.vocabulary.count ?? 0)
  }

  private func described(_ files: [String], _ source: any SampleSource) -> ModelCard.Text {
    let whole = (source as? CorpusSubset)?.base ?? source
    return .init(files: files, lines: (whole as? TextCorpus)?.statistics.lines, samples: source.count)
  }
}

extension ModelCard.Preset {
  /// Looks up a preset by name. A directory of that name takes precedence over the registry
  /// (`PresetRegistry.resolve`).
  init(_ name: String, in registry: PresetRegistry) {
    if ModelDirectory.isModelDirectory(name) {
      repository = Self.repository(ofSnapshot: name)
      let past = CardMetadata(directory: name)
      (baseModel, languages) = (past.baseModel, past.languages)
      if let repository, languages.isEmpty {
        languages = registry.presets.first { $0.address?.repository == repository }?.languages ?? []
      }
      return
    }
    let preset = registry[name]
    repository = preset?.address?.repository
    if name.hasPrefix("hf://") { repository = name.dropFirst(5).split(separator: "@").first.map(String.init) }
    languages = preset?.languages ?? []
  }

  /// The repository of a snapshot in the hub's cache, `…/models--OWNER--NAME/snapshots/COMMIT`; nil for another
  /// directory.
  private static func repository(ofSnapshot directory: String) -> String? {
    let parts = directory.split(separator: "/").filter { $0 != "." }
    guard parts.count >= 3, parts[parts.count - 2] == "snapshots", parts[parts.count - 3].hasPrefix("models--") else {
      return nil
    }
    let names = parts[parts.count - 3].dropFirst("models--".count).split(separator: "--", maxSplits: 1)
    return names.joined(separator: "/")
  }
}

/// The metadata in a model's card that the card of a derived model needs.
struct CardMetadata {
  /// The first if there are several.
  var baseModel: String?
  var languages: [String] = []

  /// Reads the front matter of the README.md in a model directory; empty if there is none.
  init(directory: String) {
    let bytes = (try? FileMapping.contents(of: directory + "/README.md")) ?? []
    self.init(card: String(decoding: bytes, as: UTF8.self))
  }

  init(card: String) {
    // Split as bytes, because "\r\n" is one Character.
    var lines = card.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
    }[...]
    guard lines.popFirst() == "---", let end = lines.firstIndex(of: "---") else { return }
    var (key, values) = ("", [String: [String]]())
    for line in lines[..<end] {
      if line.hasPrefix("- ") || line.hasPrefix("  - ") {
        values[key, default: []].append(Self.scalar(line.drop { $0 == " " }.dropFirst(2)))
      } else if let colon = line.firstIndex(of: ":"), line.first != " ", line.first != "#" {
        key = String(line[..<colon])
        let value = Self.scalar(line[line.index(after: colon)...])
        if !value.isEmpty { values[key] = [value] }
      }
    }
    baseModel = values["base_model"]?.first
    languages = values["language"] ?? []
  }

  /// A value without surrounding spaces and quotes.
  private static func scalar(_ text: Substring) -> String {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    if text.count > 1, let quote = text.first, "\"'".contains(quote), text.last == quote {
      text = text.dropFirst().dropLast()
    }
    return String(text)
  }
}

extension ParsedArguments {
  /// The command that repeats the run, for a POSIX shell (control characters: bash), in the order in which it was
  /// typed.
  ///
  /// - Parameter preset: the preset that was used if none was typed.
  func commandLine(preset: String? = nil) -> String {
    var words = [command.program, command.name]
    if let preset, !given.contains(where: { $0.option.name == CommonOptions.preset.declaration.name }) {
      words += [CommonOptions.preset.declaration.spelling, ShellText.quoted(preset)]
    }
    for option in given where option.option.role != .session {
      guard let value = option.text else {
        words.append(option.option.spelling)
        continue
      }
      let quoted = ShellText.quoted(value)
      words += value.hasPrefix("-") ? ["\(option.option.spelling)=\(quoted)"] : [option.option.spelling, quoted]
    }
    if operands.contains(where: { $0.looksLikeOption || $0.bytes == Array("--".utf8) }) { words.append("--") }
    return (words + operands.map { ShellText.quoted($0.path) }).joined(separator: " ")
  }
}
