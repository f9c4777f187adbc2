import Files
import Glibc
import Tensor

/// Prepares the samples of an optimizer step on a thread of its own while the step before it runs.
///
/// What it prepares, and in which order, is the same as without it; an error surfaces at the step whose samples it
/// concerns. It holds the samples of one step.
final class SamplePrefetcher {
  private let buffer: PrefetchBuffer
  private var thread: pthread_t?
  private var isStopped = false
  /// Seconds that `next` had to wait for samples that were not ready.
  private(set) var secondsWaiting = 0.0
  private let clock: () -> Double

  /// - Parameters:
  ///   - steps: the steps, in order.
  ///   - clock: seconds.
  ///   - prepare: the samples of a step; called on the other thread.
  init(
    steps: Range<Int>, clock: @escaping () -> Double = { MonotonicClock.seconds },
    prepare: @escaping @Sendable (Int) throws -> [Sample]
  ) {
    self.clock = clock
    buffer = PrefetchBuffer(steps: steps, prepare: prepare)
    let argument = Unmanaged.passRetained(buffer)
    var handle = pthread_t()
    let status = pthread_create(
      &handle, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<PrefetchBuffer>.fromOpaque(argument).takeRetainedValue().work()
        return nil
      }, argument.toOpaque())
    // No thread to be had: `next` prepares what it returns.
    if status == 0 { thread = handle } else { argument.release() }
  }

  deinit { stop() }

  /// The samples of the next step; none after the last.
  func next() throws -> [Sample] {
    let start = clock()
    defer { secondsWaiting += clock() - start }
    return thread == nil ? try buffer.prepareNext()?.get() ?? [] : try buffer.take()
  }

  /// Ends the thread, when it is done with what it prepares.
  func stop() {
    guard let thread, !isStopped else { return }
    isStopped = true
    buffer.stop()
    pthread_join(thread, nil)
  }
}

/// Where the thread puts samples down and `next` takes them away.
private final class PrefetchBuffer: @unchecked Sendable {
  private let prepare: @Sendable (Int) throws -> [Sample]
  /// The steps that are yet to be prepared.
  private var steps: Range<Int>
  private let monitor = Monitor()
  /// What is ready.
  private var ready: Result<[Sample], any Error>?
  /// No more will come: all is done, something failed, or nobody wants more.
  private var isOver = false

  init(steps: Range<Int>, prepare: @escaping @Sendable (Int) throws -> [Sample]) {
    self.steps = steps
    self.prepare = prepare
  }

  /// The samples of the next step; nil after the last.
  func prepareNext() -> Result<[Sample], any Error>? {
    guard let step = steps.first else { return nil }
    steps.removeFirst()
    return Result { try prepare(step) }
  }

  /// The thread's life.
  func work() {
    while wantsMore() {
      let samples = prepareNext()
      monitor.locked {
        ready = samples
        switch samples {
        case nil, .failure: isOver = true
        case .success: break
        }
        monitor.signal()
      }
    }
  }

  /// Waits until what was ready is taken; false when it is over.
  private func wantsMore() -> Bool {
    monitor.locked {
      while ready != nil, !isOver { monitor.wait() }
      return !isOver
    }
  }

  func take() throws -> [Sample] {
    try monitor.locked {
      while ready == nil, !isOver { monitor.wait() }
      defer {
        ready = nil
        monitor.signal()
      }
      return try ready?.get() ?? []
    }
  }

  func stop() {
    monitor.locked {
      isOver = true
      monitor.signal()
    }
  }
}

/// Which samples an optimizer step takes.
struct StepPlan: Sendable {
  /// Samples of the corpus.
  let samples: Int
  let options: TrainingOptions
  let seed: UInt64
  /// The first epoch and the first step.
  var beginning = TrainingState.Beginning()

  var stepsPerEpoch: Int { samples > 0 ? (samples - 1) / options.samplesPerStep + 1 : 0 }

  /// - Parameter step: counted from 0, over all epochs.
  func indices(ofStep step: Int) -> (epoch: Int, indices: Slice<SampleOrder>) {
    let (further, stepOfEpoch) = (step - beginning.step).quotientAndRemainder(dividingBy: max(1, stepsPerEpoch))
    let epoch = beginning.epoch + further
    let order = SampleOrder(count: samples, shuffles: options.shuffles, seed: seed, epoch: epoch)
    let start = min(samples, stepOfEpoch * options.samplesPerStep)
    return (epoch, order[start..<start + min(samples - start, options.samplesPerStep)])
  }
}
