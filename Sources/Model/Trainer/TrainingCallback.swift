/// A function that `fit` calls while it trains, on the thread that called `fit` (Keras: `Callback`).
///
///     let patience = TrainingCallback.onEpochEnd { report in
///       report.validation.map { $0.loss < 2.5 } == true ? .stop : .proceed
///     }
///     try maskedLM.fit(features, callbacks: [patience])
///
/// A callback may evaluate, predict and save with the model; `fit` within `fit` throws `ModelUseError.inUse`. An error
/// that it throws ends training, and `fit` rethrows it. If one callback returns `.stop`, the others are still called.
public struct TrainingCallback {
  /// The decision of a callback.
  public enum Decision: Sendable {
    /// Training continues.
    case proceed
    /// Training ends, with the parameters of the last step.
    case stop
  }

  private let body: (TrainingReport) throws -> Decision

  /// Creates a callback for every reported moment.
  public init(_ body: @escaping (TrainingReport) throws -> Decision) { self.body = body }

  /// Creates a callback for the end of each optimizer step (Keras: `on_train_batch_end`).
  public static func onStep(_ body: @escaping (TrainingReport) throws -> Decision) -> TrainingCallback {
    TrainingCallback { $0.moment == .step ? try body($0) : .proceed }
  }

  /// Creates a callback for the end of each epoch, after its validation (Keras: `on_epoch_end`).
  public static func onEpochEnd(_ body: @escaping (TrainingReport) throws -> Decision) -> TrainingCallback {
    TrainingCallback { $0.moment == .epochEnd ? try body($0) : .proceed }
  }

  fileprivate func callAsFunction(_ report: TrainingReport) throws -> Decision { try body(report) }
}

extension [TrainingCallback] {
  /// Calls all callbacks; returns false if one of them returns `.stop`.
  func shouldContinue(after report: TrainingReport) throws -> Bool {
    var continues = true
    for callback in self where try callback(report) == .stop { continues = false }
    return continues
  }
}
