import Files

/// One thing that was verified of a preset.
package struct PresetCheck: Sendable, Equatable {
  /// How a check came out.
  package enum Outcome: Sendable, Equatable {
    /// As it should be.
    case ok
    /// Something is not as it should be.
    case differs
    /// There is nothing to compare with.
    case unchecked
  }

  /// A file's name, "parameters", or a published input.
  package let subject: String
  /// How it came out.
  package let outcome: Outcome
  /// What was found; where it differs, beside what was expected.
  package let details: String

  /// A check from its parts.
  package init(_ subject: String, _ outcome: Outcome, _ details: String) {
    (self.subject, self.outcome, self.details) = (subject, outcome, details)
  }
}

/// What came of verifying a preset.
package enum PresetVerdict: Sendable, Equatable {
  /// All that could be compared is as it should be.
  case ok
  /// Something is not as it should be.
  case differs
  /// Nothing is known of the model to compare with.
  case unchecked
}

/// Compares the files of a model with what is known of them: the registry's sizes and hashes, and the names of the cache's
/// blobs, which are hashes of their content.
package struct FileVerifier {
  package let directory: String
  package let files: [Preset.File]
  /// Asked between megabytes; true ends with `HubError.interrupted`.
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
    // The one file of a model that is in a folder of its own.
    let name = ModelFiles.kerasVocabulary
    if !files.contains(where: { $0.name == name }), let check = try check(name, nil) { try report(check) }
  }

  /// Nil for a file that is not there and need not be.
  private func check(_ name: String, _ file: Preset.File?) throws -> PresetCheck? {
    let path = Path.join(directory, name)
    guard let size = Path.size(path) else {
      if Path.linkTarget(path) != nil { return PresetCheck(name, .differs, "a link to a blob that is not there") }
      // Of files that stand for each other, clients fetch the one they read.
      let hasOther = HubPart.vocabulary.files.contains(name) && HubPart.vocabulary.missing(in: directory) == nil
      return hasOther || file?.isOptional ?? true ? nil : PresetCheck(name, .differs, "missing")
    }
    // Some of the registry's sizes are computed, not seen: where the cache has a hash, that decides.
    let blob = blob(path)
    let digest = blob.flatMap { Digest(tag: $0) }
    var found: [String] = []
    if let expected = file?.size, size != expected {
      guard file?.sha256 == nil, digest != nil else {
        return PresetCheck(name, .differs, "\(size) bytes, the registry says \(expected)")
      }
      found.append("where the registry says \(expected)")
    }
    if let expected = file?.sha256 {
      let sum = try Digest.sha256.ofFile(path, shouldStop: shouldStop)
      guard sum == expected else { return differs(name, .sha256, sum, "the registry says", expected) }
      let also = blob == sum ? " and in the cache" : ""
      found.append("\(Digest.sha256.name) \(sum.prefix(12))… as in the registry\(also)")
    }
    // The same hash need not be computed twice.
    if let blob, let digest, blob != file?.sha256 {
      let sum = try digest.ofFile(path, shouldStop: shouldStop)
      guard sum == blob else { return differs(name, digest, sum, "the cache's name for it is", blob) }
      found.append("\(digest.name) \(sum.prefix(12))… as the cache calls it")
    }
    guard !found.isEmpty else { return PresetCheck(name, .unchecked, "\(size) bytes, no hash to compare with") }
    return PresetCheck(name, .ok, "\(size) bytes, " + found.joined(separator: ", "))
  }

  private func differs(
    _ name: String, _ digest: Digest, _ found: String, _ who: String, _ expected: String
  ) -> PresetCheck {
    PresetCheck(name, .differs, "\(digest.name) is \(found), \(who) \(expected)")
  }

  /// The name of the blob that a snapshot's entry is a link to.
  private func blob(_ path: String) -> String? {
    guard let target = Path.linkTarget(path), Path.name(Path.parent(target)) == "blobs" else { return nil }
    return Path.name(target)
  }
}
