import Files
import Model
import Text

/// The inputs of predict and tokenize, in batches of all that are available, at least one.
final class Inputs {
  private let source: Source
  private var lines: InputLines?
  private var texts: [[UInt8]]

  private enum Source { case texts, lines }

  init(_ choice: InputChoice, context: CommandContext) throws(InputError) {
    switch choice {
    case .texts(let texts):
      source = .texts
      self.texts = texts
    case .lines(let file):
      source = .lines
      texts = []
      let lines = try InputLines(path: file)
      self.lines = lines
      if file == nil, Terminal(descriptor: 0, environment: context.environment).isTerminal {
        context.console.note("reading texts from the terminal, one per line; Ctrl-D ends the input")
      }
    }
  }

  func next() throws(InputError) -> [InputLine]? {
    if let lines { return try lines.next() }
    guard !texts.isEmpty else { return nil }
    defer { texts = [] }
    return texts.enumerated().map { InputLine(number: $0.offset + 1, bytes: $0.element) }
  }

  /// Whether the inputs were typed as TEXT.
  var areTyped: Bool { if case .texts = source { true } else { false } }

  /// The location of an input, for messages.
  func location(of input: InputLine) -> DataLocation {
    switch source {
    case .texts: DataLocation(file: "TEXT", line: input.number)
    case .lines: DataLocation(file: lines?.name ?? "standard input", line: input.number)
    }
  }
}

/// Counts invalid UTF-8 for one warning at the end. With `--strict`, invalid UTF-8 is an error.
struct UTF8Audit {
  let isStrict: Bool
  private var sequences = 0
  private var inputs = 0

  init(isStrict: Bool) { self.isStrict = isStrict }

  /// Checks one input. The error concerns only that input.
  mutating func check(_ input: InputLine, in inputs: Inputs) throws(InputProblem) {
    // Lines are checked together with their file.
    if inputs.areTyped { try requireText(input.bytes, at: inputs.location(of: input)) }
    let invalid = input.bytes.withUnsafeBufferPointer { UTF8Validation.count($0) }
    guard let first = invalid.first else { return }
    if isStrict { throw .invalidUTF8(byte: first, inputs.location(of: input)) }
    sequences += invalid.count
    self.inputs += 1
  }

  private func requireText(_ bytes: [UInt8], at location: DataLocation) throws(InputProblem) {
    do throws(PreprocessorError) {
      try bytes.withUnsafeBufferPointer { bytes throws(PreprocessorError) in
        try PlainText.check(bytes, name: location.file, isFile: false)
      }
    } catch {
      if case .notText(_, let kind, _) = error { throw .notText(looksLike: kind, location) }
    }
  }

  func report(to console: Console) {
    guard sequences > 0 else { return }
    console.warning("\(plural(sequences, "invalid UTF-8 sequence")) in \(plural(inputs, "input")) became U+FFFD")
  }
}

/// The errors of a single input.
enum InputProblem: ModelError, Equatable {
  /// `byte` counts from 0 within the line; the message counts from 1, as in fit and evaluate.
  case invalidUTF8(byte: Int, DataLocation)
  /// A typed text that is certainly not UTF-8.
  case notText(looksLike: String, DataLocation)
  case notAnID(String, DataLocation)
  case idOutOfRange(Int, count: Int, DataLocation)

  var message: String {
    switch self {
    case .invalidUTF8(let byte, _): "invalid UTF-8 at byte \(byte + 1) of the line"
    case .notText(let kind, _): "not UTF-8 text: it looks like \(kind)"
    case .notAnID(let text, _): "'\(text)' is not a token id"
    case .idOutOfRange(let id, let count, _): "token id \(id) is outside the vocabulary of \(count)"
    }
  }

  var hint: String? {
    switch self {
    case .notText: "convert it to UTF-8"
    case .invalidUTF8: "omit --strict to replace it by U+FFFD"
    case .notAnID: "--decode takes whole numbers separated by spaces"
    case .idOutOfRange: nil
    }
  }

  var location: DataLocation? {
    switch self {
    case .invalidUTF8(_, let location), .notText(_, let location), .notAnID(_, let location),
      .idOutOfRange(_, _, let location):
      location
    }
  }
}
