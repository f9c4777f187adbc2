import Files
import Text

/// The presets that go by name: those of presets.json, and a user's own.
public struct PresetRegistry: Sendable {
  /// In the order of the files.
  public private(set) var presets: [Preset]
  /// The files they were read from, as they are called in messages.
  public private(set) var sources: [String]
  /// What a person should know, each one line: entries that take the place of others.
  public private(set) var notes: [String] = []

  /// The numbers of the encoder and of the whole model.
  package typealias ParameterCounts = (backbone: Int, all: Int)
  /// Reads the 'config' of an entry, which is a config.json, and counts the parameters of such a model. Throws where it is malformed. Its second argument
  /// is what the configuration is called in errors.
  package typealias ParameterCounter = (JSONValue, String) throws -> ParameterCounts

  /// The preset of that name, or nil.
  public subscript(_ name: String) -> Preset? { presets.first { $0.name.hasSameBytes(as: name) } }

  /// presets.json as it was when the program was built.
  package static func builtIn(counting count: ParameterCounter) throws -> PresetRegistry {
    let name = "presets.json"
    return try PresetRegistry(
      json: JSONValue.parse(PackageResources.presets_json, file: name), file: name, isBuiltIn: true, counting: count)
  }

  /// The built-in presets, and those of a file in the same format.
  ///
  /// - Parameter file: nil: none.
  /// - Throws: `PresetError`, or `JSONError` with the line.
  package static func load(adding file: String?, counting count: ParameterCounter) throws -> PresetRegistry {
    var registry = try builtIn(counting: count)
    guard let file else { return registry }
    let bytes: [UInt8]
    do {
      bytes = try FileMapping.contents(of: file)
    } catch {
      throw PresetError.unreadableRegistry(file: file, why: error.message)
    }
    registry.add(try PresetRegistry(json: JSONValue.parse(bytes, file: file), file: file, counting: count))
    return registry
  }

  /// An entry of a name that exists takes its place.
  private mutating func add(_ other: PresetRegistry) {
    sources += other.sources
    let places = Dictionary(presets.enumerated().map { (Array($1.name.utf8), $0) }) { first, _ in first }
    for preset in other.presets {
      if let index = places[Array(preset.name.utf8)] {
        presets[index] = preset
        notes.append("the preset '\(preset.name)' is that of \(other.sources.joined(separator: ", "))")
      } else {
        presets.append(preset)
      }
    }
  }

  /// - Parameter isBuiltIn: whether it is the program's own, which may name what is part of the program.
  package init(
    json: JSONValue, file: String, isBuiltIn: Bool = false, counting count: ParameterCounter
  ) throws {
    guard let entries = json["presets"]?.array else {
      throw PresetError.malformedRegistry(file: file, what: "there is no list 'presets'")
    }
    sources = [file]
    presets = []
    var names: Set<[UInt8]> = []
    for entry in entries {
      let preset = try PresetEntry(entry, file: file).preset(isBuiltIn: isBuiltIn, counting: count)
      guard names.insert(Array(preset.name.utf8)).inserted else {
        throw PresetError.malformedRegistry(file: file, what: "the preset '\(preset.name)' stands there twice")
      }
      presets.append(preset)
    }
  }
}
