import Glibc

/// Keeps SIGPIPE away from code that writes to connections which the other side may have closed, as older builds of libcurl do
/// with TLS when they may not touch signals. The rest of the process keeps its own way with the signal.
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
      // One that came meanwhile is not to come late.
      var now = timespec()
      while sigtimedwait(&pipe, nil, &now) == -1 && errno == EINTR {}
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    return body()
  }
}
