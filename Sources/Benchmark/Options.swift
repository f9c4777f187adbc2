import Glibc

/// What the driver can be told.
struct Options {
  var rounds: Int?
  var lines = 64
  var threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  var scalesThreads = false
  var corpus: String?
  var vocabulary: String?
  var text: String?
  var model: String?
  var cache = Options.defaultCache
  var json: String?
  var records = false
  var lock: String?
  var usesPeers = false
  /// Names of contestants; nil: all.
  var contestants: [String]?
  /// Settings of `fit`; nil: all.
  var settings: [String]?
  var seed: UInt64 = 7
  var mlm: String?
  var root = "."
  var wantsHelp = false

  static let help = """
      --rounds N          rounds (default: 2 to 15, fewer where a round is long)
      --lines N           lines of the corpus for predict and evaluate (default: 64)
      --threads N         threads of each contestant (default: all processors)
      --thread-scaling    also with 1 thread, the limit too (latency, tokenize and startup show ours anyway)
      --settings A,B      fit: some of 8x128, 32x128, lines8, lines32, small16x128 (default: all)
      --contestants A,B   some of the contestants, by the beginning of their names
      --peers             run the peers too; makes their virtual environment first
      --corpus FILE       plain text, a paragraph a line (default: generated from Scripts/demo-text)
      --text FILE         tokenize: this text (default: the corpus, repeated)
      --vocabulary FILE   vocab.txt of 30,522 word pieces (default: generated from Scripts/demo-text)
      --model DIR         a model directory instead of random weights of the base size
      --seed N            chooses lines and masks (default: 7)
      --cache DIR         models and peers are kept there (default: $XDG_CACHE_HOME/mlm-benchmark)
      --json FILE         append the results as JSON lines
      --lock FILE         hold a lock on FILE while measuring, for several runs on one machine
      --record            write them to Scripts/benchmark-results, named by the processor
    """

  static var defaultCache: String {
    if let folder = Environment["XDG_CACHE_HOME"], !folder.isEmpty { return folder + "/mlm-benchmark" }
    return (Environment["HOME"] ?? "/tmp") + "/.cache/mlm-benchmark"
  }

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let name = rest.popFirst() {
      var name = name
      var given: String?
      if name.hasPrefix("--"), let equals = name.firstIndex(of: "=") {
        given = String(name[name.index(after: equals)...])
        name = String(name[..<equals])
      }
      func value() throws -> String {
        if let given { return given }
        guard let value = rest.popFirst() else {
          throw BenchmarkError(usage: "\(name) needs a value", hint: "Scripts/benchmark --help")
        }
        return value
      }
      func number(_ range: ClosedRange<Int>) throws -> Int {
        let text = try value()
        guard let number = Int(text), range.contains(number) else {
          throw BenchmarkError(
            usage: "\(name) is a number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
      }
      switch name {
      case "--rounds": rounds = try number(1...1000)
      case "--lines": lines = try number(1...100_000)
      case "--threads": threads = try number(1...64)
      case "--thread-scaling", "--threads-scaling": scalesThreads = true
      case "--settings": settings = try value().split(separator: ",").map(String.init)
      case "--contestants": contestants = try value().split(separator: ",").map(String.init)
      case "--peers": usesPeers = true
      case "--corpus": corpus = try value()
      case "--vocabulary": vocabulary = try value()
      case "--model": model = try value()
      case "--seed": seed = UInt64(try number(0...Int.max))
      case "--cache": cache = try value()
      case "--text": text = try value()
      case "--json": json = try value()
      case "--record": records = true
      case "--lock": lock = try value()
      // Set by the script.
      case "--mlm": mlm = try value()
      case "--root": root = try value()
      case "-h", "--help": wantsHelp = true
      default: throw BenchmarkError(usage: "no option '\(name)'", hint: "Scripts/benchmark --help lists them")
      }
    }
  }

  /// Whether a contestant was asked for.
  func includes(_ contestant: String) -> Bool {
    contestants.map { $0.contains { contestant.hasPrefix($0) } } ?? true
  }
}

enum Environment {
  static subscript(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
