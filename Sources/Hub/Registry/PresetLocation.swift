import Files
import Text

/// Where the files of a model are: what the name of a preset leads to.
package struct PresetLocation: Sendable {
  /// How the model is called in messages: as it was asked for.
  package let displayName: String
  /// Where it was found.
  package let source: PresetSource
  /// Its files, where they are part of the program.
  package let embedded: EmbeddedPreset?
  /// What config.json would say, where the directory may be without one.
  package let config: JSONValue?
  /// Whether input is lower-cased, where the registry says so.
  package let isLowercase: Bool?

  package init(
    displayName: String, source: PresetSource, embedded: EmbeddedPreset?, config: JSONValue?, isLowercase: Bool?
  ) {
    (self.displayName, self.source, self.embedded) = (displayName, source, embedded)
    (self.config, self.isLowercase) = (config, isLowercase)
  }

  /// The directory its files are in; nil where they are part of the program.
  package var directory: String? {
    switch source {
    case .directory(let path), .hub(_, let path): path
    case .embedded: nil
    }
  }
}

/// Where a model comes from.
package enum PresetSource: Sendable, Equatable {
  /// A model directory.
  case directory(String)
  /// A preset that is part of the program, by name.
  case embedded(String)
  /// A snapshot in the hub's cache.
  case hub(HubAddress, directory: String)
}
