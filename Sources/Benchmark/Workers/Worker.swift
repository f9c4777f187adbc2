import Glibc
import Model
import Text

/// One kind of work in a contestant's process.
protocol Work {
  /// What its results are, for comparison; nil where it has none. It is warm after that.
  func check() throws -> JSONValue?
  /// Does it once.
  func round() throws -> Round
}

/// How long a round took, on how many tokens, and what else there is to know about it.
struct Round {
  var seconds: Double
  var tokens: Int
  var more: [(key: String, value: JSONValue)] = []
}

/// A contestant's process. It loads, answers `check` with its results, each `run` with the seconds of one round, and ends
/// with its standard input. Peers speak the same: Scripts/benchmark-peers.
///
///     <  {"ready": true, "version": "…"}
///     >  check
///     <  {"check": {"loss": 10.3, …}}
///     >  run
///     <  {"seconds": 1.93, "tokens": 2744, "peak_rss_mb": 512.0}
enum Worker {
  enum Kind: String, CaseIterable {
    case predict, latency, evaluate, fit, tokenize, products
    case productsLatency = "products-latency"
    case productsFit = "products-fit"
  }

  struct Settings {
    var kind = Kind.predict
    var model = ""
    var samples = ""
    var threads = 1
    var batchSize = 8
  }

  /// Serves until standard input ends.
  static func run(_ arguments: [String]) throws -> Bool {
    let settings = try Settings(arguments)
    let work = try work(settings)
    answer([("ready", .bool(true))])
    while let request = readLine() {
      switch request {
      case "check": answer([("check", try work.check() ?? .null)])
      default:
        let round = try work.round()
        answer(
          [
            ("seconds", .number(round.seconds)), ("tokens", .number(round.tokens)),
            ("peak_rss_mb", .number(Machine.peakMegabytes)),
          ] + round.more)
      }
    }
    return true
  }

  private static func work(_ settings: Settings) throws -> any Work {
    switch settings.kind {
    case .predict: try PredictWork(settings)
    case .latency: try LatencyWork(settings)
    case .evaluate: try EvaluateWork(settings)
    case .fit: try FitWork(settings)
    case .tokenize: try TokenizeWork(settings)
    case .products, .productsLatency, .productsFit: try ProductsWork(settings)
    }
  }

  private static func answer(_ members: [(key: String, value: JSONValue)]) {
    print(String(decoding: JSONValue.object(members).serialized(), as: UTF8.self))
    fflush(nil)
  }
}

extension Worker.Settings {
  init(_ arguments: [String]) throws {
    guard let kind = arguments.first.flatMap(Worker.Kind.init(rawValue:)) else {
      let kinds = Worker.Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw BenchmarkError(usage: "worker needs one of \(kinds)")
    }
    self.kind = kind
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { throw BenchmarkError(usage: "worker: \(name) needs a value") }
      switch name {
      case "--model": model = value
      case "--samples": samples = value
      case "--threads": threads = Int(value) ?? 1
      case "--batch-size": batchSize = Int(value) ?? 8
      default: throw BenchmarkError(usage: "worker: no option \(name)")
      }
    }
  }

  func loadModel() throws -> DistilBertMaskedLM {
    try DistilBertMaskedLM.fromPreset(model, preprocessor: nil, seed: 1, threads: threads, hub: .offline)
  }

  func loadSamples(_ configuration: Configuration) throws -> [Sample] {
    let corpus = try PreprocessedCorpus(
      paths: [samples], vocabularySize: configuration.vocabularySize, maximumLength: configuration.maxSequenceLength)
    return try (0..<corpus.count).map { try corpus.sample($0, epoch: 0) }
  }
}
