import Files

/// Identifies a corpus, so that a resumed run can refuse different text: equal fingerprints mean equal samples.
package struct CorpusFingerprint: Sendable, Equatable {
  /// The number of samples.
  package var samples: Int
  /// The size of the files in bytes; 0 without files.
  package var bytes: Int
  /// The hash of the files' content, or of the samples.
  package var hash: UInt64

  /// Creates the fingerprint of a source. Files cost nothing more: all bytes were hashed when they were read to find
  /// the samples.
  package init(_ source: any SampleSource) throws {
    samples = source.count
    switch source {
    case let subset as CorpusSubset:
      let whole = try CorpusFingerprint(subset.base)
      (bytes, hash) = (whole.bytes, whole.hash)
    case let corpus as TextCorpus: (bytes, hash) = (Self.bytes(corpus.files), Self.hash(corpus.contentHashes))
    case let corpus as PreprocessedCorpus: (bytes, hash) = (Self.bytes(corpus.files), Self.hash(corpus.contentHashes))
    default:
      bytes = 0
      hash = Self.hash(try (0..<source.count).map { Self.hash(try source.sample($0, epoch: 0)) })
    }
  }

  private static func bytes(_ files: [TextFile]) -> Int { files.reduce(0) { $0 + $1.bytes.count } }

  private static func hash(_ sample: Sample) -> UInt64 {
    let arrays = [sample.tokenIDs, sample.positionIDs, sample.maskPositions, sample.labels]
    let hashes = arrays.map { $0.withUnsafeBytes { XXHash.hash($0) } }
    return hash(hashes + [sample.weights.withUnsafeBytes { XXHash.hash($0) }, UInt64(sample.slots)])
  }

  private static func hash(_ values: [UInt64]) -> UInt64 { values.withUnsafeBytes { XXHash.hash($0) } }
}
