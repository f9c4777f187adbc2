import Files
import Hub

/// A file of a model.
package struct ModelFile: Sendable, Equatable {
  /// Its name in the model's directory.
  package let name: String
  /// Its size in bytes.
  package let size: Int
  /// The SHA-256 of its content, in hexadecimal.
  package let sha256: String
}

extension ResolvedPreset {
  /// The directory of its files; nil if they are part of the program.
  package var directory: String? {
    switch source {
    case .directory(let path), .hub(_, let path): path
    case .embedded: nil
    }
  }

  /// Returns the files that it was, or would be, read from, and a run's files next to them. Reads each file completely
  /// for its hash.
  ///
  /// - Parameter shouldStop: called once per megabyte; true throws `HubError.interrupted`.
  /// - Throws: `FileError`, or `HubError.missingLibrary` if libcrypto is not installed.
  package func files(shouldStop: () -> Bool = { false }) throws -> [ModelFile] {
    guard let directory else {
      guard case .embedded(let preset) = tokenizer else { return [] }
      return try preset.files.map { name, content in
        ModelFile(name: name, size: content.bytes.count, sha256: try Digest.sha256.ofBytes(content.bytes))
      }
    }
    return try ModelDirectory.files(in: directory).map { name in
      let path = Path.join(directory, name)
      return ModelFile(
        name: name, size: Path.size(path) ?? 0, sha256: try Digest.sha256.ofFile(path, shouldStop: shouldStop))
    }
  }
}

extension ModelDirectory {
  /// The names of the files in a directory that belong to a model, or to a checkpoint.
  static func files(in directory: String) throws(FileError) -> [String] {
    let names = try Path.list(directory).filter {
      isModelFile($0) || isKerasFile($0) || $0.hasPrefix("training_state.")
    }
    return (names.sorted() + [ModelFiles.kerasVocabulary]).filter { Path.isFile(Path.join(directory, $0)) }
  }

  private static func isKerasFile(_ name: String) -> Bool {
    ["metadata.json", "task.json", "preprocessor.json", "model.weights.json"].contains(name)
      || name.hasSuffix(".weights.h5")
  }
}
