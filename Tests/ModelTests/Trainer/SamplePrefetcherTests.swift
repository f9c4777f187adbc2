import Synchronization
import Testing

@testable import Model
@testable import Tensor

@Suite struct SamplePrefetcherTests {
  private final class Counter: Sendable { let count = Atomic<Int>(0) }
  struct Broken: Error, Equatable { let step: Int }

  @Sendable private func sample(_ step: Int) -> [Sample] { [Sample(tokenIDs: [Int32(step)])] }

  @Test func inOrder() throws {
    let ahead = SamplePrefetcher(steps: 3..<200) { self.sample($0) }
    for step in 3..<200 { #expect(try ahead.next() == sample(step)) }
    #expect(try ahead.next().isEmpty)
    #expect(try SamplePrefetcher(steps: 0..<0) { self.sample($0) }.next().isEmpty)
  }

  /// Only the time in `next` counts.
  @Test func secondsOfWaiting() throws {
    var times = [1.0, 3, 10, 10.5, 20, 20][...]
    let ahead = SamplePrefetcher(steps: 0..<3, clock: { times.removeFirst() }) { self.sample($0) }
    #expect(ahead.secondsWaiting == 0)
    for expected in [2.0, 2.5, 2.5] {
      _ = try ahead.next()
      #expect(ahead.secondsWaiting == expected)
    }
  }

  /// An error surfaces at its step, and no later step is prepared.
  @Test func errors() throws {
    let asked = Counter()
    let ahead = SamplePrefetcher(steps: 0..<10) { step in
      asked.count.add(1, ordering: .relaxed)
      if step == 2 { throw Broken(step: 2) }
      return self.sample(step)
    }
    #expect(try ahead.next() == sample(0))
    #expect(try ahead.next() == sample(1))
    #expect(throws: Broken(step: 2)) { try ahead.next() }
    ahead.stop()
    #expect(asked.count.load(ordering: .relaxed) == 3)
  }

  /// The prefetcher is one step ahead, and leaves no thread behind.
  @Test func stops() throws {
    for taken in 0..<20 {
      let asked = Counter()
      do {
        let ahead = SamplePrefetcher(steps: 0..<Int.max) { step in
          asked.count.add(1, ordering: .relaxed)
          return self.sample(step)
        }
        for step in 0..<taken { #expect(try ahead.next() == sample(step)) }
        ahead.stop()
        ahead.stop()
      }
      #expect((taken...taken + 1).contains(asked.count.load(ordering: .relaxed)))
    }
  }

  @Test func planTakesEachSampleOnceAnEpoch() {
    for (samples, batch) in [(1, 1), (10, 3), (12, 4), (5, 100)] {
      let plan = StepPlan(samples: samples, options: TrainingOptions(batchSize: batch), seed: 1)
      for epoch in 0..<3 {
        let steps = (epoch * plan.stepsPerEpoch..<(epoch + 1) * plan.stepsPerEpoch).map { plan.indices(ofStep: $0) }
        #expect(steps.allSatisfy { $0.epoch == epoch && (1...batch).contains($0.indices.count) })
        #expect(steps.flatMap(\.indices).sorted() == Array(0..<samples))
        #expect(steps.flatMap(\.indices) == Array(SampleOrder(count: samples, seed: 1, epoch: epoch)))
      }
    }
  }
}
