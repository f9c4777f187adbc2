import Foundation
import Testing

extension Tool {
  /// A model directory of 256 word pieces, 3 layers, 48 positions.
  static let micro = repository.appendingPathComponent("Tests/ModelTests/Golden/model/micro").path

  /// The prefix that runs `mlm` in a shell command as a user bound by permissions; nil if that is impossible.
  static let bound: String? = {
    if getuid() != 0 { return "" }
    let prefix = "setpriv --reuid=65534 --regid=65534 --clear-groups "
    return (try? Tool().shell(prefix + "mlm --version").status) == 0 ? prefix : nil
  }()

  /// Copies the micro model into the tool's directory, for changes.
  @discardableResult
  func copyMicro(_ name: String = "model") throws -> String {
    for file in ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"] {
      try write(Data(contentsOf: URL(fileURLWithPath: Self.micro).appendingPathComponent(file)), to: "\(name)/\(file)")
    }
    return name
  }

  /// Replaces a text, which must exist, in a file of the tool's directory.
  func replace(_ text: String, by other: String, in name: String) throws {
    let old = String(decoding: try read(name), as: UTF8.self)
    #expect(old.contains(text), "\(name) has no '\(text)'")
    try write(old.replacingOccurrences(of: text, with: other), to: name)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  /// Every file and folder below the tool's directory, including hidden ones, with its content.
  var contents: [String: Data] {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: directory.path)) ?? []
    return Dictionary(
      uniqueKeysWithValues: names.map { ($0, FileManager.default.contents(atPath: path($0)) ?? Data()) })
  }

  /// The names in a folder, including hidden ones.
  func names(in folder: String = "") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? []).sorted()
  }

  /// Runs `mlm`, which must fail with exactly this error, print no result and leave the directory unchanged.
  ///
  /// - Parameters:
  ///   - error: the line after `mlm: error: `.
  ///   - hint: a part of the hint; nil if it does not matter.
  func expectError(
    _ arguments: [String], _ error: String, hint: String? = nil, status: Int32 = 1, input: String = "",
    environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = contents
    let result = try run(arguments, input: Data(input.utf8), environment: environment)
    result.expectError(error, hint: hint, status: status, sourceLocation: sourceLocation)
    #expect(contents == before, "files were made or changed", sourceLocation: sourceLocation)
  }

  /// Runs `mlm`, which must succeed without an error or a warning.
  @discardableResult
  func succeed(
    _ arguments: [String], input: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Result {
    let result = try run(arguments, input: Data(input.utf8))
    #expect(result.status == 0, "\(result.messages)", sourceLocation: sourceLocation)
    #expect(result.errors.isEmpty, "\(result.messages)", sourceLocation: sourceLocation)
    return result
  }
}

extension Tool.Result {
  /// The lines of errors, each without `mlm: error: `.
  var errors: [String] {
    messageLines.filter { $0.hasPrefix("mlm: error: ") }.map { String($0.dropFirst("mlm: error: ".count)) }
  }

  func expectError(
    _ error: String, hint: String? = nil, status: Int32 = 1, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let lines = messageLines.filter { !$0.hasPrefix("mlm: note: ") }
    #expect(lines.first == "mlm: error: \(error)", sourceLocation: sourceLocation)
    #expect(
      lines.count == 1 || (lines.count == 2 && lines[1].hasPrefix("hint: ")), "\(messages)",
      sourceLocation: sourceLocation)
    if let hint { #expect(lines.last?.contains(hint) == true, "\(messages)", sourceLocation: sourceLocation) }
    #expect(output.isEmpty, "\(output)", sourceLocation: sourceLocation)
    #expect(self.status == status, "\(messages)", sourceLocation: sourceLocation)
  }

  /// The results of `evaluate --format json`.
  var figures: [String: Double] {
    ((try? JSONSerialization.jsonObject(with: stdout)) as? [String: Double]) ?? [:]
  }
}

/// The columns of a history.csv, with a row per report.
struct History {
  let columns: [String]
  let rows: [[String: String]]

  init(_ data: Data) {
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let columns = lines.first ?? []
    self.columns = columns
    rows = lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(columns, $0)) }
  }

  func numbers(_ column: String) -> [Double] { rows.map { Double($0[column] ?? "") ?? .nan } }
}

/// The tensors of a safetensors file, as bytes by name.
func tensors(of file: Data) throws -> [String: Data] {
  let length = file.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
  let header = try #require(JSONSerialization.jsonObject(with: file.dropFirst(8).prefix(length)) as? [String: Any])
  let body = Data(file.dropFirst(8 + length))
  var tensors: [String: Data] = [:]
  for (name, value) in header where name != "__metadata__" {
    let offsets = try #require((value as? [String: Any])?["data_offsets"] as? [Int])
    tensors[name] = body.subdata(in: offsets[0]..<offsets[1])
  }
  return tensors
}
