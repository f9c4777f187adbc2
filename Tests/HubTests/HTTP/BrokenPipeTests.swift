import Glibc
import Testing

@testable import Hub

@Suite struct BrokenPipeTests {
  /// If the signal were delivered, the tests would end here.
  @Test func suppressesTheSignal() {
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
