import Files

extension DistilBertMaskedLM {
  /// Identifies the model by its sizes, rates, tokenizer and parameters. Models with the same fingerprint compute the
  /// same numbers, independent of their names and paths.
  public func fingerprint() throws -> UInt64 {
    let files = [configuration.fileBytes] + tokenizerFiles.map(\.bytes)
    let parameters = network.parameters.parameters
    var hashes = [UInt64](repeating: 0, count: parameters.count)
    try compute.exclusiveAccess.claim {
      hashes.withUnsafeMutableBufferPointer { hashes in
        nonisolated(unsafe) let hashes = hashes
        compute.pool.forEach(parameters.count) { _, index in
          hashes[index] = XXHash.hash(
            UnsafeRawBufferPointer(start: parameters[index].values, count: 4 * parameters[index].count))
        }
      }
    }
    return (files.map { $0.withUnsafeBytes { XXHash.hash($0) } } + hashes).withUnsafeBytes { XXHash.hash($0) }
  }
}
