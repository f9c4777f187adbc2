import Model

/// `mlm presets`: the models that go by name.
struct PresetsCommand {
  let options: PresetsOptions
  let context: CommandContext

  init(_ options: PresetsOptions, _ context: CommandContext) {
    self.options = options
    self.context = context
  }

  func run() throws -> ExitCode {
    let registry = try PresetRegistry.builtIn()
    let entries = registry.presets.map { ($0, registry.isAvailable($0, environment: context.hub)) }
    switch options.format {
    case .text: try context.output.write(text(entries))
    case .json: try context.output.write(json(entries))
    }
    return .done
  }

  private func text(_ entries: [(Preset, Bool)]) -> String {
    var table = Table([.left, .right, .left, .right, .left])
    table.rows.append(["NAME", "PARAMETERS", "LANGUAGES", "SIZE", "CACHED"])
    for (preset, isAvailable) in entries {
      let isEmbedded = preset.embedded != nil
      table.rows.append([
        preset.name, Decimal.fixed(Double(preset.parameterCount) / 1e6, 2) + "M",
        preset.languages.joined(separator: " "), isEmbedded ? "-" : Readable.bytes(preset.downloadSize),
        isEmbedded ? "built in" : isAvailable ? "yes" : "no",
      ])
    }
    return table.lines().joined(separator: "\n") + "\n"
  }

  /// One array; sizes in bytes.
  private func json(_ entries: [(Preset, Bool)]) -> [UInt8] {
    let list = entries.map { preset, isAvailable -> JSONValue in
      .object([
        ("name", .string(preset.name)), ("description", .string(preset.description)),
        ("parameters", .number(preset.parameterCount)),
        ("backbone_parameters", .number(preset.backboneParameterCount)),
        ("languages", .array(preset.languages.map { .string($0) })), ("size", .number(preset.downloadSize)),
        ("cached", .bool(isAvailable)), ("embedded", .bool(preset.embedded != nil)),
      ])
    }
    return JSONValue.array(list).serialized(.indented(2), endingInNewline: true)
  }
}
