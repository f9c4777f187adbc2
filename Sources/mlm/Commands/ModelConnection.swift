import Model

/// Where `predict` meets the library.
enum ModelConnection {
  static func predictor(_ options: PredictOptions, context: CommandContext) throws -> any MaskPredictor {
    throw NotConnected(command: "predict")
  }
}

/// Stands where the library is not connected yet.
struct NotConnected: ModelError {
  let command: String
  var message: String { "'mlm \(command)' is not connected to the library yet" }
}
