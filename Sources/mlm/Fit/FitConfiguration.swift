import CommandLine
import Files
import Model
import Text

/// The options in the file of `mlm fit --config FILE`, such as the training.json that fit writes.
///
///     {"files": ["novel.txt"], "options": {"preset": "my-model", "epochs": 3, "freeze": ["head"], "no-shuffle": true}}
///
/// An option in the file counts as if typed, but a typed option overrides it. A typed option also overrides options in
/// the file that it excludes (`--warmup-steps` overrides the file's `warmup-ratio`).
struct FitConfiguration {
  static let fileName = "training.json"

  let path: String
  private(set) var given: [ParsedArguments.Given] = []
  private(set) var files: [String] = []
  /// The fingerprints of the texts when fit wrote the file.
  private(set) var data: JSONValue?

  /// Reads the file of `--config`; nil if there is none.
  init?(of typed: ParsedArguments) throws {
    guard let path = try typed.value(of: FitOptions.config) else { return nil }
    try self.init(path: path)
  }

  init(path: String) throws {
    self.path = path
    let mapping = try FileMapping(path: path)
    defer { withExtendedLifetime(mapping) {} }
    try read(mapping.text)
  }

  // MARK: Combination with typed arguments

  /// The typed arguments, completed by those of the file.
  func completing(_ typed: ParsedArguments) -> ParsedArguments {
    var both = typed
    both.given = given.filter { !typed.overrides($0) } + typed.given
    if typed.operands.isEmpty { both.operands = files.map { Argument(bytes: $0.pathBytes) } }
    return both
  }

  /// A warning if the texts have changed since the file was written.
  func warning(of now: JSONValue, typed: ParsedArguments) -> String? {
    guard let data, typed.operands.isEmpty else { return nil }
    // With another length or vocabulary, the same text has other samples.
    guard typed.given.allSatisfy({ $0.option.role != .arithmetic && $0.option.role != .content }) else { return nil }
    for part in ["training", "validation"] {
      guard let then = data[part], let now = now[part], then != now else { continue }
      return "the \(part) data has changed since \(path) was written, so the result will differ"
    }
    return nil
  }

  // MARK: Reading

  private mutating func read(_ text: UnsafeBufferPointer<UInt8>) throws {
    let path = path
    func location(_ scanner: JSONScanner) -> DataLocation {
      DataLocation(file: path, line: 1 + text[..<scanner.offset].count { $0 == UInt8(ascii: "\n") })
    }
    /// Calls the body for each key, before its value is read.
    func members(
      _ scanner: inout JSONScanner, _ body: (String, DataLocation, inout JSONScanner) throws -> Void
    ) throws {
      var (key, seen) = ([UInt8](), Set<[UInt8]>())
      try scanner.beginObject()
      while try scanner.nextKey(into: &key) {
        let name = String(decoding: key, as: UTF8.self)
        let keyLocation = location(scanner)
        guard seen.insert(key).inserted else { throw FitConfigurationError.duplicateKey(name, keyLocation) }
        try body(name, keyLocation, &scanner)
      }
    }
    var scanner = JSONScanner(text, file: path, withPaths: true)
    guard try scanner.peek() == .object else { throw FitConfigurationError.notAnObject("the file", location(scanner)) }
    try members(&scanner) { name, location, scanner in
      switch name {
      case "options":
        guard try scanner.peek() == .object else { throw FitConfigurationError.notAnObject("'options'", location) }
        try members(&scanner) { name, location, scanner in
          try add(name, scanner.value(), at: location)
        }
      case "files":
        let value = try scanner.value()
        guard let names = value.array?.compactMap(\.string), names.count == value.array?.count else {
          throw FitConfigurationError.badValue("files", "is not a list of file names", location)
        }
        files = names
      case "data": data = try scanner.value()
      case "versions": _ = try scanner.value()
      default: throw FitConfigurationError.unknownKey(name, nearest: Self.nearest(name), location)
      }
    }
    try scanner.finish()
  }

  /// A hint about an unknown key at the top level of the file.
  private static func nearest(_ name: String) -> String? {
    if FitOptions.declaration.option(named: name) != nil { return "move it into the object 'options'" }
    return Nearest.name(to: name, in: ["files", "options", "data", "versions"]).map { "did you mean '\($0)'?" }
  }

  private mutating func add(
    _ name: String, _ value: JSONValue, at location: DataLocation
  ) throws(FitConfigurationError) {
    guard let option = FitOptions.declaration.option(named: name), !["config", "help"].contains(name) else {
      // The name of an option that exists only on the command line is no suggestion.
      let nearest = Parser.nearest(name, in: FitOptions.declaration).flatMap { spelling -> String? in
        spelling == "--" + name ? nil : "did you mean '\(spelling.dropFirst(2))'?"
      }
      throw .unknownKey(name, nearest: nearest, location)
    }
    if value.isNull { return }
    guard let kind = option.kind else {
      guard let isOn = value.bool else { throw .badValue(name, "is \(value.kindName), not true or false", location) }
      if isOn { given.append(.init(option: option, value: nil, typed: option.spelling)) }
      return
    }
    for text in try texts(name, value, kind, location) {
      guard kind.accepts(text) else { throw .badValue(name, "is '\(text)', not \(kind.expectation)", location) }
      given.append(.init(option: option, value: Argument(bytes: text.pathBytes), typed: option.spelling))
    }
  }

  /// The value as it would be typed; the elements of a list as several values.
  private func texts(
    _ name: String, _ value: JSONValue, _ kind: ValueKind, _ location: DataLocation
  ) throws(FitConfigurationError) -> [String] {
    switch value {
    case .string(let text): return [text]
    case .number(_, let literal): return [literal]
    case .array(let elements):
      if case .words = kind, elements.allSatisfy({ $0.string != nil }) { return elements.compactMap(\.string) }
    default: break
    }
    throw .badValue(name, "is \(value.kindName), not \(kind.expectation)", location)
  }
}

/// The errors of a file of options.
enum FitConfigurationError: ModelError, Equatable {
  case unknownKey(_ name: String, nearest: String?, DataLocation)
  case duplicateKey(_ name: String, DataLocation)
  case notAnObject(_ what: String, DataLocation)
  case badValue(_ name: String, _ what: String, DataLocation)

  var message: String {
    switch self {
    case .unknownKey(let name, _, _): "unknown key '\(name)'"
    case .duplicateKey(let name, _): "duplicate key '\(name)'"
    case .notAnObject(let what, _): "\(what) is not an object of keys and values"
    case .badValue(let name, let what, _): "'\(name)' \(what)"
    }
  }

  var hint: String? {
    switch self {
    case .unknownKey(_, let nearest, _): nearest ?? "keys are option names; 'mlm fit -h' lists them"
    case .notAnObject: "write {\"files\": [\"a.txt\"], \"options\": {\"epochs\": 3}}"
    case .duplicateKey, .badValue: nil
    }
  }

  var location: DataLocation? {
    switch self {
    case .unknownKey(_, _, let location), .duplicateKey(_, let location), .notAnObject(_, let location),
      .badValue(_, _, let location):
      location
    }
  }
}
