import Foundation
import Testing

/// Tests the parts of `Scripts/install` that need no build: its errors, and the removal.
@Suite struct InstallTests {
  static let script = Tool.repository.appendingPathComponent("Scripts/install").path
  static let files = [
    "bin/mlm", "share/man/man1/mlm.1", "share/bash-completion/completions/mlm", "share/zsh/site-functions/_mlm",
    "share/fish/vendor_completions.d/mlm.fish", "share/mlm/installed",
  ]

  func install(_ tool: Tool, _ arguments: String, before: String = "") throws -> Tool.Result {
    try tool.shell("\(before) \"$INSTALL\" \(arguments)", environment: ["INSTALL": Self.script])
  }

  @Test(arguments: [
    ("--prefix", "--prefix needs a value", 2), ("--prefx /x", "unknown argument '--prefx'", 2),
    ("--prefix=", "the prefix is empty", 2),
    ("--prefix file/x", "file is not a directory", 1), ("--uninstall --prefix none", "none", 1),
    ("--prefix strange", "strange/bin/mlm is there, and not from this script", 1),
  ])
  func refuses(_ arguments: String, _ error: String, _ status: Int32) throws {
    let tool = try Tool()
    try tool.write("", to: "file")
    try tool.write("somebody else's", to: "strange/bin/mlm")
    let before = tool.contents
    let result = try install(tool, arguments)
    #expect(result.status == status && result.output.isEmpty)
    #expect(result.messageLines.count == 2 && result.messages.hasPrefix("install: error: "), "\(result.messages)")
    #expect(
      result.messageLines.first?.hasSuffix(error) == true && result.messageLines.last?.hasPrefix("  hint: ") == true)
    #expect(tool.contents == before)
  }

  /// Removes the files, and the directories created for them if they are empty.
  @Test func uninstall() throws {
    let tool = try Tool()
    for file in Self.files { try tool.write("", to: "root/usr/\(file)") }
    try tool.write(
      "share/man/man1\nshare/zsh/site-functions\nshare/mlm\nshare/zsh\n", to: "root/usr/share/mlm/installed")
    try tool.write("kept", to: "root/usr/share/zsh/site-functions/_other")
    let result = try install(tool, "--uninstall --prefix /usr", before: "DESTDIR=root")
    #expect(result.status == 0 && result.messages.isEmpty, "\(result.messages)")
    let left = tool.contents.keys.filter { $0.hasPrefix("root/usr/") }.map { $0.dropFirst("root/usr/".count) }
    #expect(
      Set(left) == [
        "bin", "share", "share/man", "share/bash-completion", "share/bash-completion/completions", "share/zsh",
        "share/zsh/site-functions", "share/zsh/site-functions/_other", "share/fish", "share/fish/vendor_completions.d",
      ])
  }
}
