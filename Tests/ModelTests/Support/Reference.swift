import Foundation

/// The small golden files that are part of the tests.
enum Golden {
  static func url(_ path: String) -> URL {
    let root = Bundle.module.url(forResource: "Golden", withExtension: nil) ?? URL(fileURLWithPath: "Golden")
    return root.appendingPathComponent(path)
  }
}

/// The full reference data, where the machine has it: `$MLM_REFERENCE`, or `../shared/reference` from the repository.
enum Reference {
  static let root: URL? = {
    let environment = ProcessInfo.processInfo.environment["MLM_REFERENCE"]
    let repository = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let root = environment.map { URL(fileURLWithPath: $0) }
      ?? repository.deletingLastPathComponent().appendingPathComponent("shared/reference")
    return FileManager.default.fileExists(atPath: root.path) ? root : nil
  }()

  static func url(_ path: String) -> URL? {
    guard let url = root?.appendingPathComponent(path) else { return nil }
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
  }
}
