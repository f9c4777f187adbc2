import CommandLine

/// The outcome of a run.
enum ExitCode: Sendable, Equatable {
  /// Success.
  case done
  /// The run failed, or some inputs failed; standard error names each.
  case failed
  /// Wrong usage: nothing was done.
  case wrongUsage
  /// Ended by SIGINT or SIGTERM.
  case interrupted(signal: Int32)

  var status: Int32 {
    switch self {
    case .done: 0
    case .failed: 1
    case .wrongUsage: 2
    case .interrupted(let signal): 128 + signal
    }
  }

  /// The exit statuses in `--help` and the manual.
  static let table: [Program.ExitStatus] = [
    .init(0, "success"),
    .init(1, "the run failed, or some inputs failed; standard error names each"),
    .init(2, "wrong usage; nothing was done"),
    .init(130, "interrupted by SIGINT (Ctrl-C)"),
    .init(143, "terminated by SIGTERM"),
  ]
}
