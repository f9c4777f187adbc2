import Testing

@testable import Model

/// Values calculated by hand from the formulas of transformers' `get_constant_schedule_with_warmup`,
/// `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup`.
@Suite struct ScheduleTests {
  private func factors(_ schedule: Schedule, _ steps: [Int], of total: Int) -> [Float] {
    steps.map { schedule.factor(step: $0, totalSteps: total) }
  }

  @Test func constant() {
    #expect(factors(Schedule(), [0, 1, 99, 1000], of: 100) == [1, 1, 1, 1])
    #expect(
      factors(Schedule(.constant, warmUp: .steps(4)), [0, 1, 2, 3, 4, 5, 99], of: 100) == [0, 0.25, 0.5, 0.75, 1, 1, 1])
  }

  @Test func linear() {
    #expect(factors(Schedule(.linear), [0, 5, 10, 19, 20, 25], of: 20) == [1, 0.75, 0.5, 0.05, 0, 0])
    // 4 steps of warm-up, then 16 down to zero.
    #expect(
      factors(Schedule(.linear, warmUp: .steps(4)), [0, 2, 4, 8, 12, 18, 20], of: 20) == [
        0, 0.5, 1, 0.75, 0.5, 0.125, 0,
      ])
  }

  @Test func cosine() {
    let expected: [Float] = [0, 0.5, 1, 0.853_553_4, 0.5, 0.146_446_6, 0, 0]
    let found = factors(Schedule(.cosine, warmUp: .steps(4)), [0, 2, 4, 8, 12, 16, 20, 24], of: 20)
    #expect(largestDifference(found, expected) < 1e-6)
    #expect(factors(Schedule(.cosine), [0], of: 20) == [1])
  }

  /// transformers rounds the share up: 0.1 of 25 steps is 3.
  @Test func ratio() {
    #expect(
      factors(Schedule(.constant, warmUp: .ratio(0.1)), [0, 1, 2, 3], of: 25) == [0, 1.0 / 3, 2.0 / 3, 1])
    #expect(factors(Schedule(.linear, warmUp: .ratio(0.5)), [0, 1, 2, 3, 4], of: 4) == [0, 0.5, 1, 0.5, 0])
    #expect(factors(Schedule(.linear, warmUp: .ratio(0)), [0, 1], of: 2) == [1, 0.5])
  }

  @Test func warmUpLongerThanTheRun() {
    #expect(factors(Schedule(.linear, warmUp: .steps(10)), [0, 5, 9], of: 5) == [0, 0.5, 0.9])
    #expect(factors(Schedule(.linear), [0], of: 0) == [1])
  }
}
