/// Byte-pair encoding of words over an alphabet (Sennrich et al. 2016): repeatedly makes a piece of the most frequent
/// pair of neighboring pieces.
///
/// Among pairs of equal frequency, the one with the smaller ids comes first, so that the result depends only on the
/// words and their counts.
struct PairMerger {
  /// The pieces, including `##`; those of the alphabet come first.
  private(set) var pieces: [[UInt8]]
  private var ids: [[UInt8]: Int32]

  /// The current spellings of all words, concatenated. A word keeps its offset while it gets shorter.
  private var symbols: [Int32] = []
  private var words: [Word] = []
  private var pairs: [Pair: Int32] = [:]
  /// The frequency of each pair, and the words that may contain it.
  private var occurrences: [Occurrences] = []
  private var queue = PairQueue()

  private struct Word {
    let start: Int
    var length: Int32
    let count: UInt64
  }

  struct Pair: Hashable, Comparable {
    let left, right: Int32

    static func < (a: Pair, b: Pair) -> Bool { (a.left, a.right) < (b.left, b.right) }
  }

  private struct Occurrences {
    let pair: Pair
    var count: UInt64 = 0
    var words: [UInt32] = []
  }

  /// - Parameter alphabet: the initial pieces.
  init(alphabet: [[UInt8]]) {
    pieces = alphabet
    ids = Dictionary(uniqueKeysWithValues: alphabet.enumerated().map { ($1, Int32($0)) })
  }

  /// Adds a word as the ids of its pieces, all from the alphabet.
  mutating func add(_ spelling: [Int32], count: UInt64) {
    guard spelling.count > 1 else { return }
    let word = UInt32(words.count)
    words.append(Word(start: symbols.count, length: Int32(spelling.count), count: count))
    symbols += spelling
    for (left, right) in zip(spelling, spelling.dropFirst()) { note(Pair(left: left, right: right), in: word, count) }
  }

  /// Merges until there are `size` pieces, or no pair is frequent enough.
  ///
  /// - Throws: `CancellationError` if the task is canceled between merges.
  mutating func merge(until size: Int, minimumFrequency: Int) throws {
    for index in occurrences.indices { enqueue(index) }
    let least = UInt64(max(minimumFrequency, 1))
    while pieces.count < size, let next = queue.pop() {
      try Task.checkCancellation()
      guard let index = pairs[next.pair].map({ Int($0) }) else { continue }
      let count = occurrences[index].count
      if count < least { continue }
      // The count has dropped since the pair was queued.
      if count < next.count {
        queue.push(count, next.pair)
        continue
      }
      merge(index)
    }
  }

  private mutating func merge(_ index: Int) {
    let pair = occurrences[index].pair
    let words = occurrences[index].words
    pairs[pair] = nil
    occurrences[index].words = []
    let merged = id(of: pieces[Int(pair.left)] + pieces[Int(pair.right)].dropFirst(Self.prefix.count))
    // In any order: the queue sorts by count and pair.
    var grown: Set<Int> = []
    for word in words { rewrite(word, pair, as: merged, &grown) }
    for index in grown { enqueue(index) }
  }

  /// Replaces the pair with the merged piece everywhere in a word, from left to right.
  private mutating func rewrite(_ word: UInt32, _ pair: Pair, as merged: Int32, _ grown: inout Set<Int>) {
    let (start, count) = (words[Int(word)].start, words[Int(word)].count)
    let end = start + Int(words[Int(word)].length)
    var (from, to) = (start, start)
    while from < end {
      guard symbols[from] == pair.left, from + 1 < end, symbols[from + 1] == pair.right else {
        symbols[to] = symbols[from]
        (from, to) = (from + 1, to + 1)
        continue
      }
      if to > start {
        forget(Pair(left: symbols[to - 1], right: pair.left), count)
        grown.insert(note(Pair(left: symbols[to - 1], right: merged), in: word, count))
      }
      if from + 2 < end {
        forget(Pair(left: pair.right, right: symbols[from + 2]), count)
        grown.insert(note(Pair(left: merged, right: symbols[from + 2]), in: word, count))
      }
      symbols[to] = merged
      (from, to) = (from + 2, to + 1)
    }
    words[Int(word)].length = Int32(to - start)
  }

  /// Returns the id of a piece, which may be new.
  private mutating func id(of piece: [UInt8]) -> Int32 {
    if let id = ids[piece] { return id }
    let id = Int32(pieces.count)
    ids[piece] = id
    pieces.append(piece)
    return id
  }

  /// Adds an occurrence of a pair; returns the index of its occurrences.
  @discardableResult
  private mutating func note(_ pair: Pair, in word: UInt32, _ count: UInt64) -> Int {
    let index: Int
    if let known = pairs[pair] {
      index = Int(known)
    } else {
      index = occurrences.count
      pairs[pair] = Int32(index)
      occurrences.append(Occurrences(pair: pair))
    }
    occurrences[index].count += count
    if occurrences[index].words.last != word { occurrences[index].words.append(word) }
    return index
  }

  private mutating func forget(_ pair: Pair, _ count: UInt64) {
    // The pair that is being merged is no longer in the table.
    guard let index = pairs[pair].map({ Int($0) }) else { return }
    occurrences[index].count -= min(count, occurrences[index].count)
  }

  private mutating func enqueue(_ index: Int) { queue.push(occurrences[index].count, occurrences[index].pair) }

  /// The prefix of a piece that continues a word.
  static let prefix = Array("##".utf8)
}

/// A queue of pairs, the most frequent first. Its counts may be out of date.
private struct PairQueue {
  struct Item {
    let count: UInt64
    let pair: PairMerger.Pair

    func isBefore(_ other: Item) -> Bool {
      count != other.count ? count > other.count : pair < other.pair
    }
  }

  /// A binary heap.
  private var items: [Item] = []

  mutating func push(_ count: UInt64, _ pair: PairMerger.Pair) {
    if count == 0 { return }
    items.append(Item(count: count, pair: pair))
    var index = items.count - 1
    while index > 0, case let parent = (index - 1) / 2, items[index].isBefore(items[parent]) {
      items.swapAt(index, parent)
      index = parent
    }
  }

  mutating func pop() -> Item? {
    guard let first = items.first, let last = items.popLast() else { return nil }
    if items.isEmpty { return first }
    items[0] = last
    var index = 0
    while true {
      var next = index
      for child in [2 * index + 1, 2 * index + 2] where child < items.count && items[child].isBefore(items[next]) {
        next = child
      }
      if next == index { return first }
      items.swapAt(index, next)
      index = next
    }
  }
}
