import CommandLine
import Files
import Glibc
import Model
import Tensor

/// The driver behind Scripts/benchmark: picks the subcommand, prints an error once, exits once.
enum BenchmarkTool {
  static let subcommands: [(name: String, does: String)] = [
    ("limits", "what OpenBLAS and the memory of this machine give, on the model's own shapes"),
    ("predict", "throughput of filling one mask a line"),
    ("latency", "one short line at a time in a running process"),
    ("evaluate", "throughput of the loss with 15 % of the tokens masked"),
    ("fit", "training steps: packed samples, lines as they are, a small model"),
    ("tokenize", "text to ids"),
    ("startup", "whole processes: --version, one prediction, and reading the weights alone"),
    ("memory", "peak memory of whole processes"),
    ("growth", "tokens/s and memory over length, batch and threads, with a picture"),
    ("scaling", "latency, predict, evaluate, fit, tokenize: all threads and one of them, ours and the limit"),
    ("all", "all of these but growth and scaling"),
    ("peers", "all of these but growth and scaling, side by side with what else does the work"),
  ]

  static var usage: String {
    let width = subcommands.map(\.name.count).max() ?? 0
    let list = subcommands.map { "  " + Words.padded($0.name, width) + "  " + $0.does }.joined(separator: "\n")
    return """
      usage: Scripts/benchmark SUBCOMMAND [options]

      \(list)
      \(Help.options(of: Options.declaration(of: "")))

      Contestants are processes that stay; they work in turns (A B C, A B C, …), one at a time. Figures are medians of the
      rounds. "limit" is the time of the reference's matrix products alone (every layer on every token, the head on the masked
      rows), each thread with products of its own, in the same rounds. OPENBLAS_CORETYPE and OPENBLAS_VERBOSE are OpenBLAS' own.
      OPENBLAS_CORETYPE=Haswell MLM_MAX_CPU_ISA=avx2 measures what a processor without AVX-512 would do.
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

  /// False where results differ that should agree.
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
      throw BenchmarkError(usage: "no subcommand '\(first)'", hint: "Scripts/benchmark --help lists them")
    }
    let parsed = try Parser.parse(arguments.dropFirst().map { Argument($0) }, for: Options.declaration(of: first))
    if parsed.has(CommandDeclaration.help) {
      print(usage)
      return true
    }
    var options = try Options(parsed)
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

/// What went wrong, and what to do about it.
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
