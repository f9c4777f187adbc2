import Files

/// An append-only array of integers that moves to a temporary file when it grows, so that its memory does not grow with
/// the corpus.
///
/// Any number of threads may read it after the last append.
final class SpillableArray: @unchecked Sendable {
  /// The maximum number of integers in memory.
  static let memoryLimit = 1 << 17

  private(set) var count = 0
  private let temporaryDirectory: String
  private let limit: Int
  /// The integers after those in the file; all of them without a file.
  private var kept: [UInt64] = []
  private var file: OpenFile?

  /// - Parameter limit: the maximum number of integers in memory.
  init(temporaryDirectory: String, limit: Int = SpillableArray.memoryLimit) {
    self.temporaryDirectory = temporaryDirectory
    self.limit = max(1, limit)
  }

  func append(_ value: UInt64) throws(FileError) {
    if kept.count == limit {
      if file == nil { file = try OpenFile.temporary(in: temporaryDirectory) }
      try writeKept()
    }
    kept.append(value)
    count += 1
  }

  private func writeKept() throws(FileError) {
    guard let file else { return }
    var failure: FileError?
    kept.withUnsafeBytes { bytes in
      do throws(FileError) { try file.write(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
    kept.removeAll(keepingCapacity: true)
  }

  /// The integer at an index below `count`.
  func value(at index: Int) throws(FileError) -> UInt64 {
    let first = count - kept.count
    if index >= first { return kept[index - first] }
    var value: UInt64 = 0
    try read(from: index, count: 1) { value = $0[0] }
    return value
  }

  /// Calls `body` with at least one and at most `most` integers, beginning at `index`.
  func values(from index: Int, most: Int, _ body: (UnsafeBufferPointer<UInt64>) -> Void) throws(FileError) {
    let first = count - kept.count
    if index >= first {
      kept.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[(index - first)...].prefix(most))) }
    } else {
      try read(from: index, count: min(most, first - index), body)
    }
  }

  /// Calls `body` with each integer in order.
  func visit(_ body: (UInt64) throws -> Void) throws {
    var index = 0
    while index < count {
      var failure: (any Error)?
      try values(from: index, most: 1 << 13) { values in
        do { for value in values { try body(value) } } catch { failure = error }
        index += values.count
      }
      if let failure { throw failure }
    }
  }

  private func read(
    from index: Int, count: Int, _ body: (UnsafeBufferPointer<UInt64>) -> Void
  ) throws(FileError) {
    guard let file else { return }
    var failure: FileError?
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count) { buffer in
      do throws(FileError) {
        try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: index * MemoryLayout<UInt64>.size)
        body(UnsafeBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}
