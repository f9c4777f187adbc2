import Files
import Text

/// The location of a model's files, found by the name of a preset.
package struct PresetLocation: Sendable {
  /// The model's name in messages, as the user gave it.
  package let displayName: String
  /// The source of the model.
  package let source: PresetSource
  /// The files, if they are part of the program.
  package let embedded: EmbeddedPreset?
  /// The content of config.json, if the directory may lack one.
  package let config: JSONValue?
  /// Whether input is lower-cased, if the registry specifies it.
  package let isLowercase: Bool?

  package init(
    displayName: String, source: PresetSource, embedded: EmbeddedPreset?, config: JSONValue?, isLowercase: Bool?
  ) {
    (self.displayName, self.source, self.embedded) = (displayName, source, embedded)
    (self.config, self.isLowercase) = (config, isLowercase)
  }

  /// The directory of the files; nil if they are part of the program.
  package var directory: String? {
    switch source {
    case .directory(let path), .hub(_, let path): path
    case .embedded: nil
    }
  }
}

/// The source of a model.
package enum PresetSource: Sendable, Equatable {
  /// A model directory.
  case directory(String)
  /// A preset that is part of the program, by name.
  case embedded(String)
  /// A snapshot in the hub's cache.
  case hub(HubAddress, directory: String)
}
