/// The hash of a file, computed by block: several threads can share the work, and a reader can hash each block while it
/// is in the cache.
package enum BlockHash {
  package static let blockSize = 1 << 20

  /// The indices of the blocks that begin in a part of the file.
  package static func blocks(beginningIn part: Range<Int>) -> Range<Int> {
    (part.lowerBound + blockSize - 1) / blockSize..<(part.upperBound + blockSize - 1) / blockSize
  }

  package static func hash(block: Int, of file: UnsafeBufferPointer<UInt8>) -> UInt64 {
    let range = block * blockSize..<min((block + 1) * blockSize, file.count)
    return XXHash.hash(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: file[range])))
  }

  /// The hash of a file of the given size, from the hashes of its blocks.
  package static func whole(_ blocks: [UInt64], bytes: Int) -> UInt64 {
    (blocks + [UInt64(bytes)]).withUnsafeBytes { XXHash.hash($0) }
  }

  /// The hash of a mapped file, whose pages are released block by block.
  package static func whole(_ file: FileMapping) -> UInt64 {
    let text = file.text
    let hashes = blocks(beginningIn: 0..<text.count).map { block in
      defer { file.release(block * blockSize..<min((block + 1) * blockSize, text.count)) }
      return hash(block: block, of: text)
    }
    return whole(hashes, bytes: text.count)
  }
}
