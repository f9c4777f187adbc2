import Model

/// The one place where the commands meet the library's training, evaluation and prediction.
enum ModelConnection {
  /// Trains and writes the model directory of `options.output`.
  ///
  /// - Parameters:
  ///   - history: the text of `history.csv` as of now.
  ///   - report: to be called after every optimizer step and, after its validation, after every epoch.
  ///   - isInterrupted: asked after every step; once it is true, training ends in order and what was learned is written.
  /// - Returns: lines worth saying at the end, such as where the model was written.
  static func fit(
    _ options: FitOptions, context: CommandContext, history: () -> String, report: (FitReport) throws -> Void,
    isInterrupted: () -> Bool
  ) throws -> [String] {
    throw NotConnected(command: "fit")
  }

  /// - Parameter progress: to be called with the samples done and all samples.
  static func evaluate(
    _ options: EvaluateOptions, context: CommandContext, progress: (Int, Int) -> Void
  ) throws -> EvaluationReport {
    throw NotConnected(command: "evaluate")
  }

  static func predictor(_ options: PredictOptions, context: CommandContext) throws -> any MaskPredictor {
    throw NotConnected(command: "predict")
  }
}

/// Stands where the library is not connected yet.
struct NotConnected: ModelError {
  let command: String
  var message: String { "'mlm \(command)' is not connected to the library yet" }
}
