import Files
import Model

/// Why the history of a training could not be written.
enum HistoryError: ModelError, Equatable {
  enum Part: Equatable { case log, events }

  case cannotWrite(Part, path: String, code: Int32)

  var message: String {
    switch self {
    case .cannotWrite(let part, let path, let code):
      let what = part == .log ? "the log" : "TensorBoard's events to"
      return "cannot write \(what) \(path): \(systemMessage(code))"
    }
  }
}
