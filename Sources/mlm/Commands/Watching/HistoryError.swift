import Model

/// Why the history of a training could not be written.
enum HistoryError: ModelError, Equatable {
  enum Part: Equatable { case log, events }

  case cannotWrite(Part, path: String, code: Int32)

  var message: String {
    switch self {
    case .cannotWrite(.log, let path, let code): "cannot write the log \(path): \(systemMessage(code))"
    case .cannotWrite(.events, let path, let code): "cannot write TensorBoard's events to \(path): \(systemMessage(code))"
    }
  }
}
