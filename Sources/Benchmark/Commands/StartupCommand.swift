import Model
import Text

extension Bench {
  private static let text = "The [MASK] fox"

  /// Measures whole processes, from start to exit, with the files in the page cache.
  func startup() throws {
    let model = try workload.store.directory(try workload.store.baseShape())
    let mlm = try tool()
    let weights = model + "/model.safetensors"
    let program = ProcessIdentifier.program
    var commands: [(String, [String])] = [("mlm predict", predictCommand(mlm, model, options.threads) + [Self.text])]
    if options.threads > 1 { commands.append(("mlm predict, 1 thread", predictCommand(mlm, model, 1) + [Self.text])) }
    commands += [
      ("mlm --version", [mlm, "--version"]),
      (
        "map and read the weights, \(Count.text(options.threads, "thread"))",
        [program, "read-weights", weights, "\(options.threads)"]
      ),
      ("map and read the weights, 1 thread", [program, "read-weights", weights, "1"]),
    ]
    if options.usesPeers { commands += try Peers(options).startup(model: model, text: Self.text) }
    var times = [[Double]](repeating: [], count: commands.count)
    var peaks = [Double](repeating: 0, count: commands.count)
    var cpu = times
    let rounds = options.rounds ?? (options.usesPeers ? 7 : 15)
    // The first run is not counted, because it brings the files into the page cache.
    for round in 0...rounds {
      lock?.take()
      defer { lock?.release() }
      for (index, (name, command)) in commands.enumerated() {
        let usage = try Launch.measure(command)
        guard usage.succeeded else {
          throw BenchmarkError("\(name) failed", hint: "run it: \(command.joined(separator: " "))")
        }
        peaks[index] = max(peaks[index], usage.peakMegabytes)
        guard round > 0 else { continue }
        times[index].append(usage.seconds)
        cpu[index].append(usage.processorSeconds)
      }
    }
    var table = Table(["", "ms", "min", "max", "processor ms", "of mlm predict", "peak MB"])
    var results: [JSONValue] = []
    for (index, (name, _)) in commands.enumerated() {
      let median = times[index].median
      table.rows.append([
        name, Words.number(median * 1000), Words.number((times[index].min() ?? 0) * 1000),
        Words.number((times[index].max() ?? 0) * 1000), Words.number(cpu[index].median * 1000),
        Words.fixed(zip(times[index], times[0]).map { $0 / $1 }.median, 2), Words.number(peaks[index]),
      ])
      results.append(
        .object([
          ("name", .string(name)), ("seconds", .number(median)), ("seconds_min", .number(times[index].min() ?? 0)),
          ("seconds_max", .number(times[index].max() ?? 0)), ("processor_seconds", .number(cpu[index].median)),
          ("peak_rss_mb", .number(peaks[index])),
        ]))
    }
    report.add(
      "startup", title: "startup: whole processes; predict fills \"\(Self.text)\"", table,
      settings: [("rounds", .number(rounds))], results: results)
  }

  /// The path of the built tool.
  func tool() throws -> String {
    let path =
      options.mlm ?? ProcessIdentifier.program.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/mlm"
    guard Files.exists(path) else {
      throw BenchmarkError("missing \(path)", hint: "build it: swift build -c release --product mlm")
    }
    return path
  }

  func predictCommand(_ mlm: String, _ model: String, _ threads: Int) -> [String] {
    [mlm, "predict", "--preset", model, "--threads", "\(threads)", "--quiet"]
  }
}
