import Files
import Model
import Text

/// The inputs of predict and tokenize, in batches: all there are now, at least one.
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
        context.console.note("reading texts from the terminal, one a line; Ctrl-D ends")
      }
    }
  }

  func next() throws(InputError) -> [InputLine]? {
    if let lines { return try lines.next() }
    guard !texts.isEmpty else { return nil }
    defer { texts = [] }
    return texts.enumerated().map { InputLine(number: $0.offset + 1, bytes: $0.element) }
  }

  /// Whether the inputs were typed.
  var areTyped: Bool { if case .texts = source { true } else { false } }

  /// Where an input stands, for messages.
  func location(of input: InputLine) -> DataLocation {
    switch source {
    case .texts: DataLocation(file: "TEXT", line: input.number)
    case .lines: DataLocation(file: lines?.name ?? "standard input", line: input.number)
    }
  }
}

/// Counts what was not UTF-8, for one warning at the end; with `--strict` it is an error.
struct UTF8Audit {
  let isStrict: Bool
  private var sequences = 0
  private var inputs = 0

  init(isStrict: Bool) { self.isStrict = isStrict }

  /// Looks at one input; the error is for that input alone.
  mutating func check(_ input: InputLine, in inputs: Inputs) throws(InputProblem) {
    // Lines are judged with the file that they are in.
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
    let what = plural(sequences, "sequence")
    let were = sequences == 1 ? "was" : "were"
    console.warning("\(what) of bytes in \(plural(inputs, "input")) \(were) not UTF-8 and became U+FFFD")
  }
}

/// What can be wrong with one input.
enum InputProblem: ModelError, Equatable {
  /// `byte` counts from 0 within the line; the message counts from 1, as that of fit and evaluate does.
  case invalidUTF8(byte: Int, DataLocation)
  /// A text that was typed and is certainly not UTF-8.
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
    case .invalidUTF8: "without --strict it becomes U+FFFD"
    case .notAnID: "--decode takes whole numbers with spaces between them"
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
