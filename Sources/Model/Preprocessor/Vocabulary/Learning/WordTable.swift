/// Words and how often each was seen. Grows with the different words alone.
///
/// All words lie in one block of bytes; an open-addressing table finds them. Not for several threads at once.
final class WordTable {
  struct Entry {
    /// Where the word's bytes begin, 43 bits, whether a text has it in just this spelling, and the number of bytes, 20 bits.
    private var place: UInt64
    let hash: UInt64
    private(set) var count: UInt64 = 0

    init(start: Int, length: Int, hash: UInt64) {
      place = UInt64(truncatingIfNeeded: start) << 21 | UInt64(truncatingIfNeeded: length)
      self.hash = hash
    }

    var isSpelledSo: Bool { place & 1 << 20 != 0 }

    fileprivate mutating func add(count: UInt64, isSpelledSo: Bool) {
      self.count += count
      place |= isSpelledSo ? 1 << 20 : 0
    }

    var bytes: Range<Int> {
      let start = Int(place >> 21)
      return start..<start + Int(place & 0xF_FFFF)
    }
  }

  private(set) var entries: [Entry] = []
  private var text: [UInt8] = []
  /// Index of an entry, plus 1; 0 is a free slot. Half full at most.
  private var slots = [UInt32](repeating: 0, count: 1 << 12)

  /// - Parameters:
  ///   - hash: `PieceTable`'s of the word's bytes.
  ///   - isSpelledSo: whether the word is in the text as it is here, before normalization.
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

  /// From here on `visit` takes the words in the order of their bytes.
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

  /// The hash is a polynomial: its upper bits depend on all of the word once more is multiplied.
  @inline(__always)
  private static func slot(_ hash: UInt64, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: (hash ^ hash >> 29) &* 0xD6E8_FEB8_6659_FD93 >> 32) & mask
  }
}
