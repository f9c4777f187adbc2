import Files

extension DistilBertMaskedLM {
  /// Identifies the model by its sizes, rates, tokenizer and parameters. Models with the same fingerprint compute the
  /// same numbers, independent of their names and paths.
  public func fingerprint() throws -> UInt64 {
    // A model of another precision computes other numbers.
    let precision = precision == .float32 ? [] : [Array(self.precision.rawValue.utf8)]
    let files = [configuration.fileBytes] + tokenizerFiles.map(\.bytes) + precision
    let parameters = network.parameters.parameters
    var hashes = [UInt64](repeating: 0, count: parameters.count)
    try compute.exclusiveAccess.claim {
      hashes.withUnsafeMutableBufferPointer { hashes in
        nonisolated(unsafe) let hashes = hashes
        compute.pool.forEach(parameters.count) { _, index in
          hashes[index] = parameters[index].withValues {
            XXHash.hash(UnsafeRawBufferPointer(start: $0, count: 4 * parameters[index].count))
          }
        }
      }
    }
    return (files.map { $0.withUnsafeBytes { XXHash.hash($0) } } + hashes).withUnsafeBytes { XXHash.hash($0) }
  }
}
