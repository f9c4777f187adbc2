/// A table of words and their counts. Its size depends only on the number of different words.
///
/// All words are in one block of bytes, with an open-addressing hash table. Not thread-safe.
final class WordTable {
  struct Entry {
    /// The offset of the word's bytes (43 bits), whether a text contains exactly this spelling (1 bit), and the number
    /// of bytes (20 bits).
    private var location: UInt64
    let hash: UInt64
    private(set) var count: UInt64 = 0

    init(start: Int, length: Int, hash: UInt64) {
      location = UInt64(truncatingIfNeeded: start) << 21 | UInt64(truncatingIfNeeded: length)
      self.hash = hash
    }

    var isSpelledSo: Bool { location & 1 << 20 != 0 }

    fileprivate mutating func add(count: UInt64, isSpelledSo: Bool) {
      self.count += count
      location |= isSpelledSo ? 1 << 20 : 0
    }

    var bytes: Range<Int> {
      let start = Int(location >> 21)
      return start..<start + Int(location & 0xF_FFFF)
    }
  }

  private(set) var entries: [Entry] = []
  private var text: [UInt8] = []
  /// The index of an entry, plus 1; 0 is a free slot. At most half full.
  private var slots = [UInt32](repeating: 0, count: 1 << 12)

  /// - Parameters:
  ///   - hash: the word's hash, as in `PieceTable`.
  ///   - isSpelledSo: whether the text contains the word in this spelling, before normalization.
  func add(_ word: UnsafeBufferPointer<UInt8>, hash: UInt64, count: UInt64 = 1, isSpelledSo: Bool = false) {
    let mask = slots.count - 1
    var slot = Self.slot(hash, mask)
    while case let found = slots[slot], found != 0 {
      let index = Int(found) - 1
      if entries[index].hash == hash, isEqual(entries[index].bytes, word) {
        entries[index].add(count: count, isSpelledSo: isSpelledSo)
        return
      }
      slot = (slot + 1) & mask
    }
    entries.append(Entry(start: text.count, length: word.count, hash: hash))
    entries[entries.count - 1].add(count: count, isSpelledSo: isSpelledSo)
    text.append(contentsOf: word)
    slots[slot] = UInt32(truncatingIfNeeded: entries.count)
    if entries.count * 2 > slots.count { index(slots: slots.count * 2) }
  }

  /// Adds all words of another table.
  func add(_ other: WordTable) {
    other.text.withUnsafeBufferPointer { text in
      for entry in other.entries {
        add(
          UnsafeBufferPointer(rebasing: text[entry.bytes]), hash: entry.hash, count: entry.count,
          isSpelledSo: entry.isSpelledSo)
      }
    }
  }

  func visit(_ body: (_ word: UnsafeBufferPointer<UInt8>, _ hash: UInt64, _ count: UInt64) -> Void) {
    text.withUnsafeBufferPointer { text in
      for entry in entries { body(UnsafeBufferPointer(rebasing: text[entry.bytes]), entry.hash, entry.count) }
    }
  }

  /// Makes `visit` go through the words in byte order.
  func sort() {
    text.withUnsafeBufferPointer { text in
      entries.sort { text[$0.bytes].lexicographicallyPrecedes(text[$1.bytes]) }
    }
    index(slots: slots.count)
  }

  private func isEqual(_ range: Range<Int>, _ word: UnsafeBufferPointer<UInt8>) -> Bool {
    range.count == word.count && text[range].elementsEqual(word)
  }

  private func index(slots count: Int) {
    slots = [UInt32](repeating: 0, count: count)
    let mask = slots.count - 1
    for (index, entry) in entries.enumerated() {
      var slot = Self.slot(entry.hash, mask)
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = UInt32(truncatingIfNeeded: index + 1)
    }
  }

  /// The hash is a polynomial. After another multiplication, its upper bits depend on the whole word.
  @inline(__always)
  private static func slot(_ hash: UInt64, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: (hash ^ hash >> 29) &* 0xD6E8_FEB8_6659_FD93 >> 32) & mask
  }
}
