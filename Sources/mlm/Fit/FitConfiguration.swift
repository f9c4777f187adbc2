import CommandLine
import Files
import Model
import Text

/// A file of options for `mlm fit`, such as the training.json that it writes: `--config FILE`.
///
///     {"files": ["novel.txt"], "options": {"preset": "my-model", "epochs": 3, "freeze": ["embeddings"], "no-shuffle": true}}
///
/// An option in it is as good as one that was typed, but for those that are: they go before it. What a typed option rules out in the
/// file (`--warmup-steps` the file's `warmup-ratio`) does not count.
struct FitConfiguration {
  static let fileName = "training.json"

  let path: String
  private(set) var given: [ParsedArguments.Given] = []
  private(set) var files: [String] = []
  /// What the texts were known by when fit wrote the file.
  private(set) var data: JSONValue?

  /// nil where no `--config` was typed.
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

  // MARK: Together with what was typed

  /// What was typed, and what the file says besides.
  func completing(_ typed: ParsedArguments) -> ParsedArguments {
    var both = typed
    both.given = given.filter { !typed.overrides($0) } + typed.given
    if typed.operands.isEmpty { both.operands = files.map { Argument(bytes: $0.pathBytes) } }
    return both
  }

  /// A line for the user where the file's own texts are not what they were.
  func warning(of now: JSONValue, typed: ParsedArguments) -> String? {
    guard let data, typed.operands.isEmpty else { return nil }
    // With another length or another vocabulary the samples of the same text are others.
    guard typed.given.allSatisfy({ $0.option.role != .arithmetic && $0.option.role != .content }) else { return nil }
    for part in ["training", "validation"] {
      guard let then = data[part], let now = now[part], then != now else { continue }
      return "the \(part) data is not what it was when \(path) was written: the result will be another"
    }
    return nil
  }

  // MARK: Reading

  private mutating func read(_ text: UnsafeBufferPointer<UInt8>) throws {
    let path = path
    func location(_ scanner: JSONScanner) -> DataLocation {
      DataLocation(file: path, line: 1 + text[..<scanner.offset].count { $0 == UInt8(ascii: "\n") })
    }
    /// Calls the body for each key, in front of its value.
    func members(
      _ scanner: inout JSONScanner, _ body: (String, DataLocation, inout JSONScanner) throws -> Void
    ) throws {
      var (key, seen) = ([UInt8](), Set<[UInt8]>())
      try scanner.beginObject()
      while try scanner.nextKey(into: &key) {
        let name = String(decoding: key, as: UTF8.self)
        let place = location(scanner)
        guard seen.insert(key).inserted else { throw FitConfigurationError.duplicateKey(name, place) }
        try body(name, place, &scanner)
      }
    }
    var scanner = JSONScanner(text, file: path, withPaths: true)
    guard try scanner.peek() == .object else { throw FitConfigurationError.notAnObject("the file", location(scanner)) }
    try members(&scanner) { name, place, scanner in
      switch name {
      case "options":
        guard try scanner.peek() == .object else { throw FitConfigurationError.notAnObject("'options'", place) }
        try members(&scanner) { name, place, scanner in
          try add(name, scanner.value(), at: place)
        }
      case "files":
        let value = try scanner.value()
        guard let names = value.array?.compactMap(\.string), names.count == value.array?.count else {
          throw FitConfigurationError.badValue("files", "is not a list of names", place)
        }
        files = names
      case "data": data = try scanner.value()
      case "versions": _ = try scanner.value()
      default: throw FitConfigurationError.unknownKey(name, nearest: Self.nearest(name), place)
      }
    }
    try scanner.finish()
  }

  /// What was probably meant at the top of the file.
  private static func nearest(_ name: String) -> String? {
    if FitOptions.declaration.option(named: name) != nil { return "options stand in the object 'options'" }
    return Nearest.name(to: name, in: ["files", "options", "data", "versions"]).map { "did you mean '\($0)'?" }
  }

  private mutating func add(_ name: String, _ value: JSONValue, at place: DataLocation) throws(FitConfigurationError) {
    guard let option = FitOptions.declaration.option(named: name), !["config", "help"].contains(name) else {
      // What can be typed alone needs no advice to write it.
      let nearest = Parser.nearest(name, in: FitOptions.declaration).flatMap { spelling -> String? in
        spelling == "--" + name ? nil : "did you mean '\(spelling.dropFirst(2))'?"
      }
      throw .unknownKey(name, nearest: nearest, place)
    }
    if value.isNull { return }
    guard let kind = option.kind else {
      guard let isOn = value.bool else { throw .badValue(name, "is \(value.kindName), not true or false", place) }
      if isOn { given.append(.init(option: option, value: nil, typed: option.spelling)) }
      return
    }
    for text in try texts(name, value, kind, place) {
      guard kind.accepts(text) else { throw .badValue(name, "is '\(text)', not \(kind.expectation)", place) }
      given.append(.init(option: option, value: Argument(bytes: text.pathBytes), typed: option.spelling))
    }
  }

  /// The value as it would be typed; a list as several.
  private func texts(
    _ name: String, _ value: JSONValue, _ kind: ValueKind, _ place: DataLocation
  ) throws(FitConfigurationError) -> [String] {
    switch value {
    case .string(let text): return [text]
    case .number(_, let literal): return [literal]
    case .array(let elements):
      if case .words = kind, elements.allSatisfy({ $0.string != nil }) { return elements.compactMap(\.string) }
    default: break
    }
    throw .badValue(name, "is \(value.kindName), not \(kind.expectation)", place)
  }
}

/// What is wrong with a file of options.
enum FitConfigurationError: ModelError, Equatable {
  case unknownKey(_ name: String, nearest: String?, DataLocation)
  case duplicateKey(_ name: String, DataLocation)
  case notAnObject(_ what: String, DataLocation)
  case badValue(_ name: String, _ what: String, DataLocation)

  var message: String {
    switch self {
    case .unknownKey(let name, _, _): "unknown key '\(name)'"
    case .duplicateKey(let name, _): "the key '\(name)' stands there twice"
    case .notAnObject(let what, _): "\(what) is not an object of keys and values"
    case .badValue(let name, let what, _): "'\(name)' \(what)"
    }
  }

  var hint: String? {
    switch self {
    case .unknownKey(_, let nearest, _): nearest ?? "'mlm fit -h' lists the options, which are the keys"
    case .notAnObject: "write {\"files\": [\"a.txt\"], \"options\": {\"epochs\": 3}}"
    case .duplicateKey, .badValue: nil
    }
  }

  var location: DataLocation? {
    switch self {
    case .unknownKey(_, _, let place), .duplicateKey(_, let place), .notAnObject(_, let place),
      .badValue(_, _, let place):
      place
    }
  }
}
