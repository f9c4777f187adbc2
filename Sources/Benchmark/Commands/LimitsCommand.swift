import Model
import Tensor
import Text

extension Bench {
  /// Measures the rates of matrix products and of memory, without a model.
  func limits() throws {
    _ = OpenBLAS.prepared
    bandwidth()
    let shape = try workload.store.baseShape()
    forwardShapes(shape)
    trainingShapes(shape)
    attentionShapes(shape)
    try modelProducts(shape)
  }

  /// 1 and the requested number.
  private var threadCounts: [Int] { options.threads > 1 ? [1, options.threads] : [1] }
  private var threadHeader: [String] { threadCounts.map { Count.text($0, "thread") } }

  private func bandwidth() {
    var table = Table(["GB/s"] + threadHeader)
    let kinds: [(String, (Int) -> Double)] = [
      ("read 512 MB", { Bandwidth.read(threads: $0) }),
      ("read 12 MB", { Bandwidth.read(threads: $0, megabytes: 12, repetitions: 50) }),
      ("triad over 3 × 256 MB", { Bandwidth.triad(threads: $0) }),
    ]
    var results: [JSONValue] = []
    for (name, measure) in kinds {
      lock?.take()
      defer { lock?.release() }
      let rates = threadCounts.map(measure)
      table.rows.append([name] + rates.map(Words.number))
      results.append(
        .object([("name", .string(name)), ("gb_per_s", .array(rates.map { .number($0) }))]))
    }
    report.add("limits memory", title: "limits: memory", table, settings: threadSettings, results: results)
  }

  private var threadSettings: [(key: String, value: JSONValue)] {
    [("thread_counts", .array(threadCounts.map { .number($0) }))]
  }

  /// Measures forward products at several row counts with weights as stored. Six weight matrices alternate, so that
  /// they are not in the caches.
  private func forwardShapes(_ shape: Shape) {
    let (d, f, v) = (shape.width, shape.inner, shape.vocabulary)
    let cases: [(String, Int, Int, Int)] = [
      ("\(d) ← \(d)", d, d, 6), ("\(f) ← \(d)", f, d, 6), ("\(d) ← \(f)", d, f, 6), ("head: \(v) ← \(d)", v, d, 1),
    ]
    let rows = [8, 21, 32, 128, 512, 1024]
    addProducts("limits forward", "limits: GFLOP/s of y = x·Wᵀ, [out, in] as in the file", rows: rows) {
      count, threads in
      cases.map { name, outputs, inputs, weights in
        (name, self.rate(count, outputs, inputs, weights: weights, threads: threads, .forward))
      }
    }
  }

  private func trainingShapes(_ shape: Shape) {
    let (d, f) = (shape.width, shape.inner)
    let cases = [(d, d), (f, d), (d, f)]
    addProducts("limits training", "limits: GFLOP/s of the products of the backward pass", rows: [512, 1024]) {
      count, threads in
      cases.flatMap { outputs, inputs in
        [
          (
            "dx = dy·W, \(outputs) ← \(inputs)",
            self.rate(count, outputs, inputs, weights: 6, threads: threads, .inputGradient)
          ),
          (
            "dW = dyᵀ·x, \(outputs) ← \(inputs)",
            self.rate(count, outputs, inputs, weights: 6, threads: threads, .weightGradient)
          ),
        ]
      }
    }
  }

  private func attentionShapes(_ shape: Shape) {
    addProducts(
      "limits attention", "limits: GFLOP/s of attention's products, one head after the other", rows: [21, 128, 512]
    ) {
      count, threads in
      [
        ("scores q·kᵀ", self.attentionRate(count, shape, threads: threads, scores: true)),
        ("context s·v", self.attentionRate(count, shape, threads: threads, scores: false)),
      ]
    }
  }

  /// Adds a table of rates: a line for each product, a column for each number of rows and threads.
  private func addProducts(
    _ name: String, _ title: String, rows: [Int], _ measure: (_ rows: Int, _ threads: Int) -> [(String, Double)]
  ) {
    var columns: [[(String, Double)]] = []
    var header = [""]
    for count in rows {
      for threads in threadCounts {
        columns.append(measure(count, threads))
        header.append("\(Count.grouped(count)) rows, \(threads)t")
      }
    }
    var table = Table(header)
    var results: [JSONValue] = []
    for line in (columns.first ?? []).indices {
      let rates = columns.map { $0[line].1 }
      table.rows.append([columns[0][line].0] + rates.map(Words.number))
      results.append(
        .object([("name", .string(columns[0][line].0)), ("gflop_per_s", .array(rates.map { .number($0) }))]))
    }
    report.add(
      name, title: title, table, settings: threadSettings + [("rows", .array(rows.map { .number($0) }))],
      results: results)
  }

  private enum Kind { case forward, inputGradient, weightGradient }

