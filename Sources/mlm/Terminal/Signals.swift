import Glibc
import Synchronization

/// Lets `fit` and downloads end in order: the first SIGINT or SIGTERM is only noted, the second ends the process at once.
enum Signals {
  /// The signal that came, or 0. A global of constant value: reading it in a handler runs no initialiser.
  private static let pending = Atomic<Int32>(0)

  /// From now on SIGINT and SIGTERM are noted instead of obeyed. A signal that the parent had ignored stays ignored.
  static func intercept() {
    // The handler must not be the first to touch it.
    pending.store(0, ordering: .relaxed)
    for signal in [SIGINT, SIGTERM] {
      var action = sigaction()
      sigaction(signal, nil, &action)
      let handler = unsafeBitCast(action.__sigaction_handler, to: UInt.self)
      if handler == 1 { continue }  // SIG_IGN, as `nohup` and background jobs of scripts set it
      var noting = sigaction()
      noting.__sigaction_handler.sa_handler = { signal in
        let (isFirst, _) = Signals.pending.compareExchange(
          expected: 0, desired: signal, ordering: .sequentiallyConsistent)
        if !isFirst { _exit(128 + signal) }
      }
      // System calls go on after the first signal.
      noting.sa_flags = SA_RESTART
      sigemptyset(&noting.sa_mask)
      sigaction(signal, &noting, nil)
    }
  }

  /// Obeys SIGINT and SIGTERM again; one that was noted meanwhile ends the process now.
  static func release() {
    for signal in [SIGINT, SIGTERM] {
      var action = sigaction()
      sigaction(signal, nil, &action)
      if unsafeBitCast(action.__sigaction_handler, to: UInt.self) == 1 { continue }
      var obeying = sigaction()
      obeying.__sigaction_handler.sa_handler = SIG_DFL
      sigemptyset(&obeying.sa_mask)
      sigaction(signal, &obeying, nil)
    }
    if let signal = received { raise(signal) }
  }

  /// The signal that was noted; nil where none was.
  static var received: Int32? {
    let signal = pending.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }
}
