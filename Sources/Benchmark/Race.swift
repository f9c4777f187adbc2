import Model
import Text

/// A participant of a race: a process that speaks `Worker`'s protocol.
struct Contestant {
  enum Role: String { case ours, limit, peer }

  var name: String
  var role: Role
  var threads: Int
  var precision = Precision.float32
  var command: [String]
  var environment: [String: String] = [:]
}

/// The results of a contestant.
struct Result {
  let contestant: Contestant
  var rounds: [Round] = []
  var peakMegabytes = 0.0
  var version: String?
  /// Its results, to be compared.
  var check: JSONValue?
  /// Its results compared with those of mlm in float32; nil for these, or if nothing is compared.
  var comparison: Comparison?
  /// Whether the results agree as far as the precision requires. Reduced precision promises nothing.
  var agrees: Bool { contestant.precision != .float32 || comparison?.agrees ?? true }

  var secondsPerRound: Double { rounds.map(\.seconds).median }
  var tokensPerSecond: Double { rounds.map { Double($0.tokens) / $0.seconds }.median }
}

/// Contestants that take turns, one at a time.
struct Race {
  var contestants: [Contestant]
  let rounds: Int
  /// The number of repetitions in a turn; a round's results are their mean. More than one if the work is so short that
  /// waking up (caches, the other thread's core) would affect it.
  let repetitions: Int
  /// The rule for comparing results.
  let agreement: Agreement
  /// The folder for the peers' standard error.
  let logs: String

  let lock: MachineLock?

  /// Returns the results, the reasons for which peers did not take part, and the load by other processes.
  func run() throws -> (results: [Result], absent: [String], foreignLoad: Double) {
    var load = ForeignLoad()
    var running: [(ChildProcess, Result)] = []
    var absent: [String] = []
    for contestant in contestants {
      let log = contestant.role == .peer ? "\(logs)/\(Self.fileName(contestant.name)).log" : nil
      Words.progress("warming up  \(contestant.name)")
      do {
        running.append(try start(contestant, log))
      } catch let error as BenchmarkError where contestant.role == .peer {
        Words.progress(nil)
        Words.note("without \(contestant.name): \(error.message)" + (error.hint.map { " (\($0))" } ?? ""))
        absent.append("Not measured: \(error.message).")
      }
    }
    compareResults(&running)
    let processes = running.map(\.0.identifier)
    for round in 0..<rounds {
      try load.watch(processes, lock: lock) {
        try runOnce(&running, round)
      }
    }
    Words.progress(nil)
    for (child, _) in running { _ = child.wait() }
    return (running.map(\.1), absent, load.processors)
  }

  /// Loads the model, warms up, and gets the results.
  private func start(_ contestant: Contestant, _ log: String?) throws -> (ChildProcess, Result) {
    let child = try ChildProcess(contestant.command, environment: contestant.environment, log: log)
    var result = Result(contestant: contestant)
    result.version = try Self.answer(child, contestant, log)["version"]?.string
    lock?.take()
    defer { lock?.release() }
    child.send("check")
    let found = try Self.answer(child, contestant, log)["check"] ?? .null
    result.check = found.isNull ? nil : found
    return (child, result)
  }

  /// Compares all results with those of mlm in float32.
  private func compareResults(_ running: inout [(ChildProcess, Result)]) {
    let isReference = { (result: Result) in result.contestant.role == .ours && result.contestant.precision == .float32 }
    guard let reference = running.firstIndex(where: { isReference($0.1) }), let ours = running[reference].1.check
    else { return }
    for index in running.indices where index != reference {
      running[index].1.comparison = running[index].1.check.map { agreement.compare(ours, $0) }
    }
  }

