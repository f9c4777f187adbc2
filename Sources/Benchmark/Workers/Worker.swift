import Glibc
import Model
import Text

/// A kind of work in a contestant's process.
protocol Work {
  /// Returns its results for comparison, or nil if it has none. Also warms up.
  func check() throws -> JSONValue?
  /// Does the work once.
  func round() throws -> Round
}

/// The seconds and tokens of a round, and additional values.
struct Round {
  var seconds: Double
  var tokens: Int
  var more: [(key: String, value: JSONValue)] = []
}

/// A contestant's process. It loads the model, answers `check` with its results and each `run` with the seconds of one
/// round, and exits at the end of its standard input. Peers use the same protocol: Scripts/benchmark-peers.
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
    var precision = Precision.float32
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
      case "--precision": precision = Precision(rawValue: value) ?? .float32
      default: throw BenchmarkError(usage: "worker: unknown option \(name)")
      }
    }
  }

  func loadModel() throws -> DistilBertMaskedLM {
    try DistilBertMaskedLM.fromPreset(
      model, precision: precision, preprocessor: nil, seed: 1, threads: threads, hub: .offline)
  }

  func loadSamples(_ configuration: Configuration) throws -> [Sample] {
    let corpus = try PreprocessedCorpus(
      paths: [samples], vocabularySize: configuration.vocabularySize, maximumLength: configuration.maxSequenceLength)
    return try (0..<corpus.count).map { try corpus.sample($0, epoch: 0) }
  }
}
