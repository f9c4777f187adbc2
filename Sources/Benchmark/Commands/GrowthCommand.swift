import Model
import Text

/// One measurement of `growth`.
private struct GrowthPoint {
  enum Axis: String { case length, batch }

  let work: String
  let axis: Axis
  let length: Int
  let batch: Int
  let contestant: Contestant
  let tokensPerSecond: Double
  let peakMegabytes: Double

  var x: Double { Double(axis == .length ? length : batch) }

  var json: JSONValue {
    .object([
      ("work", .string(work)), ("over", .string(axis.rawValue)), ("length", .number(length)), ("batch", .number(batch)),
      ("role", .string(contestant.role.rawValue)), ("threads", .number(contestant.threads)),
      ("tokens_per_s", .number(tokensPerSecond)), ("peak_rss_mb", .number(peakMegabytes)),
    ])
  }
}

extension Bench {
  private static let lengths = [16, 32, 64, 128, 256, 512]
  private static let batches = [1, 2, 4, 8, 16, 32, 64]
  /// Total tokens of a prediction, and of a training step, for every length of samples.
  private static let predictTokens = 2048
  private static let fitTokens = 1024

  /// Measures speed and memory over the length of samples, their number, and threads.
  func growth() throws {
    var load = ForeignLoad()
    var points: [GrowthPoint] = []
    for (kind, limit, tokens) in [
      (Worker.Kind.predict, Worker.Kind.products, Self.predictTokens), (.fit, .productsFit, Self.fitTokens),
    ] {
      let settings =
        Self.lengths.map { (GrowthPoint.Axis.length, $0, tokens / $0) }
        + Self.batches.map { (GrowthPoint.Axis.batch, 128, $0) }
      for (axis, length, batch) in settings {
        var runs = [(kind, options.threads), (limit, options.threads)]
        if options.threads > 1 { runs.insert((kind, 1), at: 1) }
        for (kind, threads) in runs {
          Words.progress("\(kind.rawValue)  \(batch) × \(length)  \(Count.text(threads, "thread"))")
          points.append(
            try measure(kind, over: axis, length: length, batch: batch, threads: threads, &load))
        }
      }
      Words.progress(nil)
    }
    report.foreignLoad = load.processors
    for work in ["predict", "fit"] {
      for axis in [GrowthPoint.Axis.length, .batch] { addTable(points.filter { $0.work == work && $0.axis == axis }) }
    }
    let path = try writePicture(points)
    report.note("Chart: \(path.split(separator: "/").last ?? "")")
    Words.note("wrote \(path)")
  }

  /// Measures one contestant: one round to warm up, then rounds for about a second.
  private func measure(
    _ kind: Worker.Kind, over axis: GrowthPoint.Axis, length: Int, batch: Int, threads: Int, _ load: inout ForeignLoad
  ) throws -> GrowthPoint {
    let shape = try workload.store.baseShape()
    let isFit = kind == .fit || kind == .productsFit
    let tokens = try workload.packed(shape, length: length, count: batch)
    let samples = isFit ? try workload.withMasks(tokens, shape) : try workload.withOneMask(tokens, shape)
    let contestant = ours(
      kind, model: try workload.store.directory(shape), samples: try workload.write(samples, "growth"),
      batchSize: batch, threads: threads)
    let child = try ChildProcess(contestant.command)
    guard child.readLine() != nil else { throw BenchmarkError("\(contestant.name) ended") }
    var rates: [Double] = []
    var peak = 0.0
    var spent = 0.0
    var round = 0
    while round < 2 || (spent < 1.2 && round < 200) {
      let line = load.watch([child.identifier], lock: lock) {
        child.send("run")
        return child.readLine()
      }
      guard let line else { throw BenchmarkError("\(contestant.name) ended") }
      let answer = try JSONValue.parse(Array(line.utf8))
      let seconds = answer["seconds"]?.double ?? .nan
      peak = max(peak, answer["peak_rss_mb"]?.double ?? 0)
      if round > 0 {
        rates.append(Double(batch * length) / seconds)
        spent += seconds
      }
      round += 1
    }
    return GrowthPoint(
      work: isFit ? "fit" : "predict", axis: axis, length: length, batch: batch, contestant: contestant,
      tokensPerSecond: rates.median, peakMegabytes: peak)
  }

