import Glibc

/// How the learning rate goes over the steps, as a share of the peak. The formulas are transformers'
/// (`get_linear_schedule_with_warmup` and its neighbours): with a warm-up the first step has rate 0.
public struct Schedule: Sendable, Equatable {
  /// How the rate goes on behind the warm-up: as it is, or along a line or half a cosine down to 0.
  public enum Shape: String, Sendable, CaseIterable {
    /// The peak to the end.
    case constant
    /// Along a line to 0.
    case linear
    /// Along half a cosine to 0.
    case cosine
  }

  /// How long the rate rises from 0 to its peak.
  public enum WarmUp: Sendable, Equatable {
    /// So many optimizer steps.
    case steps(Int)
    /// A share of all steps, 0 ..< 1, rounded up.
    case ratio(Double)
  }

  /// How the rate goes on behind the warm-up.
  public var shape: Shape
  /// How long it rises before.
  public var warmUp: WarmUp

  /// By default the rate is the peak from the first step to the last.
  public init(_ shape: Shape = .constant, warmUp: WarmUp = .steps(0)) {
    self.shape = shape
    self.warmUp = warmUp
  }

  /// - Parameters:
  ///   - step: steps taken before, from 0.
  ///   - totalSteps: all there will be.
  public func factor(step: Int, totalSteps: Int) -> Float {
    let warmUpSteps =
      switch warmUp {
      case .steps(let steps): steps
      // Double(Int.max) is one more than Int.max.
      case .ratio(let ratio): Int(exactly: (ratio * Double(totalSteps)).rounded(.up)) ?? totalSteps
      }
    if step < warmUpSteps { return Float(step) / Float(max(1, warmUpSteps)) }
    let progress = Double(step - warmUpSteps) / Double(max(1, totalSteps - warmUpSteps))
    switch shape {
    case .constant: return 1
    case .linear: return Float(max(0, 1 - progress))
    case .cosine: return Float(max(0, 0.5 * (1 + cos(.pi * min(1, progress)))))
    }
  }
}
