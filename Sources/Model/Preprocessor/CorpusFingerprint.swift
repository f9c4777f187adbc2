/// By what a corpus is known again when a training goes on: two of one fingerprint give the same samples.
public struct CorpusFingerprint: Sendable, Equatable {
  /// The number of samples.
  public var samples: Int
  /// Of the files; 0 where there are none.
  public var bytes: Int
  /// Of their content, or of the samples.
  public var hash: UInt64

  /// - Parameter threads: what reads the files. The fingerprint is the same for any number.
  public init(_ source: any SampleSource, threads: Int = 1) throws {
    samples = source.count
    switch source {
    case let subset as CorpusSubset:
      let whole = try CorpusFingerprint(subset.base, threads: threads)
      (bytes, hash) = (whole.bytes, whole.hash)
    case let corpus as TextCorpus: (bytes, hash) = Self.content(of: corpus.files, threads: threads)
    case let corpus as PreprocessedCorpus: (bytes, hash) = Self.content(of: corpus.files, threads: threads)
    default:
      bytes = 0
      hash = Self.hash(try (0..<source.count).map { Self.hash(try source.sample($0, epoch: 0)) })
    }
  }

  private static func content(of files: [TextFile], threads: Int) -> (bytes: Int, hash: UInt64) {
    let pool = WorkerPool(threads: min(threads, Compute.maximumThreads))
    let hashes = files.map { FileBlocks(count: $0.bytes.count).hash($0.mapping, on: pool) }
    return (files.reduce(0) { $0 + $1.bytes.count }, hash(hashes))
  }

  private static func hash(_ sample: Sample) -> UInt64 {
    let arrays = [sample.tokenIDs, sample.positionIDs, sample.maskPositions, sample.labels]
    let hashes = arrays.map { $0.withUnsafeBytes { XXHash.hash($0) } }
    return hash(hashes + [sample.weights.withUnsafeBytes { XXHash.hash($0) }, UInt64(sample.slots)])
  }

  private static func hash(_ values: [UInt64]) -> UInt64 { values.withUnsafeBytes { XXHash.hash($0) } }
}

/// The blocks of a file that are hashed: all of them, or of a large file some thousand, so that it does not take seconds.
struct FileBlocks {
  let count: Int
  private static let size = 1 << 20
  private static let wholeLimit = 1 << 30
  private static let sampledBlocks = 1024

  private var blockCount: Int { (count + Self.size - 1) / Self.size }

  /// The numbers of the blocks: the first, the last, and what lies evenly between them.
  var indices: [Int] {
    guard count > Self.wholeLimit else { return Array(0..<blockCount) }
    return (0..<Self.sampledBlocks).map { $0 * (blockCount - 1) / (Self.sampledBlocks - 1) }
  }

  func hash(_ file: FileMapping, on pool: WorkerPool) -> UInt64 {
    let indices = indices
    var hashes = [UInt64](repeating: 0, count: indices.count)
    hashes.withUnsafeMutableBufferPointer { hashes in
      nonisolated(unsafe) let hashes = hashes
      pool.forEach(indices.count) { _, index in
        let start = indices[index] * Self.size
        let range = start..<min(start + Self.size, count)
        hashes[index] = XXHash.hash(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
        file.release(range)
      }
    }
    return (hashes + [UInt64(count)]).withUnsafeBytes { XXHash.hash($0) }
  }
}
