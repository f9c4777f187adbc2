import Model
import Text

extension Bench {
  /// Measures filling one mask of each line.
  func predict() throws {
    let shape = try workload.store.baseShape()
    let samples = try workload.withOneMask(Array(try workload.tokenLines(shape).prefix(options.lines)), shape)
    let results = try race(
      try contestants(
        .predict, .products, model: try workload.store.directory(shape), samples: try workload.write(samples, "predict")
      ),
      rounds: options.usesPeers ? 3 : 5, .best(tolerance: 1e-3))
    let name = "\(title("predict")): \(Count.text(samples.count, "line")), one mask each"
    addThroughput(results, "predict", name, samples, shape)
  }

  /// Measures loss and accuracy of the same lines with 15 % of the tokens masked.
  func evaluate() throws {
    let shape = try workload.store.baseShape()
    let samples = try workload.withMasks(Array(try workload.tokenLines(shape).prefix(options.lines)), shape)
    let results = try race(
      try contestants(
        .evaluate, .products, model: try workload.store.directory(shape),
        samples: try workload.write(samples, "evaluate")), rounds: options.usesPeers ? 3 : 5, .loss(tolerance: 1e-3))
    addThroughput(
      results, "evaluate", "\(title("evaluate")): \(Count.text(samples.count, "line")), 15 % masked", samples, shape)
  }

  private func addThroughput(_ results: [Result], _ name: String, _ title: String, _ samples: [Sample], _ shape: Shape)
  {
    let lengths = samples.map(\.tokenIDs.count)
    let tokens = lengths.reduce(0, +)
    report.add(
      race: results, name,
      title: "\(title), \(Count.grouped(tokens)) tokens (\(lengths.min() ?? 0) to \(lengths.max() ?? 0) per line)",
      settings: [("lines", .number(samples.count)), ("line_tokens", .number(tokens))],
      operations: shape.forwardOperations(lengths: lengths, masks: samples.reduce(0) { $0 + $1.maskPositions.count }),
      lines: samples.count)
  }

  /// Measures one line of 21 tokens in a running process.
  func latency() throws {
    let shape = try workload.store.baseShape()
    let sample = try workload.withOneMask(try workload.packed(shape, length: 21, count: 1), shape)
    var list = try contestants(
      .latency, .productsLatency, model: try workload.store.directory(shape),
      samples: try workload.write(sample, "latency"), alsoOneThread: true)
    // With one thread, each product waits for memory, so the number of threads is not comparable.
    list.removeAll { $0.role == .limit && $0.threads != options.threads }
    let results = try race(list, rounds: 7, .best(tolerance: 1e-3))
    let megabytes = Double(shape.weightBytes(options.precision)) / 1e6
    let rate = Bandwidth.read(threads: options.threads)
    report.add(
      race: results, "latency",
      title: "\(title("latency")): one line of 21 tokens, one mask; a round is the median of 40 calls",
      settings: [("line_tokens", .number(21)), ("memory_read_gb_per_s", .number(rate))],
      operations: shape.forwardOperations(lengths: [21], masks: 1), milliseconds: true)
    report.note(
      "Its \(Words.number(megabytes)) MB of weights take \(Words.number(megabytes / rate)) ms to read "
        + "(\(Words.number(rate)) GB/s, \(Count.text(options.threads, "thread"))).")
  }
}
