import Model

/// One training setting: the samples, the batch size and the model.
private struct FitSetting {
  let name: String
  let title: String
  let batchSize: Int
  /// Tokens of a packed sample; nil: single lines.
  let length: Int?
  let shape: Shape
  let rounds: Int
  /// Steps per round. If the cost of padding differs between batches, a round has all batches, so that rounds are
  /// equal.
  var steps = 1
}

extension Bench {
  /// Measures training steps with Adam and dropout, and 15 % of the tokens masked.
  func fit() throws {
    let base = try workload.store.baseShape()
    let all = [
      FitSetting(
        name: "8x128", title: "batch 8, packed samples of 128", batchSize: 8, length: 128, shape: base, rounds: 9),
      FitSetting(
        name: "lines8", title: "batch 8, single lines", batchSize: 8, length: nil, shape: base,
        rounds: options.usesPeers ? 4 : 8, steps: Workload.trainingBatches),
      FitSetting(
        name: "small16x128", title: "model with 4 layers, width 256 and 8,192 words, batch 16, packed samples of 128",
        batchSize: 16, length: 128, shape: .small, rounds: 9, steps: 5),
      FitSetting(
        name: "32x128", title: "batch 32, packed samples of 128", batchSize: 32, length: 128, shape: base, rounds: 5),
      FitSetting(
        name: "lines32", title: "batch 32, single lines", batchSize: 32, length: nil, shape: base,
        rounds: options.usesPeers ? 2 : 4, steps: Workload.trainingBatches),
    ]
    for name in options.settings ?? [] where !all.contains(where: { $0.name == name }) {
      throw BenchmarkError(
        usage: "unknown setting '\(name)'", hint: "the settings are \(all.map(\.name).joined(separator: ", "))")
    }
    for setting in all where options.settings?.contains(setting.name) ?? true { try fit(setting) }
  }

  private func fit(_ setting: FitSetting) throws {
    let count = setting.batchSize * Workload.trainingBatches
    let tokens =
      if let length = setting.length {
        try workload.packed(setting.shape, length: length, count: count)
      } else {
        Array(try workload.tokenLines(setting.shape).prefix(count))
      }
    let samples = try workload.withMasks(tokens, setting.shape)
    let results = try race(
      try contestants(
        .fit, .productsFit, model: try workload.store.directory(setting.shape),
        samples: try workload.write(samples, "fit-\(setting.name)"), batchSize: setting.batchSize),
      rounds: setting.rounds, repetitions: setting.steps, .loss(tolerance: 1e-3))
    let first = samples.prefix(setting.batchSize)
    let round = setting.steps == 1 ? "a step" : "the mean of \(setting.steps) steps"
    report.add(
      race: results, "fit \(setting.name)",
      title: "fit: \(setting.title); a round is \(round)",
      settings: [
        ("batch_size", .number(setting.batchSize)), ("length", setting.length.map { .number($0) } ?? .null),
        ("steps", .number(setting.steps)),
      ],
      operations: setting.length.map { _ in
        setting.shape.trainingOperations(
          lengths: first.map(\.tokenIDs.count), masks: first.reduce(0) { $0 + $1.maskPositions.count })
      })
  }
}
