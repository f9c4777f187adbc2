import Glibc
import Model
import Tensor
import Text

/// Writes tables to standard output, and the same results as JSON lines.
final class Report {
  private let options: Options
  private let machine: Machine
  private let workload: Workload
  private var records: [JSONValue] = []
  /// The number of processors that other processes used during the last race.
  var foreignLoad = 0.0
  /// The reasons for which peers did not take part in the last race.
  var absent: [String] = []
  private var pages: [String] = []
  private let date = Report.date()
  private let commit: String
  private let swift: String

  init(_ options: Options, _ machine: Machine, _ workload: Workload) {
    self.options = options
    self.machine = machine
    self.workload = workload
    commit = Self.firstLine([
      "git", "-C", options.root, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*",
    ])
    swift = Self.firstLine(["swift", "--version"])
  }

  var versions: [(key: String, value: JSONValue)] {
    [
      ("swift", .string(swift)), ("openblas", .string(machine.openBLAS)),
      ("openblas_core", .string(machine.openBLASCore)),
      ("openblas_coretype", Environment["OPENBLAS_CORETYPE"].map(JSONValue.string) ?? .null),
      ("mlm_max_cpu_isa", Environment["MLM_MAX_CPU_ISA"].map(JSONValue.string) ?? .null),
    ]
  }

  /// The reduced precision and the instructions that mlm uses for it; nil for float32.
  private var precision: String? {
    let format: ReducedFormat
    switch options.precision {
    case .float32: return nil
    case .bfloat16: format = .bfloat16
    case .int8: format = .int8
    }
    return "\(options.precision) on \(format.instructions)"
  }

  func printHead() {
    emit([
      "commit \(commit), \(date)",
      "\(machine.processor), \(machine.cores) cores, \(machine.megabytes) MB, \(machine.instructions); \(machine.system)",
      "\(machine.openBLAS), core type \(machine.openBLASCore)"
        + (Environment["OPENBLAS_CORETYPE"].map { " (set by OPENBLAS_CORETYPE=\($0))" } ?? "")
        + (Environment["MLM_MAX_CPU_ISA"].map { ", MLM_MAX_CPU_ISA=\($0)" } ?? ""),
      "\(swift)",
      "corpus \(workload.corpusSource), vocabulary \(workload.store.vocabularySource), \(options.threads) threads"
        + (precision.map { ", " + $0 } ?? ""),
    ])
  }

  /// Prints a table under a title and stores it, with its values as JSON.
  func add(
    _ name: String, title: String, _ table: Table, notes: [String] = [], settings: [(key: String, value: JSONValue)],
    results: [JSONValue]
  ) {
    emit(["", "## \(title)", ""] + table.lines() + (notes.isEmpty ? [] : [""] + notes))
    pages += ["", "## \(title)", ""] + table.markdown() + (notes.isEmpty ? [] : [""] + notes.map { $0 + "\n" })
    records.append(
      .object([
        ("benchmark", .string(name)), ("date", .string(date)), ("commit", .string(commit)), ("machine", machine.json),
        ("versions", .object(versions)),
        (
          "settings",
          .object(
            [
              ("threads", .number(options.threads)), ("seed", .number(Int(options.seed))),
              ("corpus", .string(workload.corpusSource)), ("vocabulary", .string(workload.store.vocabularySource)),
              ("model", .string(options.model ?? "random")), ("precision", .string(options.precision.rawValue)),
            ] + settings)
        ), ("results", .array(results)),
      ]))
    try? append(to: options.json, records.suffix(1))
  }

  /// Adds a line below the previous table.
  func note(_ line: String) {
    emit([line])
    pages.append(line)
  }

