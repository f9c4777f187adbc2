import Model

extension FitCommand {
  /// What can be said of the model before it is trained.
  func card(
    _ model: DistilBertMaskedLM, _ preset: ResolvedPreset, _ languages: [String], _ source: any SampleSource,
    _ validation: (any SampleSource)?
  ) -> ModelCard {
    var repository: String?
    if case .hub(let address, _) = preset.source { repository = address.repository }
    let validated: ModelCard.Validation =
      switch (options.validation, validation) {
      case (.file(let file), let validation?): .files(described([file], validation))
      case (.split, let validation?): .heldOut(samples: validation.count)
      default: .none
      }
    return ModelCard(
      name: FileName.last(options.output), configuration: model.configuration,
      origin: .init(
        name: preset.displayName, repository: repository, isRandom: preset.weightsDirectory == nil,
        seed: options.common.seed, languages: languages),
      text: described(options.files, source), validation: validated,
      commandLine: typed.commandLine(
        leavingOut: ["quiet", "verbose", "overwrite", "resume"], preset: preset.displayName),
      history: [], totalSteps: options.training.totalSteps(samples: source.count))
  }

  private func described(_ files: [String], _ source: any SampleSource) -> ModelCard.Text {
    let whole = (source as? CorpusSubset)?.base ?? source
    return .init(files: files, lines: (whole as? TextCorpus)?.statistics.lines, samples: source.count)
  }
}
