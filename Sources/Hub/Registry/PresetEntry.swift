import Files
import Text

/// Reads one entry of a registry. An entry has a name, and a `repository`, a `directory`, or (in the built-in registry)
/// `embedded` with a `config`. All other keys are optional.
struct PresetEntry {
  let json: JSONValue
  /// The registry's file, for messages and as the base of relative directories.
  let file: String
  let name: String

  init(_ json: JSONValue, file: String) throws(PresetError) {
    guard let name = json["name"]?.string, !name.isEmpty else {
      throw .malformedRegistry(file: file, what: "a preset has no 'name'")
    }
    (self.json, self.file, self.name) = (json, file, name)
  }

  /// - Parameter isBuiltIn: whether the registry is part of the program.
  func preset(isBuiltIn: Bool, counting counter: PresetRegistry.ParameterCounter) throws -> Preset {
    let counts = try value("config").map { json throws(PresetError) in try self.counts(json, counter) }
    var embedded: EmbeddedPreset?
    if value("embedded") != nil {
      embedded = isBuiltIn && counts != nil ? EmbeddedPreset(name: name) : nil
      guard embedded != nil else { throw malformed("embedded") }
    }
    let address = try address()
    let directory = try directory()
    let locations = [embedded != nil, address != nil, directory != nil].filter { $0 }.count
    guard locations == 1 else {
      let what = locations == 0 ? "neither 'repository' nor 'directory'" : "both 'repository' and 'directory'"
      throw PresetError.malformedRegistry(file: file, what: "the preset '\(name)' has \(what)")
    }
    return Preset(
      name: name, description: try text("description") ?? "", languages: try texts("languages"),
      isLowercase: try isLowercase(), config: value("config"),
      backboneParameterCount: try count("backbone") ?? counts?.backbone,
      parameterCount: try count("all") ?? counts?.all, address: address,
      aliases: try texts("aliases"), files: try list("files").map(readFile), directory: directory,
      embedded: embedded, published: try list("published").map(published))
  }

  private func malformed(_ key: String) -> PresetError {
    let expected =
      switch key {
      case "repository": "is not OWNER/NAME"
      case "revision": "is not the name of a branch or tag, or a commit"
      case "description": "is not a string"
      case "directory": "is not a path"
      case "languages", "aliases": "is not a list of strings"
      case "embedded": "is reserved for presets that are part of the program"
      case "case": "is neither \"lower\" nor \"kept\""
      case "parameters": "is not of the form {\"backbone\": N, \"all\": N}"
      case "files":
        "is not a list of {\"name\": TEXT, \"size\": BYTES, \"sha256\": 64 DIGITS, \"optional\": true or false}"
      case "published": "is not a list of inputs with predictions or hidden_states, as in the built-in presets.json"
      default: "is invalid"
      }
    return .malformedRegistry(file: file, what: "'\(key)' of the preset '\(name)' \(expected)")
  }

  // MARK: Values of keys (nil if a key is missing or null)

  private func value(_ key: String) -> JSONValue? { json.given(key) }

  private func text(_ key: String) throws(PresetError) -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.string else { throw malformed(key) }
    return text
  }

  private func list(_ key: String) throws(PresetError) -> [JSONValue] {
    guard let value = value(key) else { return [] }
    guard let list = value.array else { throw malformed(key) }
    return list
  }

  private func texts(_ key: String) throws(PresetError) -> [String] {
    let list = try list(key)
    let texts = list.compactMap(\.string)
    guard texts.count == list.count else { throw malformed(key) }
    return texts
  }

  private func count(_ part: String) throws(PresetError) -> Int? {
    guard let parameters = value("parameters") else { return nil }
    guard parameters.object != nil else { throw malformed("parameters") }
    guard let value = parameters.given(part) else { return nil }
    guard let count = value.int, count > 0 else { throw malformed("parameters") }
    return count
  }

  private func isLowercase() throws(PresetError) -> Bool? {
    switch try text("case") {
    case nil: return nil
    case "lower": return true
    case "kept": return false
    default: throw malformed("case")
    }
  }

  private func counts(
    _ json: JSONValue, _ count: PresetRegistry.ParameterCounter
  ) throws(PresetError) -> PresetRegistry.ParameterCounts {
    do {
      return try count(json, "'config' of the preset '\(name)'")
    } catch {
      throw .malformedRegistry(file: file, what: (error as? any ModelError)?.message ?? "\(error)")
    }
  }

  private func address() throws(PresetError) -> HubAddress? {
    guard let repository = try text("repository") else { return nil }
    let revision = try text("revision") ?? "main"
    guard let main = try? HubAddress.parse("hf://\(repository)"), main.repository == repository else {
      throw malformed("repository")
    }
    guard let address = try? HubAddress.parse("hf://\(repository)@\(revision)") else { throw malformed("revision") }
    return address
  }

  /// The directory. A relative path starts at the registry's folder.
  private func directory() throws(PresetError) -> String? {
    guard let path = try text("directory") else { return nil }
    if path.isEmpty { throw malformed("directory") }
    return path.hasPrefix("/") ? path : Path.join(Path.parent(file), path)
  }

  private func readFile(_ json: JSONValue) throws(PresetError) -> Preset.File {
    // The file becomes part of the cache: its name must not lead elsewhere.
    guard let name = json["name"]?.string,
      name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(HubAddress.isName)
    else { throw malformed("files") }
    // An invalid value must not be treated as a missing one: otherwise a hash would not be checked.
    let (size, sum, optional) = (json.given("size"), json.given("sha256"), json.given("optional"))
    let digits = sum?.string?.lowercased()
    guard size == nil || size?.int ?? -1 >= 0, sum == nil || digits.flatMap({ Digest(tag: $0) }) == .sha256,
      optional == nil || optional?.bool != nil
    else { throw malformed("files") }
    return Preset.File(name: name, size: size?.int, sha256: digits, isOptional: optional?.bool ?? false)
  }

  private func published(_ json: JSONValue) throws(PresetError) -> PublishedValues {
    guard let values = PublishedValues(json) else { throw malformed("published") }
    return values
  }
}

extension JSONValue {
  /// The value of a key; nil if the key is missing or null.
  fileprivate func given(_ key: String) -> JSONValue? { self[key].flatMap { $0.isNull ? nil : $0 } }
}
