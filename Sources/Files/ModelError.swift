/// The protocol of all errors of this library.
///
/// Each part of the library (tokenizer, checkpoint, hub, …) has one conforming enum. The payload of a case holds the
/// facts; `message` and `hint` hold the wording. A message says what is wrong, a hint what to do about it; both are one
/// line, begin in lower case and do not end with a period.
public protocol ModelError: Error, Sendable, CustomStringConvertible {
  /// The kind of problem, by what a caller would do about it.
  var kind: ErrorKind { get }
  /// The problem: one line, in lower case, without a period.
  var message: String { get }
  /// The remedy, if one is known.
  var hint: String? { get }
  /// The location of the problem in the user's data, if it has one.
  var location: DataLocation? { get }
}

extension ModelError {
  public var kind: ErrorKind { .use }
  public var hint: String? { nil }
  public var location: DataLocation? { nil }
  public var description: String {
    var text = message
    if let location { text += " [\(location)]" }
    if let hint { text += "\nhint: \(hint)" }
    return text
  }
}

/// A file and a line in it.
public struct DataLocation: Sendable, Equatable, CustomStringConvertible {
  /// The file's path, or the name of the input.
  public var file: String
  /// The line, counted from 1; nil for the whole file.
  public var line: Int?

  /// Creates a location.
  public init(file: String, line: Int? = nil) {
    self.file = file
    self.line = line
  }

  public var description: String { line.map { "\(file):\($0)" } ?? file }
}

/// The kinds of errors, by what a caller would do about them.
///
///     do {
///       try maskedLM.fit(files: ["corpus.txt"])
///     } catch let error as any ModelError where error.kind == .data {
///       print(error.message, error.location?.description ?? "")
///     }
public enum ErrorKind: Sendable {
  /// A file or directory is missing, unreadable, or not part of a model: name another one.
  case directory
  /// A text or sample is invalid: correct the data.
  case data
  /// A training cannot continue, or its checkpoint is damaged: change the options, or use another checkpoint.
  case training
  /// A preset is unknown, or the hub cannot be reached: check the name and the network, or retry.
  case hub
  /// The call is invalid for this model or in its present state: correct the program.
  case use
}
