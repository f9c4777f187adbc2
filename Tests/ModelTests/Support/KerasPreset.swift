import Foundation
import TestSupport

@testable import Model

/// Preset directories written by KerasHub, and its results for them (Scripts/generate-keras-presets).
enum KerasPreset {
  struct Golden: Decodable {
    struct Numbers: Decodable {
      /// [sample][position][width], including padding.
      let hidden: [[[Float]]]
      /// [sample][mask][vocabulary].
      let logits: [[[Float]]]?
    }
    struct Texts: Decodable {
      let settings: [String: Bool]
      let texts: [String]
      let ids: [[Int32]]
    }
    let tokens: [[Int32]]
    let masks: [[Int32]]
    let masked_lm: Numbers
    let bfloat16: Numbers
    let texts: [Texts]
  }

  static func path(_ name: String) -> String { ModelTests.Golden.url("keras/\(name)").path }

  /// Returns KerasHub's results for `untied`.
  static func untied() throws -> Golden.Numbers {
    try JSONDecoder().decode(
      Golden.Numbers.self, from: Data(contentsOf: ModelTests.Golden.url("keras/untied/golden.json")))
  }

  static func golden() throws -> Golden {
    try JSONDecoder().decode(Golden.self, from: Data(contentsOf: ModelTests.Golden.url("keras/golden.json")))
  }

  /// Returns a copy of a preset for modification.
  static func copy(_ name: String, without: [String] = []) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let source = URL(fileURLWithPath: path(name))
    for file in try FileManager.default.subpathsOfDirectory(atPath: source.path) where !without.contains(file) {
      let url = source.appendingPathComponent(file)
      guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
      try folder.write(file, Array(Data(contentsOf: url)))
    }
    return folder
  }
}

extension TemporaryFolder {
  /// Replaces a text in a file; in a binary file, the lengths must be equal.
  func replace(_ text: String, by other: String, in name: String) throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    var data = try Data(contentsOf: url)
    guard data.range(of: Data(text.utf8)) != nil else { throw CocoaError(.fileReadCorruptFile) }
    while let range = data.range(of: Data(text.utf8)) { data.replaceSubrange(range, with: Data(other.utf8)) }
    try data.write(to: url)
  }
}
