import Foundation

/// The golden data that ships with the tests.
enum Golden {
  /// The place of a golden file, such as `tokenizer/cases.jsonl`.
  static func url(_ path: String) -> URL {
    let folder = Bundle.module.url(forResource: "Golden", withExtension: nil) ?? Reference.repository
    return folder.appendingPathComponent(path)
  }
}

/// The larger reference data, which is not part of the repository: `$MLM_REFERENCE`, or `../shared/reference` beside it.
enum Reference {
  /// The top of the repository.
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The folder of the reference data, or nil where there is none.
  static let root: URL? = {
    let folder =
      ProcessInfo.processInfo.environment["MLM_REFERENCE"].map { URL(fileURLWithPath: $0, isDirectory: true) }
      ?? repository.deletingLastPathComponent().appendingPathComponent("shared/reference", isDirectory: true)
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  static var isPresent: Bool { root != nil }

  /// The place of a reference file, or nil where there is no such file.
  static func url(_ path: String) -> URL? {
    guard let url = root?.appendingPathComponent(path) else { return nil }
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }
}

/// The lines of a JSON Lines file: split at 0x0A and nowhere else.
func jsonLines<Row: Decodable>(_ url: URL, as type: Row.Type) throws -> [Row] {
  let decoder = JSONDecoder()
  return try Data(contentsOf: url).split(separator: 0x0A).map { try decoder.decode(type, from: Data($0)) }
}