  private func addTable(_ points: [GrowthPoint]) {
    guard let first = points.first else { return }
    var table = Table([
      first.axis == .length ? "tokens per sample" : "samples of 128", "samples", "tokens/s", "1 thread", "limit",
      "of the limit", "threads give", "peak MB",
    ])
    for x in Set(points.map(\.x)).sorted() {
      let here = points.filter { $0.x == x }
      let ours = here.first { $0.contestant.role == .ours && $0.contestant.threads == options.threads }
      let one = here.first { $0.contestant.role == .ours && $0.contestant.threads == 1 }
      let limit = here.first { $0.contestant.role == .limit }
      guard let ours, let one, let limit else { continue }
      table.rows.append([
        Words.number(x), Count.grouped(ours.batch), Words.number(ours.tokensPerSecond),
        Words.number(one.tokensPerSecond),
        Words.number(limit.tokensPerSecond), Words.fixed(ours.tokensPerSecond / limit.tokensPerSecond, 2),
        Words.fixed(ours.tokensPerSecond / one.tokensPerSecond, 2), Words.number(ours.peakMegabytes),
      ])
    }
    let title =
      first.axis == .length
      ? "\(first.work) over the length of samples, \(Count.grouped(first.length * first.batch)) tokens at once"
      : "\(first.work) over the number of samples of 128 tokens at once"
    report.add(
      "growth \(first.work) \(first.axis.rawValue)", title: "growth: \(title)", table,
      notes: report.foreignLoad > 0.05
        ? ["Not idle: other processes used \(Words.fixed(report.foreignLoad, 2)) processors meanwhile."] : [],
      settings: [("foreign_load", .number(report.foreignLoad))], results: points.map(\.json))
  }

  private func writePicture(_ points: [GrowthPoint]) throws -> String {
    func lines(_ work: String, _ axis: GrowthPoint.Axis) -> [Chart.Line] {
      let mine = points.filter { $0.work == work && $0.axis == axis }
      func line(_ name: String, _ style: Chart.Style, _ role: Contestant.Role, _ threads: Int) -> Chart.Line {
        let chosen = mine.filter { $0.contestant.role == role && $0.contestant.threads == threads }
        return Chart.Line(name: name, style: style, points: chosen.map { ($0.x, $0.tokensPerSecond) })
      }
      var result = [
        line(Count.text(options.threads, "thread"), .first, .ours, options.threads),
        line("products alone", .limit, .limit, options.threads),
      ]
      if options.threads > 1 { result.insert(line("1 thread", .second, .ours, 1), at: 1) }
      return result
    }
    func memory(_ axis: GrowthPoint.Axis) -> [Chart.Line] {
      ["fit", "predict"].enumerated().map { index, work in
        let mine = points.filter {
          $0.work == work && $0.axis == axis && $0.contestant.role == .ours
            && $0.contestant.threads == options.threads
        }
        return Chart.Line(
          name: work, style: index == 0 ? .second : .first, points: mine.map { ($0.x, $0.peakMegabytes) })
      }
    }
    let overLength = "tokens per sample"
    let overBatch = "samples of 128 tokens"
    let picture = Picture(
      title: "Speed and memory of mlm, base-size model (67 million parameters)",
      subtitle:
        "\(machine.processor), \(machine.cores) cores, \(machine.openBLASCore) kernels of OpenBLAS; float32; one mask per "
        + "sample in predict, 15 % in fit",
      charts: [
        [
          Chart(
            title: "predict, \(Count.grouped(Self.predictTokens)) tokens at once", xTitle: overLength,
            yTitle: "tokens/s", lines: lines("predict", .length)),
          Chart(title: "predict", xTitle: overBatch, yTitle: "tokens/s", lines: lines("predict", .batch)),
        ],
        [
          Chart(
            title: "fit, steps of \(Count.grouped(Self.fitTokens)) tokens", xTitle: overLength, yTitle: "tokens/s",
            lines: lines("fit", .length)),
          Chart(title: "fit", xTitle: overBatch, yTitle: "tokens/s", lines: lines("fit", .batch)),
        ],
        [
          Chart(title: "peak memory", xTitle: overLength, yTitle: "MB", lines: memory(.length)),
          Chart(title: "peak memory", xTitle: overBatch, yTitle: "MB", lines: memory(.batch)),
        ],
      ])
    let folder = options.records ? options.root + "/Scripts/benchmark-results" : options.cache
    try Files.makeFolder(folder)
    let path = "\(folder)/growth-\(machine.slug).svg"
    try Files.write(Array(picture.svg().utf8), to: path)
    return path
  }
}
