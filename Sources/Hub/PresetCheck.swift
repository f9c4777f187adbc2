import Files

/// The result of one check of a preset.
package struct PresetCheck: Sendable, Equatable {
  /// The outcome of a check.
  package enum Outcome: Sendable, Equatable {
    /// The found value matches the expected one.
    case ok
    /// The found value differs from the expected one.
    case differs
    /// No expected value is known.
    case unchecked
  }

  /// A file's name, "parameters", or a published input.
  package let subject: String
  /// The outcome.
  package let outcome: Outcome
  /// The found value, with the expected one if they differ.
  package let details: String

  /// Creates a check from its parts.
  package init(_ subject: String, _ outcome: Outcome, _ details: String) {
    (self.subject, self.outcome, self.details) = (subject, outcome, details)
  }
}

/// The result of verifying a preset.
package enum PresetVerdict: Sendable, Equatable {
  /// All known values match.
  case ok
  /// Some value differs.
  case differs
  /// No expected values are known.
  case unchecked
}

/// Compares the files of a model with the registry's sizes and hashes, and with the names of the cache's blobs, which
/// are hashes of their content.
package struct FileVerifier {
  package let directory: String
  package let files: [Preset.File]
  /// Called after each megabyte; true ends the verification with `HubError.interrupted`.
  package let shouldStop: @Sendable () -> Bool

  package init(directory: String, files: [Preset.File], shouldStop: @escaping @Sendable () -> Bool) {
    (self.directory, self.files, self.shouldStop) = (directory, files, shouldStop)
  }

  /// Checks the files of the registry, then all others in the directory.
  package func run(_ report: (PresetCheck) throws -> Void) throws {
    for file in files { if let check = try check(file.name, file) { try report(check) } }
    for name in try Path.list(directory) where !name.hasPrefix(".") && !files.contains(where: { $0.name == name }) {
      if Path.isDirectory(Path.join(directory, name)) { continue }
      if let check = try check(name, nil) { try report(check) }
    }
    // The only file of a model in a subfolder.
    let name = ModelFiles.kerasVocabulary
    if !files.contains(where: { $0.name == name }), let check = try check(name, nil) { try report(check) }
  }

  /// Checks one file; nil if the file is missing and optional.
  private func check(_ name: String, _ file: Preset.File?) throws -> PresetCheck? {
    let path = Path.join(directory, name)
    guard let size = Path.size(path) else {
      if Path.linkTarget(path) != nil { return PresetCheck(name, .differs, "a link to a missing blob") }
      // Clients download only one of several alternative files.
      let hasOther = HubPart.vocabulary.files.contains(name) && HubPart.vocabulary.missing(in: directory) == nil
      return hasOther || file?.isOptional ?? true ? nil : PresetCheck(name, .differs, "missing")
    }
    // Some of the registry's sizes are computed, not observed: if the cache has a hash, the hash decides.
    let blob = blob(path)
    let digest = blob.flatMap { Digest(tag: $0) }
    var found: [String] = []
    if let expected = file?.size, size != expected {
      guard file?.sha256 == nil, digest != nil else {
        return PresetCheck(name, .differs, "\(size) bytes, but the registry says \(expected)")
      }
      found.append("but the registry says \(expected)")
    }
    if let expected = file?.sha256 {
      let sum = try Digest.sha256.ofFile(path, shouldStop: shouldStop)
      guard sum == expected else { return differs(name, .sha256, sum, "but the registry says", expected) }
      let also = blob == sum ? " and in the cache" : ""
      found.append("\(Digest.sha256.name) \(sum.prefix(12))… as in the registry\(also)")
    }
    // The same hash need not be computed twice.
    if let blob, let digest, blob != file?.sha256 {
      let sum = try digest.ofFile(path, shouldStop: shouldStop)
      guard sum == blob else { return differs(name, digest, sum, "but its name in the cache is", blob) }
      found.append("\(digest.name) \(sum.prefix(12))… as in the cache")
    }
    guard !found.isEmpty else { return PresetCheck(name, .unchecked, "\(size) bytes, no hash to compare with") }
    return PresetCheck(name, .ok, "\(size) bytes, " + found.joined(separator: ", "))
  }

  private func differs(
    _ name: String, _ digest: Digest, _ found: String, _ who: String, _ expected: String
  ) -> PresetCheck {
    PresetCheck(name, .differs, "\(digest.name) is \(found), \(who) \(expected)")
  }

  /// The name of the blob to which a snapshot's file links; nil if it is not such a link.
  private func blob(_ path: String) -> String? {
    guard let target = Path.linkTarget(path), Path.name(Path.parent(target)) == "blobs" else { return nil }
    return Path.name(target)
  }
}
