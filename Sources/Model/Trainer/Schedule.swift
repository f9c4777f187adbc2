import Glibc

/// A learning-rate schedule, as a share of the peak per step. The formulas are those of transformers
/// (`get_linear_schedule_with_warmup` and similar functions): with a warm-up, the first step has rate 0.
public struct Schedule: Sendable, Equatable {
  /// The shape of the schedule after the warm-up.
  public enum Shape: String, Sendable, CaseIterable {
    /// The rate stays at the peak.
    case constant
    /// The rate falls linearly to 0.
    case linear
    /// The rate falls along half a cosine to 0.
    case cosine
  }

  /// The length of the linear rise from 0 to the peak.
  public enum WarmUp: Sendable, Equatable {
    /// A number of optimizer steps.
    case steps(Int)
    /// A share of all steps, from 0 to 1; the number of steps is rounded up.
    case ratio(Double)
  }

  /// The shape after the warm-up.
  public var shape: Shape
  /// The length of the warm-up.
  public var warmUp: WarmUp

  /// Creates a schedule. By default, every step has the peak rate.
  public init(_ shape: Shape = .constant, warmUp: WarmUp = .steps(0)) {
    self.shape = shape
    self.warmUp = warmUp
  }

  /// - Parameters:
  ///   - step: the number of steps before this one.
  ///   - totalSteps: the number of all steps.
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