  /// Runs one round of each contestant in turn.
  private func runOnce(_ running: inout [(ChildProcess, Result)], _ round: Int) throws {
    for index in running.indices {
      let name = running[index].1.contestant.name
      Words.progress("round \(round + 1)/\(rounds)  \(name)")
      var sum = Round(seconds: 0, tokens: 0)
      for _ in 0..<repetitions {
        running[index].0.send("run")
        let answer = try Self.answer(running[index].0, running[index].1.contestant, nil)
        guard let seconds = answer["seconds"]?.double, let tokens = answer["tokens"]?.int else {
          throw BenchmarkError("\(name) answered without seconds and tokens")
        }
        sum.seconds += seconds
        sum.tokens += tokens
        sum.more = answer.object ?? []
        running[index].1.peakMegabytes = max(
          running[index].1.peakMegabytes, answer["peak_rss_mb"]?.double ?? 0)
      }
      sum.seconds /= Double(repetitions)
      sum.tokens /= repetitions
      running[index].1.rounds.append(sum)
    }
  }

  private static func answer(_ child: ChildProcess, _ contestant: Contestant, _ log: String?) throws -> JSONValue {
    guard let line = child.readLine() else {
      let last = log.flatMap(Files.text)?.split(separator: "\n").last.map { ": " + $0 } ?? ""
      throw BenchmarkError("\(contestant.name) ended\(last)", hint: log.map { "see its messages in \($0)" })
    }
    return try JSONValue.parse(Array(line.utf8), file: contestant.name)
  }

  private static func fileName(_ name: String) -> String {
    name.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }.joined(separator: "-")
  }
}

/// Results compared with those of mlm in float32.
struct Comparison {
  /// The largest difference.
  var difference: Double
  var agrees: Bool
  /// The share of samples with the same most probable token; nil if only losses are compared.
  var equalFirstAnswers: Double?
  /// The loss minus that of mlm in float32.
  var lossChange: Double?
}

/// The rules by which two results agree.
enum Agreement {
  /// The five best tokens of each sample: the same ids except for ties, and probabilities within a relative tolerance.
  case best(tolerance: Double)
  case loss(tolerance: Double)
  case ids

  func compare(_ ours: JSONValue, _ theirs: JSONValue) -> Comparison {
    switch self {
    case .loss(let tolerance):
      let change = (theirs["loss"]?.double ?? .nan) - (ours["loss"]?.double ?? .nan)
      return Comparison(difference: abs(change), agrees: abs(change) <= tolerance, lossChange: change)
    case .ids:
      let isSame = ours["count"]?.int == theirs["count"]?.int && ours["sum"]?.int == theirs["sum"]?.int
      return Comparison(difference: isSame ? 0 : 1, agrees: isSame)
    case .best(let tolerance):
      let (a, b) = (Self.rows(ours), Self.rows(theirs))
      guard a.count == b.count else { return Comparison(difference: .infinity, agrees: false) }
      let worst = zip(a, b).map(Self.difference).max() ?? 0
      let equal = zip(a, b).count { $0.first?.id == $1.first?.id }
      return Comparison(
        difference: worst, agrees: worst <= tolerance, equalFirstAnswers: Double(equal) / Double(max(1, a.count)))
    }
  }

  /// The largest relative difference of probabilities; infinity if the ids differ other than by a tie.
  private static func difference(_ ours: [Candidate], _ theirs: [Candidate]) -> Double {
    guard ours.count == theirs.count else { return .infinity }
    var worst = 0.0
    for (rank, (mine, other)) in zip(ours, theirs).enumerated() {
      // Different ids are allowed only in a tie, so the probabilities of each rank are compared.
      worst = max(worst, abs(mine.probability - other.probability) / max(mine.probability, 1e-30))
      if mine.id != other.id, !ours.contains(where: { $0.id == other.id }), rank < 4 { return .infinity }
    }
    return worst
  }

  private typealias Candidate = (id: Int, probability: Double)

  private static func rows(_ value: JSONValue) -> [[Candidate]] {
    let ids = value["ids"]?.array ?? []
    let probabilities = value["probabilities"]?.array ?? []
    return zip(ids, probabilities).map { ids, probabilities in
      zip(ids.array ?? [], probabilities.array ?? []).map { ($0.int ?? -1, $1.double ?? .nan) }
    }
  }
}
