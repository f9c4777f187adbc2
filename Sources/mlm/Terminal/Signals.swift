import Glibc
import Synchronization

/// Lets `fit` and downloads stop in an orderly way: the first SIGINT or SIGTERM is only recorded, and the second ends
/// the process immediately.
enum Signals {
  /// The signal received, or 0. A global with a constant value, so that reading it in a handler runs no initializer.
  private static let pending = Atomic<Int32>(0)

  /// Starts recording SIGINT and SIGTERM. A signal that the parent ignored remains ignored.
  static func intercept() {
    // The handler must not be the first to access it.
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
      // System calls continue after the first signal.
      noting.sa_flags = SA_RESTART
      sigemptyset(&noting.sa_mask)
      sigaction(signal, &noting, nil)
    }
  }

  /// Restores the default actions of SIGINT and SIGTERM. A recorded signal ends the process now.
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

  /// The recorded signal; nil if there is none.
  static var received: Int32? {
    let signal = pending.load(ordering: .relaxed)
    return signal == 0 ? nil : signal
  }
}
