import Testing

@testable import Tensor

@testable import Model

@Suite struct WorkerSharesTests {
  private func bounds(_ shares: WorkerShares, _ workers: Int) -> [Double] { (0...workers).map { shares.bounds[$0] } }

  @Test func equalAtFirst() {
    #expect(bounds(WorkerShares(workers: 1), 1) == [0, 1])
    #expect(bounds(WorkerShares(workers: 4), 4) == [0, 0.25, 0.5, 0.75, 1])
  }

  /// What takes long is believed, what is over at once hardly.
  @Test func followSpeeds() {
    let shares = WorkerShares(workers: 2)
    shares.note(0, seconds: 10)
    shares.note(1, seconds: 30)
    shares.adapt { _ in 1 }
    #expect(abs(shares.bounds[1] - 0.75) < 1e-3)
    // The same speeds now that the first one's part is three times as large.
    shares.note(0, seconds: 10)
    shares.note(1, seconds: 10)
    shares.adapt { $0 == 0 ? 3 : 1 }
    #expect(abs(shares.bounds[1] - 0.75) < 1e-3)
    shares.note(0, seconds: 3e-6)
    shares.note(1, seconds: 1e-6)
    shares.adapt { _ in 1 }
    #expect(shares.bounds[1] < 0.75 && shares.bounds[1] > 0.74)
    #expect(shares.bounds[0] == 0 && shares.bounds[2] == 1)
  }

  @Test func nobodyIsLeftOut() {
    let shares = WorkerShares(workers: 3)
    for (worker, seconds) in [1.0, 1, 1e6].enumerated() { shares.note(worker, seconds: seconds) }
    shares.adapt { _ in 1 }
    #expect(shares.bounds[3] - shares.bounds[2] > 0.07)
    // A worker without a part says nothing about its speed.
    let before = bounds(shares, 3)
    shares.adapt { Double($0) }
    #expect(bounds(shares, 3) == before)
  }
}
