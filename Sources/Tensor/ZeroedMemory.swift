import Glibc

/// A large block of zero-initialized memory, freed with its owner.
///
/// It requests huge pages: products read parameters and activations at many addresses at once, and a processor caches
/// the translations of only a few small pages (measured in a virtual machine, where a miss costs most: the small-batch
/// GEMM is 12 % faster). Pages cost nothing before they are touched.
package final class ZeroedMemory: @unchecked Sendable {
  package let start: UnsafeMutableRawPointer
  package let bytes: Int
  private let isMapped: Bool

  private static let hugePage = 1 << 21

  package init(bytes: Int) {
    self.bytes = max(64, bytes)
    let isLarge = bytes >= 2 * Self.hugePage
    if isLarge, let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapped != MAP_FAILED
    {
      start = mapped
      isMapped = true
      // Only advice: nothing is lost if the system ignores it.
      _ = madvise(mapped, bytes, MADV_HUGEPAGE)
    } else {
      start = .allocate(byteCount: self.bytes, alignment: 64)
      start.initializeMemory(as: UInt8.self, repeating: 0, count: self.bytes)
      isMapped = false
    }
  }

  /// Memory for `count` floats.
  package convenience init(floats count: Int) { self.init(bytes: 4 * count) }

  deinit {
    if isMapped { munmap(start, bytes) } else { start.deallocate() }
  }

  package var floats: UnsafeMutablePointer<Float> { start.bindMemory(to: Float.self, capacity: bytes / 4) }
}
