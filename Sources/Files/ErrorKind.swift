/// What an error is about, and so what a caller would do: ask for another directory, name the line of the data, try the
/// hub again.
///
///     do {
///       try maskedLM.fit(files: ["corpus.txt"])
///     } catch let error as any ModelError where error.kind == .data {
///       print(error.message, error.location)
///     }
public enum ErrorKind: Sendable {
  /// A file or a directory: missing, unreadable, or not what a model is made of.
  case directory
  /// Texts and samples: not text, or not what the model takes.
  case data
  /// A training that cannot go on, or a checkpoint of one.
  case training
  /// The names of presets, the hub, and the way there.
  case hub
  /// A call that this model, or these arguments, do not allow.
  case use
}
