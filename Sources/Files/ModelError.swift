/// What every error of this library can say about itself.
///
/// Each room (tokenizer, checkpoint, hub, …) has one enum of its own that conforms; the facts are in the payload of the
/// case, the wording is in `message` and `hint`. A message names what is wrong, a hint what to do about it; both are one
/// line, begin in lower case and have no full stop at the end.
public protocol ModelError: Error, Sendable, CustomStringConvertible {
  /// What it is about.
  var kind: ErrorKind { get }
  /// What is wrong: one line, in lower case, without a full stop.
  var message: String { get }
  /// What the user can do about it, where that can be said.
  var hint: String? { get }
  /// Where in the user's data, where there is such a place.
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

/// A file, and the line in it, counted from 1.
public struct DataLocation: Sendable, Equatable, CustomStringConvertible {
  /// The file's path, or what the input is called.
  public var file: String
  /// Counted from 1; nil where the file as a whole is meant.
  public var line: Int?

  /// A place.
  public init(file: String, line: Int? = nil) {
    self.file = file
    self.line = line
  }

  public var description: String { line.map { "\(file):\($0)" } ?? file }
}
