import CommandLine
import Hub
import Model

extension Completions {
  /// The tool's own: all commands, and the built-in presets. Those of MLM_PRESETS come and go, and a script stays.
  static func standard() throws -> Completions {
    let presets = try PresetRegistry.builtIn().presets.map { preset in
      // What it is; where it comes from has no room beside a word.
      Name(word: preset.name, meaning: String(preset.description.prefix { $0 != ";" && $0 != ":" }))
    }
    return Completions(.mlm, catalogues: [(.presets, presets)])
  }
}
