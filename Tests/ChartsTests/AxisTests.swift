import Testing

@testable import Charts

/// Tests round numbers along an axis.
@Suite struct AxisTests {
  func labels(_ axis: Axis) -> [String] { axis.ticks.map(\.label) }

  @Test func labels() {
    #expect(labels(Axis(from: 2.31, to: 9.87, intervals: 5)) == ["2", "4", "6", "8", "10"])
    #expect(labels(Axis(from: 0, to: 1, intervals: 5)) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(labels(Axis(from: 0, to: 0.001, intervals: 2)) == ["0", "5e-4", "1e-3"])
    #expect(labels(Axis(from: 0, to: Double(Float(5e-4)), intervals: 2)) == ["0", "2.5e-4", "5e-4"])
    #expect(labels(Axis(from: 0, to: 5e-5, intervals: 2)) == ["0", "2.5e-5", "5e-5"])
    #expect(labels(Axis(from: -3, to: 3, intervals: 3)) == ["-4", "-2", "0", "2", "4"])
    #expect(labels(Axis(from: 0, to: 41_000, intervals: 4)) == ["0", "20,000", "40,000", "60,000"])
    #expect(labels(Axis(from: 0, to: 3e9, intervals: 3)) == ["0", "1e9", "2e9", "3e9"])
    #expect(labels(Axis(from: -0.25, to: 0.25, intervals: 2)) == ["-0.25", "0", "0.25"])
    #expect(labels(Axis(from: 999.9, to: 1000.1, intervals: 2)) == ["999.9", "1,000.0", "1,000.1"])
  }

  @Test func wholeNumbersWithinTheRange() {
    #expect(labels(Axis(from: 0, to: 3, intervals: 8, wholeNumbers: true, endsAtTicks: false)) == ["0", "1", "2", "3"])
    let axis = Axis(from: 0, to: 496, intervals: 8, wholeNumbers: true, endsAtTicks: false)
    #expect(labels(axis) == ["0", "100", "200", "300", "400"] && axis.lower == 0 && axis.upper == 496)
    #expect(
      labels(Axis(from: 0, to: 15, intervals: 6, wholeNumbers: true, endsAtTicks: false)) == ["0", "5", "10", "15"])
  }

  /// All values lie on the axis, which has a few ticks.
  @Test func anyRange() {
    let values = [
      0, 1e-300, .leastNonzeroMagnitude, 1e-9, 0.3, 1, 7.123, 999.999, 1e6, 123_456_789, 1e30, 1e300,
      .greatestFiniteMagnitude,
    ]
    for a in values + values.map({ -$0 }) {
      for b in values {
        for intervals in 1...8 {
          let axis = Axis(from: a, to: b, intervals: intervals)
          #expect((2...intervals + 3).contains(axis.ticks.count), "\(a) \(b) \(intervals) \(axis)")
          #expect(axis.lower.isFinite && axis.upper.isFinite && axis.lower < axis.upper, "\(a) \(b) \(axis)")
          for value in [a, b] where abs(value) < 1e300 {
            #expect((-1e-5...1 + 1e-5).contains(axis.place(value)), "\(a) \(b) \(axis)")
          }
          #expect(Set(labels(axis)).count == axis.ticks.count, "\(labels(axis))")
        }
      }
    }
  }

  @Test func oneValue() {
    #expect(labels(Axis(from: 0, to: 0, intervals: 2)) == ["0", "0.5", "1.0"])
    let axis = Axis(from: 5, to: 5, intervals: 4)
    #expect(axis.place(5) > 0.2 && axis.place(5) < 0.8)
    #expect(Axis(from: 1e-5, to: 1e-5, intervals: 4).lower >= 0)
  }
}