  /// Writes the stored results.
  ///
  /// - Parameter name: the subcommand that ran; nil after a full run.
  func finish(_ name: String?) throws {
    guard options.records, !records.isEmpty else { return }
    let folder = options.root + "/Scripts/benchmark-results"
    try Files.makeFolder(folder)
    let slug = (options.isReduced ? "\(options.precision)-" : "") + machine.slug
    let page = (name.map { $0 + "-" } ?? "") + slug + ".md"
    try append(to: "\(folder)/\(slug).jsonl", records[...])
    let head = [
      "# \(machine.processor), \(machine.cores) cores", "",
      "Written by `Scripts/benchmark … --record`: commit \(commit), \(date); \(machine.system); \(machine.megabytes) MB; "
        + "\(machine.instructions); \(machine.openBLAS), core type \(machine.openBLASCore); \(swift); "
        + "corpus \(workload.corpusSource), vocabulary \(workload.store.vocabularySource); \(options.threads) threads"
        + (precision.map { "; " + $0 } ?? "") + ".",
    ]
    let text = (head + pages).joined(separator: "\n") + "\n"
    try Files.write(Array(text.utf8), to: "\(folder)/\(page)")
    Words.note("wrote \(page) and \(slug).jsonl in \(folder)")
  }

  private func append(to path: String?, _ records: ArraySlice<JSONValue>) throws {
    guard let path else { return }
    try Files.write(records.flatMap { $0.serialized(endingInNewline: true) }, to: path, appending: true)
  }

  private func emit(_ lines: [String]) {
    for line in lines { print(line) }
    fflush(nil)
  }

  private static func firstLine(_ command: [String]) -> String {
    let output = (try? ChildProcess.run(command))?.output ?? ""
    return output.split(separator: "\n").first.map(String.init) ?? "unknown"
  }

