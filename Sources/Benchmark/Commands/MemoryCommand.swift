import Model
import Text

extension Bench {
  /// Measures the peak memory of whole processes of the tool.
  func memory() throws {
    let shape = try workload.store.baseShape()
    let model = try workload.store.directory(shape)
    let mlm = try tool()
    let megabytes = Double(Files.size(model + "/model.safetensors")) / 1e6
    let lines = Array(try workload.tokenLines(shape).prefix(options.lines))
    let predict = try workload.write(try workload.withOneMask(lines, shape), "memory-predict")
    let masked = try workload.withMasks(lines, shape)
    let evaluate = try workload.write(masked, "memory-evaluate")
    func fit(_ samples: String, _ batch: Int) -> [String] {
      [
        mlm, "fit", samples, "--preprocessed", "--preset", model, "--threads", "\(options.threads)", "--quiet",
        "--batch-size", "\(batch)", "--max-steps", "2", "--output", workload.folder + "/memory-model", "--overwrite",
      ]
    }
    func packed(_ count: Int) throws -> String {
      let samples = try workload.packed(shape, length: 128, count: count)
      return try workload.write(try workload.withMasks(samples, shape), "memory-packed-\(count)")
    }
    let commands: [(String, [String])] = [
      ("predict, one short text", predictCommand(mlm, model, options.threads) + ["The [MASK] fox"]),
      (
        "predict, \(Count.text(lines.count, "line"))",
        predictCommand(mlm, model, options.threads) + ["--preprocessed", "--input", predict]
      ),
      (
        "evaluate, \(Count.text(lines.count, "line"))",
        [mlm, "evaluate", evaluate, "--preprocessed", "--preset", model, "--threads", "\(options.threads)", "--quiet"]
      ),
      ("fit, 8 × 128", fit(try packed(16), 8)), ("fit, 32 × 128", fit(try packed(64), 32)),
      ("fit, batches of 8 lines", fit(evaluate, 8)), ("fit, batches of 32 lines", fit(evaluate, 32)),
    ]
    var table = Table(["", "peak MB", "beyond the file"])
    var results: [JSONValue] = []
    for (name, command) in commands {
      lock?.take()
      defer { lock?.release() }
      let log = options.cache + "/memory.log"
      let usage = try Launch.measure(command, log: log)
      guard usage.succeeded else {
        throw BenchmarkError(
          "\(name) failed: \(Files.text(log)?.split(separator: "\n").first ?? "")",
          hint: "run it: \(command.joined(separator: " "))")
      }
      table.rows.append([name, Words.number(usage.peakMegabytes), Words.number(usage.peakMegabytes - megabytes)])
      results.append(.object([("name", .string(name)), ("peak_rss_mb", .number(usage.peakMegabytes))]))
    }
    report.add(
      "memory", title: "memory: whole processes; the file has \(Words.number(megabytes)) MB", table,
      settings: [("file_mb", .number(megabytes))], results: results)
  }
}
