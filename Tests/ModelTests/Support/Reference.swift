import Foundation

/// The golden data that ships with the tests.
enum Golden {
  /// Returns the address of a golden file, such as `tokenizer/cases.jsonl`.
  static func url(_ path: String) -> URL {
    let folder = Bundle.module.url(forResource: "Golden", withExtension: nil) ?? Reference.repository
    return folder.appendingPathComponent(path)
  }
}

/// Numbers of other programs, in the layout of the full reference data: all of it if `$MLM_REFERENCE` names its folder,
/// otherwise the part that ships with the tests (`Golden/README.md`).
enum Reference {
  /// The root of the repository.
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The part in the repository, not in the test bundle: its trained model is a link to the embedded preset.
  private static let root: URL =
    ProcessInfo.processInfo.environment["MLM_REFERENCE"].map { URL(fileURLWithPath: $0, isDirectory: true) }
    ?? repository.appendingPathComponent("Tests/ModelTests/Golden/reference", isDirectory: true)

  /// Returns the address of a reference file, or nil if it does not exist.
  static func url(_ path: String) -> URL? {
    let url = root.appendingPathComponent(path)
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }

  /// The trained model of `forward/tiny_N`, `fill_mask/tiny` and `train/tiny_run`.
  static var trainedModel: URL? { url("tiny_bert_mlm") ?? url("trained") }
}

/// Returns the lines of a JSON Lines file, split only at 0x0A.
func jsonLines<Row: Decodable>(_ url: URL, as type: Row.Type) throws -> [Row] {
  let decoder = JSONDecoder()
  return try Data(contentsOf: url).split(separator: 0x0A).map { try decoder.decode(type, from: Data($0)) }
}
