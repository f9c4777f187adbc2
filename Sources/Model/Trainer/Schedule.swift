import Glibc

/// How the learning rate goes over the steps, as a share of the peak. The formulas are transformers'
/// (`get_linear_schedule_with_warmup` and its neighbours): with a warm-up the first step has rate 0.
public struct Schedule: Sendable, Equatable {
  public enum Shape: String, Sendable, CaseIterable { case constant, linear, cosine }

  public enum WarmUp: Sendable, Equatable {
    case steps(Int)
    /// A share of all steps, 0 ..< 1, rounded up.
    case ratio(Double)
  }

  public var shape: Shape
  public var warmUp: WarmUp

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
