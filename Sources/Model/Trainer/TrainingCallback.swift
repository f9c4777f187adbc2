/// What `fit` calls while it trains (Keras: `Callback`). Called on the thread that called `fit`.
///
///     let patience = TrainingCallback.onEpochEnd { report in
///       report.validation.map { $0.loss < 2.5 } == true ? .stop : .goOn
///     }
///     try maskedLM.fit(features, callbacks: [patience])
///
/// It may evaluate, predict and save with the model; `fit` within `fit` throws `ModelUseError.inUse`. What it throws ends training,
/// and `fit` throws it on. Where one of several says to stop, the others are still called.
public struct TrainingCallback {
  /// What comes after it.
  public enum Decision: Sendable {
    /// Training goes on.
    case goOn
    /// Training ends in order: the parameters are those of the step that was done.
    case stop
  }

  private let body: (TrainingReport) throws -> Decision

  /// Called at every moment that is reported.
  public init(_ body: @escaping (TrainingReport) throws -> Decision) { self.body = body }

  /// Called after each optimizer step (Keras: `on_train_batch_end`).
  public static func onStep(_ body: @escaping (TrainingReport) throws -> Decision) -> TrainingCallback {
    TrainingCallback { $0.moment == .step ? try body($0) : .goOn }
  }

  /// Called after each epoch, its validation included (Keras: `on_epoch_end`).
  public static func onEpochEnd(_ body: @escaping (TrainingReport) throws -> Decision) -> TrainingCallback {
    TrainingCallback { $0.moment == .epochEnd ? try body($0) : .goOn }
  }

  fileprivate func callAsFunction(_ report: TrainingReport) throws -> Decision { try body(report) }
}

extension [TrainingCallback] {
  /// Calls all of them; false where one says to stop.
  func goOn(after report: TrainingReport) throws -> Bool {
    var goesOn = true
    for callback in self where try callback(report) == .stop { goesOn = false }
    return goesOn
  }
}
