import CommandLine
import Glibc
import Model

/// The options of the driver.
struct Options {
  var rounds: Int?
  var lines: Int
  var threads: Int
  var precision: Precision
  var scalesThreads: Bool
  var corpus: String?
  var vocabulary: String?
  var text: String?
  var model: String?
  var cache: String
  var json: String?
  var records: Bool
  var lock: String?
  var usesPeers: Bool
  /// Prefixes of the names of contestants; nil: all.
  var contestants: [String]?
  /// Settings of `fit`; nil: all.
  var settings: [String]?
  var seed: UInt64
  var mlm: String?
  var root: String

  var isReduced: Bool { precision != .float32 }

  /// Whether a contestant is selected.
  func includes(_ contestant: String) -> Bool {
    contestants.map { $0.contains { contestant.hasPrefix($0) } } ?? true
  }
}

extension Options {
  private static let options = OptionGroup("Options")
  private static let rounds = Option<Int?>.integer(
    "rounds", "N", 1...1000, defaultText: "2 to 15", in: options, help: "rounds; fewer by default if one takes long")
  private static let lines = Option<Int>.integer(
    "lines", "N", 1...100_000, default: 64, in: options, help: "lines of the corpus for predict and evaluate")
  private static let threads = Option<Int?>.integer(
    "threads", "N", 1...64, defaultText: "all processors", in: options, help: "threads of each contestant")
  private static let precision = Option<Precision>.choice(
    "precision", "NAME", default: .float32, in: options,
    help: "predict, latency, evaluate: float32, bfloat16 or int8; also runs mlm in float32")
  private static let threadScaling = Option<Bool>.flag(
    "thread-scaling", in: options,
    help: "also measure mlm and the limit with 1 thread (latency, tokenize and startup always do so for mlm)",
    foreignNames: ["threads-scaling"])
  private static let settings = Option<[String]>.words(
    "settings", "A,B", defaultText: "all", in: options,
    help: "fit: a selection of 8x128, 32x128, lines8, lines32, small16x128")
  private static let contestants = Option<[String]>.words(
    "contestants", "A,B", defaultText: "all", in: options, help: "a selection, by prefixes of their names")
  private static let peers = Option<Bool>.flag(
    "peers", in: options, help: "also run the peers; creates their virtual environment first")
  private static let corpus = Option<String?>.text(
    "corpus", "FILE", kind: .file, defaultText: "generated from Scripts/demo-text", in: options,
    help: "plain text, one paragraph per line")
  private static let text = Option<String?>.text(
    "text", "FILE", kind: .file, defaultText: "the corpus, repeated", in: options, help: "tokenize: the text")
  private static let vocabulary = Option<String?>.text(
    "vocabulary", "FILE", kind: .file, defaultText: "generated from Scripts/demo-text", in: options,
    help: "vocab.txt with 30,522 word pieces")
  private static let model = Option<String?>.text(
    "model", "DIR", kind: .directory, defaultText: "random weights, base size", in: options,
    help: "a model directory")
  private static let seed = Option<UInt64>.seed(
    "seed", "N", default: 7, in: options, help: "seed of lines and masks")
  private static let cache = Option<String?>.text(
    "cache", "DIR", kind: .directory, defaultText: "$XDG_CACHE_HOME/mlm-benchmark", in: options,
    help: "directory for models and peers")
  private static let json = Option<String?>.text(
    "json", "FILE", kind: .file, in: options, help: "append the results as JSON lines")
  private static let lock = Option<String?>.text(
    "lock", "FILE", kind: .file, in: options,
    help: "hold a lock on FILE while measuring, to serialize several runs on one machine")
  private static let record = Option<Bool>.flag(
    "record", in: options, help: "write the results to Scripts/benchmark-results, named after the processor")
  private static let mlm = Option<String?>.text(
    "mlm", "FILE", kind: .file, in: options, help: "the tool to measure; Scripts/benchmark sets it")
  private static let root = Option<String>.text(
    "root", "DIR", kind: .directory, default: ".", in: options, help: "this repository; Scripts/benchmark sets it")

  static func declaration(of subcommand: String) -> CommandDeclaration {
    CommandDeclaration(
      program: "benchmark", name: subcommand, summary: "", operands: .none, options: declarations)
  }

  private static let declarations = [
    rounds.declaration, lines.declaration, threads.declaration, precision.declaration,
    threadScaling.declaration, settings.declaration, contestants.declaration, peers.declaration, corpus.declaration,
    text.declaration, vocabulary.declaration, model.declaration, seed.declaration, cache.declaration, json.declaration,
    lock.declaration, record.declaration, mlm.declaration, root.declaration, CommandDeclaration.help.declaration,
  ]

  init(_ arguments: ParsedArguments) throws(UsageError) {
    try arguments.refuseOperands()
    func list(_ option: Option<[String]>) throws(UsageError) -> [String]? {
      arguments.has(option) ? try arguments.value(of: option) : nil
    }
    rounds = try arguments.value(of: Self.rounds)
    lines = try arguments.value(of: Self.lines)
    threads = try arguments.value(of: Self.threads) ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    precision = try arguments.value(of: Self.precision)
    scalesThreads = try arguments.value(of: Self.threadScaling)
    settings = try list(Self.settings)
    contestants = try list(Self.contestants)
    usesPeers = try arguments.value(of: Self.peers)
    corpus = try arguments.value(of: Self.corpus)
    text = try arguments.value(of: Self.text)
    vocabulary = try arguments.value(of: Self.vocabulary)
    model = try arguments.value(of: Self.model)
    seed = try arguments.value(of: Self.seed)
    cache = try arguments.value(of: Self.cache) ?? Self.defaultCache
    json = try arguments.value(of: Self.json)
    lock = try arguments.value(of: Self.lock)
    records = try arguments.value(of: Self.record)
    mlm = try arguments.value(of: Self.mlm)
    root = try arguments.value(of: Self.root)
  }

  private static var defaultCache: String {
    if let folder = Environment["XDG_CACHE_HOME"], !folder.isEmpty { return folder + "/mlm-benchmark" }
    return (Environment["HOME"] ?? "/tmp") + "/.cache/mlm-benchmark"
  }
}

enum Environment {
  static subscript(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
