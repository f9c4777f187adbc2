import CommandLine
import Model
import Text

/// A row of a command's table of options: the declaration, the property that holds the value, and the representations
/// of the value in a run's records. Parsing, `training.json` and the check of `--resume` use the table.
struct OptionField<Options>: Sendable {
  let declaration: OptionDeclaration
  /// Reads the property from the parsed arguments.
  let read: @Sendable (ParsedArguments, inout Options) throws(UsageError) -> Void
  /// The value in training.json; nil to omit it.
  let record: @Sendable (Options) -> JSONValue?
  /// The value that a resumed run must share, as text; nil if it need not, or if another option's key includes it.
  let key: @Sendable (Options) -> String?
  /// The value that checkpoints older than this option were made with.
  let keyBefore: String?

  /// Creates the row of an option with its own property.
  ///
  /// - Parameters:
  ///   - absent: the text for no value in the key.
  ///   - key: makes the key; by default, the option's role decides whether the value is the key.
  init<Value: RecordedValue>(
    _ option: Option<Value>, _ property: WritableKeyPath<Options, Value> & Sendable, absent: String = "",
    before: String? = nil, key: (@Sendable (Value) -> String?)? = nil
  ) {
    @Sendable func read(_ arguments: ParsedArguments, _ options: inout Options) throws(UsageError) {
      options[keyPath: property] = try arguments.value(of: option)
    }
    let keyOfOptions = key.map { key in { @Sendable (options: Options) in key(options[keyPath: property]) } }
    self.init(
      option, read: read, value: { $0[keyPath: property] }, absent: absent, before: before, key: keyOfOptions)
  }

  /// Creates the row of an option that is read together with others.
  ///
  /// - Parameter value: the value to record; nil if other options of the run imply it.
  init<Value: RecordedValue>(
    _ option: Option<Value>, value: @escaping @Sendable (Options) -> Value?, absent: String = "",
    before: String? = nil, key: (@Sendable (Options) -> String?)? = nil
  ) {
    self.init(option, read: Self.readNothing, value: value, absent: absent, before: before, key: key)
  }

  /// Creates the row of an option that is read and recorded together with another.
  init<Value>(_ option: Option<Value>) {
    declaration = option.declaration
    read = Self.readNothing
    record = { _ in nil }
    key = { _ in nil }
    keyBefore = nil
  }

  private init<Value: RecordedValue>(
    _ option: Option<Value>, read: @escaping @Sendable (ParsedArguments, inout Options) throws(UsageError) -> Void,
    value: @escaping @Sendable (Options) -> Value?, absent: String, before: String?,
    key: (@Sendable (Options) -> String?)?
  ) {
    declaration = option.declaration
    self.read = read
    let isRecorded = option.declaration.role?.isRecorded == true
    record = { options in isRecorded ? value(options)?.json : nil }
    let isCompared = option.declaration.role == .arithmetic
    self.key = key ?? { options in isCompared ? value(options).map { $0.keyText ?? absent } : nil }
    keyBefore = before
  }

  private init(
    declaration: OptionDeclaration,
    read: @escaping @Sendable (ParsedArguments, inout Options) throws(UsageError) -> Void,
    record: @escaping @Sendable (Options) -> JSONValue?, key: @escaping @Sendable (Options) -> String?,
    keyBefore: String?
  ) {
    self.declaration = declaration
    self.read = read
    self.record = record
    self.key = key
    self.keyBefore = keyBefore
  }

  /// The same row in the table of options that contain these as a part.
  func part<Whole>(_ property: WritableKeyPath<Whole, Options> & Sendable) -> OptionField<Whole> {
    let field = self
    @Sendable func read(_ arguments: ParsedArguments, _ whole: inout Whole) throws(UsageError) {
      try field.read(arguments, &whole[keyPath: property])
    }
    @Sendable func record(_ whole: Whole) -> JSONValue? { field.record(whole[keyPath: property]) }
    @Sendable func key(_ whole: Whole) -> String? { field.key(whole[keyPath: property]) }
    return OptionField<Whole>(
      declaration: declaration, read: read, record: record, key: key, keyBefore: keyBefore)
  }

  @Sendable private static func readNothing(_ arguments: ParsedArguments, _ options: inout Options) {}
}

extension OptionRole {
  /// Whether training.json contains the option: true unless it names an output path or concerns only one call.
  var isRecorded: Bool { self != .place && self != .session }
}

/// A value of an option, with its representations in a run's records.
protocol RecordedValue: Sendable {
  /// The value in training.json.
  var json: JSONValue { get }
  /// The value in the key of a checkpoint; nil for no value.
  var keyText: String? { get }
}

extension Bool: RecordedValue {
  var json: JSONValue { .bool(self) }
  var keyText: String? { self ? "on" : "off" }

  /// The property of an option that turns it off.
  var negated: Bool {
    get { !self }
    set { self = !newValue }
  }
}

extension Int: RecordedValue {
  var json: JSONValue { .number(self) }
  var keyText: String? { String(self) }
}

extension UInt64: RecordedValue {
  var json: JSONValue { .number(Double(self), literal: String(self)) }
  var keyText: String? { String(self) }
}

extension Double: RecordedValue {
  var json: JSONValue { .number(self) }
  var keyText: String? { FloatText.shortest(self) }
  /// The key of a value that is used as a `Float`.
  @Sendable static func keyTextOfFloat(_ value: Double) -> String? { FloatText.shortest(Float(value)) }
}

extension String: RecordedValue {
  var json: JSONValue { .string(self) }
  var keyText: String? { self }
}

extension [String]: RecordedValue {
  var json: JSONValue { .array(map { .string($0) }) }
  var keyText: String? { isEmpty ? nil : joined(separator: ",") }
}

extension Optional: RecordedValue where Wrapped: RecordedValue {
  var json: JSONValue { map(\.json) ?? .null }
  var keyText: String? { flatMap(\.keyText) }
}

extension RecordedValue where Self: RawRepresentable, RawValue == String {
  var json: JSONValue { .string(rawValue) }
  var keyText: String? { rawValue }
}
