import Files
import Glibc
import Tensor

/// Prepares the samples of an optimizer step on its own thread while the previous step runs.
///
/// The samples and their order are the same as without it. An error surfaces at the step whose samples it concerns. It
/// holds the samples of one step.
final class SamplePrefetcher {
  private let buffer: PrefetchBuffer
  private var thread: pthread_t?
  private var isStopped = false
  /// The seconds that `next` waited for samples.
  private(set) var secondsWaiting = 0.0
  private let clock: () -> Double

  /// - Parameters:
  ///   - steps: the steps, in order.
  ///   - clock: returns the time in seconds.
  ///   - prepare: returns the samples of a step; called on the other thread.
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
    // Without a thread, `next` prepares the samples itself.
    if status == 0 { thread = handle } else { argument.release() }
  }

  deinit { stop() }

  /// Returns the samples of the next step; empty after the last step.
  func next() throws -> [Sample] {
    let start = clock()
    defer { secondsWaiting += clock() - start }
    return thread == nil ? try buffer.prepareNext()?.get() ?? [] : try buffer.take()
  }

  /// Stops the thread after the samples that it is preparing.
  func stop() {
    guard let thread, !isStopped else { return }
    isStopped = true
    buffer.stop()
    pthread_join(thread, nil)
  }
}

/// The buffer from which `next` takes the samples that the thread prepared.
private final class PrefetchBuffer: @unchecked Sendable {
  private let prepare: @Sendable (Int) throws -> [Sample]
  /// The remaining steps.
  private var steps: Range<Int>
  private let monitor = Monitor()
  /// The prepared samples, or the error.
  private var ready: Result<[Sample], any Error>?
  /// Whether no more samples will come: all are done, a step failed, or the prefetcher was stopped.
  private var isOver = false

  init(steps: Range<Int>, prepare: @escaping @Sendable (Int) throws -> [Sample]) {
    self.steps = steps
    self.prepare = prepare
  }

  /// Prepares the samples of the next step; returns nil after the last step.
  func prepareNext() -> Result<[Sample], any Error>? {
    guard let step = steps.first else { return nil }
    steps.removeFirst()
    return Result { try prepare(step) }
  }

  /// Runs the thread.
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

  /// Waits until the prepared samples are taken; returns false if no more are wanted.
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

/// The assignment of samples to optimizer steps.
struct StepPlan: Sendable {
  /// The number of samples in the corpus.
  let samples: Int
  let options: TrainingOptions
  let seed: UInt64
  /// The first epoch and the first step.
  var beginning = TrainingState.Beginning()

  var stepsPerEpoch: Int { samples > 0 ? (samples - 1) / options.samplesPerStep + 1 : 0 }

  /// - Parameter step: the index of the step over all epochs, from 0.
  func indices(ofStep step: Int) -> (epoch: Int, indices: Slice<SampleOrder>) {
    let (further, stepOfEpoch) = (step - beginning.step).quotientAndRemainder(dividingBy: max(1, stepsPerEpoch))
    let epoch = beginning.epoch + further
    let order = SampleOrder(count: samples, shuffles: options.shuffles, seed: seed, epoch: epoch)
    let start = min(samples, stepOfEpoch * options.samplesPerStep)
    return (epoch, order[start..<start + min(samples - start, options.samplesPerStep)])
  }
}
