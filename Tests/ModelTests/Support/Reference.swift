import Foundation

/// The golden data that ships with the tests.
enum Golden {
  /// The place of a golden file, such as `tokenizer/cases.jsonl`.
  static func url(_ path: String) -> URL {
    let folder = Bundle.module.url(forResource: "Golden", withExtension: nil) ?? Reference.repository
    return folder.appendingPathComponent(path)
  }
}

/// Numbers of other programs, in the layout of the full reference data: all of it where `$MLM_REFERENCE` names its folder, else the part
/// that ships with the tests (`Golden/README.md`).
enum Reference {
  /// The top of the repository.
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// In the repository, not in the test bundle: its trained model is a link to the preset inside the program.
  private static let root: URL =
    ProcessInfo.processInfo.environment["MLM_REFERENCE"].map { URL(fileURLWithPath: $0, isDirectory: true) }
    ?? repository.appendingPathComponent("Tests/ModelTests/Golden/reference", isDirectory: true)

  /// The address of a reference file, or nil where there is no such file.
  static func url(_ path: String) -> URL? {
    let url = root.appendingPathComponent(path)
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }

  /// The trained model that `forward/tiny_N`, `fill_mask/tiny` and `train/tiny_run` are about.
  static var trainedModel: URL? { url("tiny_bert_mlm") ?? url("trained") }
}

/// The lines of a JSON Lines file: split at 0x0A and nowhere else.
func jsonLines<Row: Decodable>(_ url: URL, as type: Row.Type) throws -> [Row] {
  let decoder = JSONDecoder()
  return try Data(contentsOf: url).split(separator: 0x0A).map { try decoder.decode(type, from: Data($0)) }
}
