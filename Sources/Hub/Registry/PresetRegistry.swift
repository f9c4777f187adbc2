import Files
import Text

/// The presets by name: those of presets.json, and the user's own.
public struct PresetRegistry: Sendable {
  /// The presets, in the order of the files.
  public private(set) var presets: [Preset]
  /// The files that were read, with their names for messages.
  public private(set) var sources: [String]
  /// Notes for the user, one line each, about entries that override others.
  public private(set) var notes: [String] = []

  /// The number of parameters of the encoder and of the whole model.
  package typealias ParameterCounts = (backbone: Int, all: Int)
  /// Reads the 'config' of an entry, which is a config.json, and counts the parameters of such a model. Throws if it is
  /// malformed. The second argument is the name of the configuration in errors.
  package typealias ParameterCounter = (JSONValue, String) throws -> ParameterCounts

  /// The preset with a name, or nil.
  public subscript(_ name: String) -> Preset? { presets.first { $0.name.hasSameBytes(as: name) } }

  /// The presets.json with which the program was built.
  package static func builtIn(counting count: ParameterCounter) throws -> PresetRegistry {
    let name = "presets.json"
    return try PresetRegistry(
      json: JSONValue.parse(PackageResources.presets_json, file: name), file: name, isBuiltIn: true, counting: count)
  }

  /// The built-in presets, and those of a file in the same format.
  ///
  /// - Parameter file: the file, or nil for the built-in presets only.
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

  /// Adds the entries of another registry, which override entries with the same name.
  private mutating func add(_ other: PresetRegistry) {
    sources += other.sources
    let indices = Dictionary(presets.enumerated().map { (Array($1.name.utf8), $0) }) { first, _ in first }
    for preset in other.presets {
      if let index = indices[Array(preset.name.utf8)] {
        presets[index] = preset
        notes.append("the preset '\(preset.name)' is overridden by \(other.sources.joined(separator: ", "))")
      } else {
        presets.append(preset)
      }
    }
  }

  /// - Parameter isBuiltIn: whether the registry is part of the program, so that it may have embedded presets.
  package init(
    json: JSONValue, file: String, isBuiltIn: Bool = false, counting count: ParameterCounter
  ) throws {
    guard let entries = json["presets"]?.array else {
      throw PresetError.malformedRegistry(file: file, what: "missing list 'presets'")
    }
    sources = [file]
    presets = []
    var names: Set<[UInt8]> = []
    for entry in entries {
      let preset = try PresetEntry(entry, file: file).preset(isBuiltIn: isBuiltIn, counting: count)
      guard names.insert(Array(preset.name.utf8)).inserted else {
        throw PresetError.malformedRegistry(file: file, what: "duplicate preset '\(preset.name)'")
      }
      presets.append(preset)
    }
  }
}
