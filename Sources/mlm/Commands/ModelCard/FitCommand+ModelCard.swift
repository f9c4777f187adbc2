import Model

extension FitCommand {
  /// What can be said of the model before it is trained.
  ///
  /// - Parameter preset: what the training began with, as `--preset` would name it.
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
      origin: .init(
        preset, in: registry, loadsWeights: options.common.loadsWeights && !options.newModel.isNew,
        seed: options.common.seed),
      text: described(options.files, source), validation: validated,
      commandLine: typed.commandLine(
        leavingOut: ["quiet", "verbose", "overwrite", "resume"], preset: preset),
      history: [], totalSteps: options.training.totalSteps(samples: source.count))
  }

  private func described(_ files: [String], _ source: any SampleSource) -> ModelCard.Text {
    let whole = (source as? CorpusSubset)?.base ?? source
    return .init(files: files, lines: (whole as? TextCorpus)?.statistics.lines, samples: source.count)
  }
}

extension ModelCard.Origin {
  /// What is known of a preset by its name: a directory of that name goes before the registry (`PresetRegistry.resolve`).
  init(_ name: String, in registry: PresetRegistry, loadsWeights: Bool, seed: UInt64) {
    (self.name, self.seed) = (name, seed)
    let preset = ModelDirectory.isModelDirectory(name) ? nil : registry[name]
    repository = preset?.address?.repository
    if name.hasPrefix("hf://") { repository = name.dropFirst(5).split(separator: "@").first.map(String.init) }
    isRandom = !loadsWeights
    languages = preset?.languages ?? []
  }
}
