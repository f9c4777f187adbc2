/// Finds tokens in bytes with a trie of their spellings, so that the time does not depend on the number of tokens.
///
/// A token begins at the start of a scalar, so invalid UTF-8 does no harm. Among the tokens that begin at the same
/// offset, the longest wins, as in the tokenizers library (leftmost-longest). Manually allocated, because threads
/// contend for the reference counts of shared arrays.
struct TokenTrie: Sendable {
  /// A matched token.
  struct Token: Sendable {
    let id: Int32
    /// The modes in which it is looked for (`WordPieceTokenizer.SpecialTokensInText.bit`).
    let modes: UInt8
    let singleWord: Bool
    let leftStrip: Bool
    let rightStrip: Bool
  }

  private struct Flags {
    /// A longer token shares the prefix of this node, and its next byte is ASCII white space or punctuation.
    static let continuesBehindRun: UInt8 = 1
    /// A longer token shares the prefix of this node, and its next byte is ASCII white space.
    static let continuesWithBlank: UInt8 = 2
  }

  private struct Slot {
    /// A node and a byte, plus 1; 0 is a free slot.
    var key: UInt64 = 0
    var child: UInt32 = 0
  }

  /// The node for each first byte; 0 is none.
  private nonisolated(unsafe) let first: UnsafeMutablePointer<UInt32>
  private nonisolated(unsafe) let slots: UnsafeMutablePointer<Slot>
  private let mask: Int
  /// The token that ends at each node; -1 is none.
  private nonisolated(unsafe) let ends: UnsafeMutablePointer<Int32>
  private nonisolated(unsafe) let flags: UnsafeMutablePointer<UInt8>
  private nonisolated(unsafe) let tokens: UnsafeMutablePointer<Token>
  /// The union of the modes of all tokens.
  let modes: UInt8
  /// Whether a token begins with a byte other than ASCII punctuation.
  let hasWords: Bool

  /// - Parameters:
  ///   - entries: nonempty spellings. The first of equal spellings is used.
  ///   - endsRun: whether a byte is ASCII white space or punctuation (`TextNormalizer.ByteClass.endsWord`).
  init(_ entries: [(bytes: [UInt8], token: Token)], endsRun: (UInt8) -> Bool) {
    let size = entries.reduce(1) { $0 + $1.bytes.count }
    var capacity = 16
    while capacity < 2 * size { capacity *= 2 }
    mask = capacity - 1
    first = .allocate(capacity: 256)
    first.initialize(repeating: 0, count: 256)
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: Slot(), count: capacity)
    ends = .allocate(capacity: size)
    ends.initialize(repeating: -1, count: size)
    flags = .allocate(capacity: size)
    flags.initialize(repeating: 0, count: size)
    tokens = .allocate(capacity: max(entries.count, 1))
    modes = entries.reduce(0) { $0 | $1.token.modes }
    hasWords = entries.contains { !endsRun($0.bytes[0]) }
    var nodes: UInt32 = 1
    for (index, entry) in entries.enumerated() {
      (tokens + index).initialize(to: entry.token)
      var node: UInt32 = 0
      for (position, byte) in entry.bytes.enumerated() {
        var next = position == 0 ? first[Int(byte)] : child(of: node, byte)
        if next == 0 {
          next = nodes
          nodes += 1
          if position == 0 { first[Int(byte)] = next } else { insert(node, byte, next) }
        }
        if position > 0 {
          if endsRun(byte) { flags[Int(node)] |= Flags.continuesBehindRun }
          if Self.isBlank(byte) { flags[Int(node)] |= Flags.continuesWithBlank }
        }
        node = next
      }
      if ends[Int(node)] < 0 { ends[Int(node)] = Int32(truncatingIfNeeded: index) }
    }
  }

  func deallocate() {
    first.deallocate()
    slots.deallocate()
    ends.deallocate()
    flags.deallocate()
    tokens.deallocate()
  }

  /// Returns the longest token of a mode that begins at `start` and ends at or before `end`.
  @inline(__always)
  func longest(
    _ bytes: UnsafePointer<UInt8>, at start: Int, end: Int, mode: UInt8
  ) -> (token: Token, end: Int)? {
    var node = first[Int(bytes[start])]
    if node == 0 { return nil }
    var position = start + 1
    var best: (token: Token, end: Int)?
    while true {
      let index = ends[Int(node)]
      if index >= 0, tokens[Int(index)].modes & mode != 0 { best = (tokens[Int(index)], position) }
      if position == end { return best }
      node = child(of: node, bytes[position])
      if node == 0 { return best }
      position += 1
    }
  }

  /// Returns whether a token begins with a byte.
  func hasTokens(beginningWith byte: UInt8) -> Bool { first[Int(byte)] != 0 }

  /// The relation of tokens to a part of a text.
  enum Touch {
    /// No token begins in it.
    case none
    /// Tokens are inside it, and depend on nothing outside.
    case within
    /// A token may continue beyond its end, or depends on its context.
    case open
  }

  /// Looks for tokens in a run: text between ASCII white space and punctuation.
  func touch(_ bytes: UnsafePointer<UInt8>, count: Int) -> Touch {
    var touch = Touch.none
    for start in 0..<count {
      var node = first[Int(bytes[start])]
      var position = start + 1
      while node != 0 {
        let index = ends[Int(node)]
        if index >= 0 {
          if tokens[Int(index)].singleWord, start == 0 || position == count { return .open }
          touch = .within
        }
        if position == count {
          if flags[Int(node)] & Flags.continuesBehindRun != 0 { return .open }
          break
        }
        node = child(of: node, bytes[position])
        position += 1
      }
    }
    return touch
  }

  /// Returns whether the end of a text may be inside a token that continues with white space.
  func continuesWithBlank(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
    for start in 0..<count {
      var node = first[Int(bytes[start])]
      var position = start + 1
      while node != 0, position < count {
        node = child(of: node, bytes[position])
        position += 1
      }
      if node != 0, flags[Int(node)] & Flags.continuesWithBlank != 0 { return true }
    }
    return false
  }

  /// Returns whether a byte is ASCII white space; a normalizer turns other white space into blanks.
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 0x09 < 5 }

  @inline(__always)
  private func child(of node: UInt32, _ byte: UInt8) -> UInt32 {
    let key = (UInt64(node) << 8 | UInt64(byte)) + 1
    var slot = Self.hash(key) & mask
    while slots[slot].key != key {
      if slots[slot].key == 0 { return 0 }
      slot = (slot + 1) & mask
    }
    return slots[slot].child
  }

  private func insert(_ node: UInt32, _ byte: UInt8, _ child: UInt32) {
    let key = (UInt64(node) << 8 | UInt64(byte)) + 1
    var slot = Self.hash(key) & mask
    while slots[slot].key != 0 { slot = (slot + 1) & mask }
    slots[slot] = Slot(key: key, child: child)
  }

  @inline(__always)
  private static func hash(_ key: UInt64) -> Int {
    let mixed = key &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 32)
  }
}
