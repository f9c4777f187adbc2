import Files

/// A repository of the hub, at a branch, tag or commit.
public struct HubAddress: Sendable, Equatable {
  /// `OWNER/NAME`, or `NAME` for old repositories.
  public let repository: String
  /// A branch, a tag or a commit.
  public let revision: String

  /// Creates an address from its parts, without checks.
  public init(repository: String, revision: String) {
    self.repository = repository
    self.revision = revision
  }

  /// Parses `hf://OWNER/NAME[@REVISION]`; nil if the text does not begin with `hf://`.
  package static func parse(_ text: String) throws(HubError) -> HubAddress? {
    guard text.hasPrefix("hf://") else { return nil }
    let parts = text.dropFirst(5).split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    let revision = parts.count > 1 ? parts[1] : "main"
    let steps = revision.split(separator: "/", omittingEmptySubsequences: false)
    guard names.count <= 2, names.allSatisfy(isName), steps.allSatisfy(isName) else {
      throw .malformedAddress(text: text)
    }
    return HubAddress(repository: String(parts[0]), revision: String(revision))
  }

  /// Whether a text is valid as a part of a repository's or revision's name. Such a name cannot lead out of a folder.
  package static func isName(_ text: Substring) -> Bool {
    !text.isEmpty && text != "." && text != ".."
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  package var isCommit: Bool { Self.isCommit(revision) }

  /// Whether a text is a commit: 40 hexadecimal digits in lower case.
  package static func isCommit(_ text: String) -> Bool {
    text.utf8.count == 40
      && text.utf8.allSatisfy { $0 &- UInt8(ascii: "0") < 10 || $0 &- UInt8(ascii: "a") < 6 }
  }
}

extension HubAddress {
  /// The address of a snapshot's directory: `…/models--OWNER--NAME/snapshots/COMMIT`.
  package init?(snapshot directory: String) {
    let parts = Path.trimmed(directory).split(separator: "/")
    guard parts.count >= 3, parts[parts.count - 2] == "snapshots" else { return nil }
    let folder = parts[parts.count - 3]
    let prefix = "models--"
    guard folder.hasPrefix(prefix) else { return nil }
    let names = Self.pieces(folder.dropFirst(prefix.utf8.count))
    self.init(repository: names.joined(separator: "/"), revision: String(parts[parts.count - 1]))
    guard names.count <= 2, names.allSatisfy(Self.isName), isCommit else { return nil }
  }

  /// The owner and the name in a cache folder's name, which separates them with two dashes.
  private static func pieces(_ text: Substring) -> [Substring] {
    let bytes = text.utf8
    var index = bytes.startIndex
    while index < bytes.endIndex {
      if text[index...].hasPrefix("--") { return [text[..<index], text[index...].dropFirst(2)] }
      index = bytes.index(after: index)
    }
    return [text]
  }
}
