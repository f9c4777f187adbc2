/// How a run ended; the table is printed in `--help`.
enum ExitCode: Sendable, Equatable {
  /// All done.
  case done
  /// It ran but failed, or some inputs failed; each was named on standard error.
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
}
