import Glibc

/// Suppresses SIGPIPE in code that writes to connections that the peer may have closed. Older builds of libcurl do so
/// with TLS if they must not change signal handlers. The rest of the process keeps its signal handling.
enum BrokenPipe {
  static func withoutSignal<Result>(_ body: () -> Result) -> Result {
    var pipe = sigset_t()
    var before = sigset_t()
    var pending = sigset_t()
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    sigpending(&pending)
    guard sigismember(&pending, SIGPIPE) == 0, pthread_sigmask(SIG_BLOCK, &pipe, &before) == 0 else { return body() }
    defer {
      // Consume a signal that arrived meanwhile.
      var now = timespec()
      while sigtimedwait(&pipe, nil, &now) == -1 && errno == EINTR {}
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    return body()
  }
}
