import CommandLine
import Files
import Glibc
import Model
import Tensor

/// The driver behind Scripts/benchmark: selects the subcommand, and reports errors and exits in one function.
enum BenchmarkTool {
  static let subcommands: [(name: String, does: String)] = [
    ("limits", "rates of OpenBLAS and memory on this machine, with the model's shapes"),
    ("predict", "throughput of filling one mask per line"),
    ("latency", "one short line at a time in a running process"),
    ("evaluate", "throughput of the loss with 15 % of the tokens masked"),
    ("fit", "training steps: packed samples, single lines, a small model"),
    ("tokenize", "text to ids"),
    ("startup", "whole processes: --version, one prediction, and only reading the weights"),
    ("memory", "peak memory of whole processes"),
    ("growth", "tokens/s and memory over length, batch size and threads, with a chart"),
    ("scaling", "latency, predict, evaluate, fit, tokenize of mlm and the limit, with all threads and with one"),
    ("all", "all of these except growth and scaling"),
    ("peers", "all of these except growth and scaling, compared with other programs"),
  ]

  static var usage: String {
    let width = subcommands.map(\.name.count).max() ?? 0
    let list = subcommands.map { "  " + Words.padded($0.name, width) + "  " + $0.does }.joined(separator: "\n")
    return """
      usage: Scripts/benchmark SUBCOMMAND [options]

      \(list)
      \(Help.options(of: Options.declaration(of: "")))

      Contestants are long-running processes that take turns (A B C, A B C, …), one at a time. Results are medians of
      the rounds. "limit" is the time of only the reference's matrix products (every layer on every token, the head on the
      masked rows), with separate products for each thread, in the same rounds. With --precision bfloat16 or int8, mlm in
      float32 takes its place, and the answers of all contestants are compared with its answers. OpenBLAS reads OPENBLAS_CORETYPE and
      OPENBLAS_VERBOSE. OPENBLAS_CORETYPE=Haswell MLM_MAX_CPU_ISA=avx2 simulates a processor without AVX-512.
      """
  }

  static func run(_ arguments: [String]) -> Never {
    signal(SIGPIPE, SIG_IGN)
    do {
      exit(try perform(Array(arguments.dropFirst())) ? 0 : 1)
    } catch let error as BenchmarkError {
      Words.printError("benchmark: error: \(error.message)" + (error.hint.map { "\n  hint: \($0)" } ?? ""))
      exit(error.isUsage ? 2 : 1)
    } catch let error as UsageError {
      Words.printError("benchmark: error: \(error.message)" + (error.hint.map { "\n  hint: \($0)" } ?? ""))
      exit(2)
    } catch let error as any ModelError {
      Words.printError("benchmark: error: \(error.message)" + (error.hint.map { "\n  hint: \($0)" } ?? ""))
      exit(1)
    } catch {
      Words.printError("benchmark: error: \(error)")
      exit(1)
    }
  }

  /// Returns whether all results that should agree did.
  private static func perform(_ arguments: [String]) throws -> Bool {
    guard let first = arguments.first, first != "--help", first != "-h", first != "help" else {
      print(usage)
      return !arguments.isEmpty
    }
    if let invalid = InstructionSet.invalidLimit { throw BenchmarkError(usage: invalid) }
    if first == "worker" { return try Worker.run(Array(arguments.dropFirst())) }
    if first == "launch" { return try Launch.run(Array(arguments.dropFirst())) }
    if first == "read-weights" { return try ReadWeights.run(Array(arguments.dropFirst())) }
    guard subcommands.contains(where: { $0.name == first }) else {
      throw BenchmarkError(usage: "unknown subcommand '\(first)'", hint: "Scripts/benchmark --help lists them")
    }
    let parsed = try Parser.parse(arguments.dropFirst().map { Argument($0) }, for: Options.declaration(of: first))
    if parsed.has(CommandDeclaration.help) {
      print(usage)
      return true
    }
    var options = try Options(parsed)
    if options.isReduced, !["predict", "latency", "evaluate"].contains(first) {
      throw BenchmarkError(
        usage: "\(first) measures float32 only", hint: "--precision is for predict, latency and evaluate")
    }
    if first == "peers" { options.usesPeers = true }
    if first == "scaling" { options.scalesThreads = true }
    let (names, page): ([String], String?) =
      switch first {
      case "all", "peers": (Bench.all, nil)
      case "scaling": (Bench.scaling, first)
      default: ([first], first)
      }
    let bench = try Bench(options)
    for name in names { try bench.run(name) }
    try bench.finish(page)
    return bench.allAgree
  }
}

/// An error and its remedy.
struct BenchmarkError: Error {
  let message: String
  let hint: String?
  let isUsage: Bool

  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
    isUsage = false
  }

  init(usage message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
    isUsage = true
  }
}