  /// The rate of a product in which each thread has separate rows, and all share the weights.
  private func rate(
    _ rows: Int, _ outputs: Int, _ inputs: Int, weights count: Int, threads: Int, _ kind: Kind
  ) -> Double {
    let weights = (0..<count).map { Floats(outputs * inputs, seed: UInt64($0 + 1)) }
    let x = (0..<threads).map { _ in Floats(rows * inputs) }
    let y = (0..<threads).map { _ in Floats(rows * outputs) }
    let own = kind == .weightGradient ? (0..<threads).map { _ in Floats(outputs * inputs) } : []
    return measure(operations: 2 * Double(rows * outputs * inputs), threads: threads) { thread, turn in
      let w = weights[turn % count].start
      switch kind {
      case .forward:
        product(rows, outputs, inputs, x[thread].start, inputs, w, inputs, transposedB: true, y[thread].start, outputs)
      case .inputGradient:
        product(rows, inputs, outputs, y[thread].start, outputs, w, inputs, x[thread].start, inputs)
      case .weightGradient:
        product(
          outputs, inputs, rows, y[thread].start, outputs, transposedA: true, x[thread].start, inputs,
          own[thread].start, inputs)
      }
    }
  }

  private func attentionRate(_ length: Int, _ shape: Shape, threads: Int, scores: Bool) -> Double {
    let (d, h) = (shape.width, shape.headWidth)
    let qkv = (0..<threads).map { _ in Floats(length * 3 * d) }
    let square = (0..<threads).map { _ in Floats(length * length) }
    let out = (0..<threads).map { _ in Floats(length * d) }
    return measure(
      operations: 2 * Double(length * length * d), threads: threads
    ) { thread, _ in
      for head in 0..<shape.heads {
        let q = qkv[thread].start + head * h
        if scores {
          product(length, length, h, q, 3 * d, q + d, 3 * d, transposedB: true, square[thread].start, length)
        } else {
          product(length, h, length, square[thread].start, length, q + 2 * d, 3 * d, out[thread].start + head * h, d)
        }
      }
    }
  }

  /// GFLOP/s of all threads together, the best of three measurements of about 40 ms.
  private func measure(
    operations: Double, threads: Int, _ body: (_ thread: Int, _ turn: Int) -> Void
  ) -> Double {
    lock?.take()
    defer { lock?.release() }
    let once = seconds { body(0, 0) }
    let second = seconds { body(0, 1) }
    let turns = max(2, min(100_000, Int(0.04 / max(1e-7, min(once, second)))))
    let best = (0..<3).map { _ in
      seconds { onThreads(threads) { thread in for turn in 0..<turns { body(thread, turn + 3 * thread) } } }
    }.min()
    return operations * Double(turns * threads) / (best ?? .infinity) / 1e9
  }

  /// Measures the products of the real work, one after the other.
  private func modelProducts(_ shape: Shape) throws {
    let lines = Array(try workload.tokenLines(shape).prefix(options.lines))
    let one = [Int](repeating: 1, count: lines.count)
    var table = Table(["", "tokens"] + threadHeader.flatMap { ["s, " + $0, "tokens/s", "GFLOP/s"] })
    var results: [JSONValue] = []
    func add(_ name: String, tokens: Int, operations: Double, _ body: (ModelProducts) -> Void) {
      let times = threadCounts.map { threads in
        lock?.take()
        defer { lock?.release() }
        let products = ModelProducts(shape, threads: threads)
        // The first of the two runs also warms up.
        return (0..<2).map { _ in seconds { body(products) } }.min() ?? .infinity
      }
      table.rows.append(
        [name, Count.grouped(tokens)]
          + times.flatMap {
            [Words.number($0), Words.number(Double(tokens) / $0), Words.number(operations / $0 / 1e9)]
          })
      results.append(
        .object([
          ("name", .string(name)), ("tokens", .number(tokens)), ("seconds", .array(times.map { .number($0) })),
          ("gflop", .number(operations / 1e9)),
        ]))
    }
    let lengths = lines.map(\.count)
    add(
      "predict, \(Count.text(lines.count, "line"))", tokens: lengths.reduce(0, +),
      operations: shape.forwardOperations(lengths: lengths, masks: lengths.count)
    ) { $0.forward(lengths: lengths, masks: one) }
    let packed = ([Int](repeating: 128, count: 8), [Int](repeating: 19, count: 8))
    add(
      "step of 8 × 128", tokens: 8 * 128,
      operations: shape.trainingOperations(lengths: packed.0, masks: packed.1.reduce(0, +))
    ) { $0.trainingStep(lengths: packed.0, masks: packed.1) }
    let first = Array(lengths.prefix(8))
    let masks = first.map { ($0 * 15 + 99) / 100 }
    add(
      "step of 8 lines", tokens: first.reduce(0, +),
      operations: shape.trainingOperations(lengths: first, masks: masks.reduce(0, +))
    ) { $0.trainingStep(lengths: first, masks: masks) }
    report.add(
      "limits model", title: "limits: the model's products, and Adam's sweep in the steps", table,
      settings: threadSettings, results: results)
  }
}
