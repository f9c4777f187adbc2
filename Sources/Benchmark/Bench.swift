import Glibc
import Model

/// One run of the driver: its options, its workload and its report.
final class Bench {
  static let all = ["limits", "startup", "latency", "predict", "evaluate", "fit", "tokenize", "memory"]
  /// The subcommands measured with one thread and with all in one run. Without peers, this takes a third of the time,
  /// so that the load from neighbors changes less.
  static let scaling = ["latency", "predict", "evaluate", "fit", "tokenize"]

  let options: Options
  let machine = Machine()
  let workload: Workload
  let report: Report
  /// Whether all results that should agree did.
  var allAgree = true

  let lock: MachineLock?

  init(_ options: Options) throws {
    lock = try options.lock.map { try MachineLock(path: $0) }
    self.options = options
    workload = try Workload(options)
    report = Report(options, machine, workload)
    report.printHead()
  }

  deinit { workload.removeFiles() }

  func run(_ name: String) throws {
    let start = now()
    switch name {
    case "limits": try limits()
    case "predict": try predict()
    case "latency": try latency()
    case "evaluate": try evaluate()
    case "fit": try fit()
    case "tokenize": try tokenize()
    case "startup": try startup()
    case "memory": try memory()
    case "growth": try growth()
    default: throw BenchmarkError(usage: "unknown subcommand '\(name)'")
    }
    Words.note("\(name): \(Words.fixed(now() - start, 0)) s")
  }

  func finish(_ name: String?) throws { try report.finish(name) }

  /// The contestant mlm: a process of this program that uses the library.
  func ours(
    _ kind: Worker.Kind, model: String, samples: String, batchSize: Int = 8, threads: Int,
    precision: Precision = .float32
  ) -> Contestant {
    let isLimit = [.products, .productsLatency, .productsFit].contains(kind)
    let name = isLimit ? "limit: products alone" : options.isReduced ? "mlm, \(precision)" : "mlm"
    return Contestant(
      name: name + (threads == options.threads ? "" : ", \(threads) thread\(threads == 1 ? "" : "s")"),
      role: isLimit ? .limit : .ours, threads: threads, precision: precision,
      command: [
        ProcessIdentifier.program, "worker", kind.rawValue, "--model", model, "--samples", samples, "--threads",
        "\(threads)", "--batch-size", "\(batchSize)", "--precision", precision.rawValue,
      ])
  }

  /// The start of a table's title: the work, and the precision unless it is float32.
  func title(_ work: String) -> String { options.isReduced ? "\(work) in \(options.precision)" : work }

  /// mlm and the limit, also with one thread if requested, and the peers. In reduced precision, mlm in float32 takes
  /// the place of the limit.
  func contestants(
    _ kind: Worker.Kind, _ limit: Worker.Kind?, model: String, samples: String, batchSize: Int = 8,
    alsoOneThread: Bool = false
  ) throws -> [Contestant] {
    func ours(_ kind: Worker.Kind, _ precision: Precision, threads: Int) -> Contestant {
      self.ours(
        kind, model: model, samples: samples, batchSize: batchSize, threads: threads, precision: precision)
    }
    let standard = options.isReduced ? kind : limit
    var list = [ours(kind, options.precision, threads: options.threads)]
    if let standard { list.append(ours(standard, .float32, threads: options.threads)) }
    if options.threads > 1, alsoOneThread || options.scalesThreads {
      list.append(ours(kind, options.precision, threads: 1))
    }
    if options.threads > 1, options.scalesThreads, let standard {
      list.append(ours(standard, .float32, threads: 1))
    }
    if options.usesPeers {
      list += try Peers(options).contestants(kind, model: model, samples: samples, batchSize: batchSize)
    }
    let chosen = list.filter { $0.role == .ours && $0.threads == options.threads || options.includes($0.name) }
    return chosen
  }

  func race(
    _ contestants: [Contestant], rounds: Int, repetitions: Int = 1, _ agreement: Agreement
  ) throws -> [Result] {
    let (results, absent, load) = try Race(
      contestants: contestants, rounds: options.rounds ?? rounds, repetitions: repetitions, agreement: agreement,
      logs: options.cache, lock: lock
    ).run()
    report.foreignLoad = load
    report.absent = absent
    if results.contains(where: { !$0.agrees }) { allAgree = false }
    return results
  }
}