  private static func date() -> String {
    var seconds = time(nil)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M UTC", &parts)
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Report {
  /// Adds the table of a race: time, rate, ratio to mlm's time, memory, agreement.
  ///
  /// - Parameters:
  ///   - operations: the operations of a round, for GFLOP/s; nil if rounds differ.
  ///   - unit: the unit of the rate column.
  func add(
    race results: [Result], _ name: String, title: String, settings: [(key: String, value: JSONValue)],
    operations: Double? = nil, milliseconds: Bool = false, rate: (unit: String, of: (Round) -> Double)? = nil,
    lines: Int? = nil
  ) {
    guard let ours = results.first else { return }
    let rate = rate ?? ("tokens/s", { Double($0.tokens) / $0.seconds })
    var header = ["", milliseconds ? "ms" : "s", "min", "max", rate.unit]
    if lines != nil { header.append("lines/s") }
    header += ["mlm is faster by"]
    if operations != nil { header.append("GFLOP/s") }
    header += ["peak MB", agreementHeading(results)]
    var table = Table(header)
    var values: [JSONValue] = []
    let scale = milliseconds ? 1000.0 : 1
    for result in results {
      let times = result.rounds.map(\.seconds)
      // The ratio is computed per round, so that a slow minute does not affect only one contestant.
      let ratio = zip(result.rounds, ours.rounds).map {
        $0.seconds / Double($0.tokens) / ($1.seconds / Double($1.tokens))
      }.median
      let rates = result.rounds.map(rate.of)
      var row = [
        result.contestant.name, Words.number(times.median * scale), Words.number((times.min() ?? 0) * scale),
        Words.number((times.max() ?? 0) * scale), Words.number(rates.median),
      ]
      if let lines { row.append(Words.number(Double(lines) / times.median)) }
      row.append(Words.fixed(ratio, 2))
      if let operations { row.append(Words.number(operations / times.median / 1e9)) }
      row.append(result.contestant.role == .limit ? "" : Words.number(result.peakMegabytes))
      row.append((result.agrees ? "" : "DIFFERS ") + (result.comparison.map(agreementText) ?? ""))
      table.rows.append(row)
      values.append(
        .object(
          [
            ("name", .string(result.contestant.name)), ("role", .string(result.contestant.role.rawValue)),
            ("version", result.version.map(JSONValue.string) ?? .null), ("threads", .number(result.contestant.threads)),
            ("seconds", .number(times.median)), ("seconds_min", .number(times.min() ?? 0)),
            ("seconds_max", .number(times.max() ?? 0)),
            ("rounds", .array(times.map { .number($0) })),
            ("tokens", .array(result.rounds.map { .number($0.tokens) })),
            (rate.unit.replacing("/", with: "_per_"), .number(rates.median)), ("mlm_is_faster_by", .number(ratio)),
            ("peak_rss_mb", .number(result.peakMegabytes)), ("agrees", .bool(result.agrees)),
            ("difference", Self.number(result.comparison?.difference)),
            ("precision", .string(result.contestant.precision.rawValue)),
            ("equal_first_answers", Self.number(result.comparison?.equalFirstAnswers)),
            ("loss_change", Self.number(result.comparison?.lossChange)),
          ]
            + (result.rounds.first?.more.contains { $0.key == "p90_seconds" } == true
              ? [
                (
                  key: "p90_seconds",
                  value: JSONValue.number(
                    result.rounds.compactMap { $0.more.first { $0.key == "p90_seconds" }?.value.double }.median)
                )
              ] : [])))
    }
    var notes = absent
    if options.isReduced { notes.append("All results are compared with those of mlm in float32.") }
    if let limit = results.first(where: {
      $0.contestant.role == .limit && $0.contestant.threads == ours.contestant.threads
    }) {
      let fraction = zip(limit.rounds, ours.rounds).map { $0.seconds / $1.seconds }.median
      notes.append("mlm reaches \(Words.fixed(fraction, 2)) of the limit.")
    }
    if let scaling = scaling(results, .ours, options.precision, ours.contestant.threads) {
      let name = options.isReduced ? "float32" : "the limit"
      let standard = self.scaling(results, options.isReduced ? .ours : .limit, .float32, ours.contestant.threads)
      notes.append(
        "\(ours.contestant.threads) threads are \(Words.fixed(scaling, 2)) times as fast as 1"
          + (standard.map { ", \(name)'s \(Words.fixed($0, 2)) times." } ?? "."))
    }
    let unrestricted = ["ONNX", "OpenVINO"]
    if Peers.imitatesAVX2, results.contains(where: { unrestricted.contains(where: $0.contestant.name.hasPrefix) }) {
      notes.append("ONNX Runtime and OpenVINO cannot be restricted to AVX2 and use all of this processor.")
    }
    if foreignLoad > 0.05 {
      notes.append("Not idle: other processes used \(Words.fixed(foreignLoad, 2)) processors meanwhile.")
    }
    add(
      name, title: title, table, notes: notes,
      settings: settings + [("foreign_load", .number(foreignLoad))] + [("rounds", .number(ours.rounds.count))],
      results: values)
  }

  private static func number(_ value: Double?) -> JSONValue {
    value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null
  }

  /// The heading of the column that compares results: in reduced precision, the agreement.
  private func agreementHeading(_ results: [Result]) -> String {
    guard options.isReduced else { return "differs by" }
    return results.contains { $0.comparison?.lossChange != nil } ? "loss differs by" : "equal first answers"
  }

  private func agreementText(_ comparison: Comparison) -> String {
    if options.isReduced, let change = comparison.lossChange {
      return (change < 0 ? "−" : "+") + Words.fixed(abs(change), 5)
    }
    if options.isReduced, let share = comparison.equalFirstAnswers { return Words.fixed(share * 100, 1) + " %" }
    return Words.small(comparison.difference)
  }

  /// The speedup over one thread; nil unless both were measured.
  private func scaling(
    _ results: [Result], _ role: Contestant.Role, _ precision: Precision, _ threads: Int
  ) -> Double? {
    func rounds(_ threads: Int) -> [Round]? {
      results.first {
        $0.contestant.role == role && $0.contestant.precision == precision && $0.contestant.threads == threads
      }?.rounds
    }
    guard threads > 1, let one = rounds(1), let all = rounds(threads) else { return nil }
    return zip(one, all).map { $0.seconds / $1.seconds }.median
  }
}
