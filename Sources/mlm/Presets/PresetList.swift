import Hub
import Model
import Text

/// The list of presets, as text and as JSON.
enum PresetList {
  /// - Parameter entries: each preset, and whether it is in the cache.
  static func text(_ entries: [(Preset, Bool)]) -> String {
    var table = Table([.left, .right, .left, .right, .left])
    table.rows.append(["NAME", "PARAMETERS", "LANGUAGES", "SIZE", "CACHED"])
    for (preset, isAvailable) in entries {
      let state =
        preset.embedded != nil
        ? "built in" : preset.directory != nil ? (isAvailable ? "directory" : "missing") : isAvailable ? "yes" : "no"
      table.rows.append([
        Printable.oneLine(preset.name),
        preset.parameterCount.map { Decimal.fixed(Double($0) / 1e6, 2) + "M" } ?? "-",
        preset.languages.isEmpty ? "-" : Printable.oneLine(preset.languages.joined(separator: " ")),
        preset.size.map { Count.bytes($0) } ?? "-", state,
      ])
    }
    return table.lines().joined(separator: "\n") + "\n"
  }

  /// One array. Sizes are in bytes; unknown values are null.
  static func json(_ entries: [(Preset, Bool)]) -> [UInt8] {
    let list = entries.map { preset, isAvailable -> JSONValue in
      .object([
        ("name", .string(preset.name)), ("description", .string(preset.description)),
        ("parameters", number(preset.parameterCount)),
        ("backbone_parameters", number(preset.backboneParameterCount)),
        ("languages", .array(preset.languages.map { .string($0) })), ("size", number(preset.size)),
        ("repository", preset.address.map { .string($0.repository) } ?? .null),
        ("revision", preset.address.map { .string($0.revision) } ?? .null),
        ("directory", preset.directory.map { .string($0) } ?? .null),
        ("cached", .bool(isAvailable)), ("embedded", .bool(preset.embedded != nil)),
      ])
    }
    return JSONValue.array(list).serialized(.indented(2), endingInNewline: true, withPaths: true)
  }

  private static func number(_ count: Int?) -> JSONValue { count.map { .number($0) } ?? .null }
}
