import Foundation
import Testing

/// Compares text that users see with files in `Tests/Snapshots`. With `MLM_RECORD_SNAPSHOTS=1` in the environment, it
/// writes the files instead; review the difference before you commit it.
enum Snapshot {
  static let folder = Tool.repository.appendingPathComponent("Tests/Snapshots")

  static func expect(_ text: String, is name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = folder.appendingPathComponent(name)
    if ProcessInfo.processInfo.environment["MLM_RECORD_SNAPSHOTS"] == "1" {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
      return
    }
    let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    #expect(text == expected, "differs from Tests/Snapshots/\(name)", sourceLocation: sourceLocation)
  }
}
