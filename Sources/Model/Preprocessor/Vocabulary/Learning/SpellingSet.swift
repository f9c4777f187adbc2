import Files

/// Counts different spellings by their 8-byte hashes, in a table that is at most half full.
struct SpellingSet {
  private(set) var count = 0
  /// 0 is a free slot.
  private var slots = [UInt64](repeating: 0, count: 1 << 12)

  mutating func insert(_ spelling: UnsafeBufferPointer<UInt8>) {
    insert(hash: max(1, XXHash.hash(UnsafeRawBufferPointer(spelling))))
  }

  /// Adds the spellings of another set.
  mutating func formUnion(_ other: SpellingSet) {
    for hash in other.slots where hash != 0 { insert(hash: hash) }
  }

  private mutating func insert(hash: UInt64) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      if slots[slot] == hash { return }
      slot = (slot + 1) & mask
    }
    slots[slot] = hash
    count += 1
    if count * 2 > slots.count { grow() }
  }

  private mutating func grow() {
    let old = slots
    slots = [UInt64](repeating: 0, count: old.count * 2)
    count = 0
    for hash in old where hash != 0 { insert(hash: hash) }
  }
}
