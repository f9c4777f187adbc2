import Model

/// Why the history could not be written.
enum HistoryError: ModelError, Equatable {
  case cannotWrite(path: String, code: Int32)

  var message: String {
    switch self {
    case .cannotWrite(let path, let code): "cannot write the log \(path): \(systemMessage(code))"
    }
  }
}
