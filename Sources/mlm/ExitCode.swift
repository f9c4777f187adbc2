import CommandLine

/// How a run ended.
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

  /// What `--help` and the manual say of them.
  static let table: [Program.ExitStatus] = [
    .init(0, "all done"),
    .init(1, "it ran but failed, or some inputs failed; each is named on standard error"),
    .init(2, "wrong usage; nothing was done"),
    .init(130, "ended by SIGINT (Ctrl-C)"),
    .init(143, "ended by SIGTERM"),
  ]
}
