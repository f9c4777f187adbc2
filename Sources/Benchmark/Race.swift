import Model
import Text

/// A participant of a race: a process that speaks `Worker`'s protocol.
struct Contestant {
  enum Role: String { case ours, limit, peer }

  var name: String
  var role: Role
  var threads: Int
  var command: [String]
  var environment: [String: String] = [:]
}

/// The results of a contestant.
struct Result {
  let contestant: Contestant
  var rounds: [Round] = []
  var peakMegabytes = 0.0
  var version: String?
  /// The largest difference from mlm's results; nil if nothing is compared.
  var difference: Double?
  var agrees = true

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

  func run() throws -> (results: [Result], foreignLoad: Double) {
    var load = ForeignLoad()
    var running: [(ChildProcess, Result)] = []
    var reference: JSONValue?
    for contestant in contestants {
      let log = contestant.role == .peer ? "\(logs)/\(Self.fileName(contestant.name)).log" : nil
      Words.progress("warming up  \(contestant.name)")
      do {
        running.append(try start(contestant, log, &reference))
      } catch let error as BenchmarkError where contestant.role == .peer {
        Words.progress(nil)
        Words.note("without \(contestant.name): \(error.message)" + (error.hint.map { " (\($0))" } ?? ""))
      }
    }
    let processes = running.map(\.0.identifier)
    for round in 0..<rounds {
      try load.watch(processes, lock: lock) {
        try runOnce(&running, round)
      }
    }
    Words.progress(nil)
    for (child, _) in running { _ = child.wait() }
    return (running.map(\.1), load.processors)
  }

  /// Loads the model, warms up, and compares the results with those of the first contestant.
  private func start(
    _ contestant: Contestant, _ log: String?, _ reference: inout JSONValue?
  ) throws -> (ChildProcess, Result) {
    let child = try ChildProcess(contestant.command, environment: contestant.environment, log: log)
    var result = Result(contestant: contestant)
    result.version = try Self.answer(child, contestant, log)["version"]?.string
    lock?.take()
    defer { lock?.release() }
    child.send("check")
    let found = try Self.answer(child, contestant, log)["check"] ?? .null
    if let ours = reference, !found.isNull {
      (result.difference, result.agrees) = agreement.compare(ours, found)
    } else if !found.isNull {
      reference = found
    }
    return (child, result)
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

/// The rules by which two results agree.
enum Agreement {
  /// The five best tokens of each sample: the same ids except for ties, and probabilities within a relative tolerance.
  case best(tolerance: Double)
  case loss(tolerance: Double)
  case ids

  func compare(_ ours: JSONValue, _ theirs: JSONValue) -> (difference: Double, agrees: Bool) {
    switch self {
    case .loss(let tolerance):
      let difference = abs((ours["loss"]?.double ?? .nan) - (theirs["loss"]?.double ?? .nan))
      return (difference, difference <= tolerance)
    case .ids:
      let isSame = ours["count"]?.int == theirs["count"]?.int && ours["sum"]?.int == theirs["sum"]?.int
      return (isSame ? 0 : 1, isSame)
    case .best(let tolerance):
      let (a, b) = (Self.rows(ours), Self.rows(theirs))
      guard a.count == b.count else { return (.infinity, false) }
      var worst = 0.0
      for (mine, other) in zip(a, b) {
        guard mine.count == other.count else { return (.infinity, false) }
        for (rank, candidate) in mine.enumerated() {
          // Different ids are allowed only in a tie, so the probabilities of each rank are compared.
          let size = max(candidate.probability, 1e-30)
          worst = max(worst, abs(candidate.probability - other[rank].probability) / size)
          if candidate.id != other[rank].id, !mine.contains(where: { $0.id == other[rank].id }), rank < 4 {
            return (.infinity, false)
          }
        }
      }
      return (worst, worst <= tolerance)
    }
  }

  private static func rows(_ value: JSONValue) -> [[(id: Int, probability: Double)]] {
    let ids = value["ids"]?.array ?? []
    let probabilities = value["probabilities"]?.array ?? []
    return zip(ids, probabilities).map { ids, probabilities in
      zip(ids.array ?? [], probabilities.array ?? []).map { ($0.int ?? -1, $1.double ?? .nan) }
    }
  }
}
