import Glibc
import Synchronization

/// Runs `body(0) … body(threads − 1)`, each on a separate thread, and returns when all are done.
func onThreads(_ threads: Int, _ body: (Int) -> Void) {
  guard threads > 1 else { return body(0) }
  withoutActuallyEscaping(body) { body in
    nonisolated(unsafe) let body = body
    var handles: [pthread_t] = []
    for index in 1..<threads {
      let task = Unmanaged.passRetained(ThreadTask { body(index) })
      var handle = pthread_t()
      let status = pthread_create(
        &handle, nil,
        { argument in
          if let argument { Unmanaged<ThreadTask>.fromOpaque(argument).takeRetainedValue().run() }
          return nil
        }, task.toOpaque())
      if status == 0 { handles.append(handle) } else { task.takeRetainedValue().run() }
    }
    body(0)
    for handle in handles { pthread_join(handle, nil) }
  }
}

private final class ThreadTask: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Returns 0, 1, 2 … to the threads that ask.
final class Ticket: Sendable {
  private let next = Atomic<Int>(0)
  func take() -> Int { next.add(1, ordering: .relaxed).oldValue }
}
