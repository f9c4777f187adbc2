import Glibc
import Testing

@testable import Hub

@Suite struct BrokenPipeTests {
  /// Where the signal came through, this would be the end of the tests.
  @Test func signalIsKeptAway() {
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &before)
    #expect(BrokenPipe.withoutSignal { pthread_kill(pthread_self(), SIGPIPE) } == 0)
    var pending = sigset_t()
    sigpending(&pending)
    #expect(sigismember(&pending, SIGPIPE) == 0)
    var after = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &after)
    #expect(sigismember(&after, SIGPIPE) == sigismember(&before, SIGPIPE))
  }
}
