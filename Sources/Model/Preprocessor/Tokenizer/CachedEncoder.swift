import Glibc

/// The fast path from text to ids: the text between ASCII blanks and punctuation is looked up unchanged, and split into
/// words and pieces only if it is not in the cache.
///
/// Such a run of bytes has the same ids in any context, because blanks and punctuation end words on both sides. The ids
/// are those of `TokenPipeline`, which splits runs that are not in the cache. If an added token may begin in a run and
/// end after it, or depends on its context, the pipeline splits the text up to the next blank that no token covers,
/// each time. Therefore, the cache contains nothing that depends on such tokens, and text without them pays nothing for
/// them.
///
/// The remaining time goes to unpredictable branches (word ends, cache hits) and cache reads that follow them. Tried
/// and rejected: all keys of a window first, to overlap their reads (5 % faster on prose, 8 % slower on non-ASCII
/// text); splitting an unknown word from its key instead of from the text (no difference).
struct CachedEncoder: Sendable {
  /// The classes of bytes, and the tokens to look for.
  typealias Mode = WordPieceTokenizer.Mode

  private nonisolated(unsafe) let pipeline: UnsafePointer<TokenPipeline>
  private let hasSingleWords: Bool
  private nonisolated(unsafe) let baseClasses: UnsafePointer<UInt8>
  /// The id of each ASCII punctuation character.
  private nonisolated(unsafe) let punctuationIDs: UnsafeMutablePointer<Int32>
  private let limit: Int
  private let pool: WordCachePool
  /// The bit that lower-cases a capital letter, in each byte.
  private let caseBits: UInt64

  /// - Parameter pointer: read during the life of the encoder; not a copy, which would be made for each text.
  init(_ pointer: UnsafePointer<TokenPipeline>) {
    pipeline = pointer
    let pipeline = pointer.pointee
    hasSingleWords = pipeline.hasSingleWords
    limit = pipeline.limit
    baseClasses = pipeline.classes
    // Tokens matched by their spelling in the original text are not found in lower case.
    let hasWords = pipeline.rawTokens?.hasWords ?? false
    caseBits = pipeline.normalizer.lowercases && !hasWords ? 0x2020_2020_2020_2020 : 0
    pool = WordCachePool(blockBytes: Workspace.byteCount(limit: limit))
    punctuationIDs = .allocate(capacity: 128)
    for byte in UInt8(0)..<128 {
      let id = withUnsafePointer(to: byte) { pipeline.table.id(ofPiece: $0, count: 1) }
      punctuationIDs[Int(byte)] = id < 0 ? pipeline.unknown : id
    }
  }

  func deallocate() {
    punctuationIDs.deallocate()
    pool.deallocate()
  }

  /// Appends the ids of a text. Returns false without doing anything if no memory is available.
  func encode(_ text: UnsafeBufferPointer<UInt8>, _ mode: UnsafePointer<Mode>, into ids: inout [Int32]) -> Bool {
    count(text, mode, atMost: .max, into: &ids) != nil
  }

  /// Counts the ids of the beginning of a text while they are at most `limit`, with a granularity of about 64 bytes or
  /// one run. The rest of the text has the same ids as on its own. Appends the ids, and perhaps some more. Returns nil
  /// if no memory is available.
  func count(
    _ text: UnsafeBufferPointer<UInt8>, _ mode: UnsafePointer<Mode>, atMost limit: Int, into ids: inout [Int32]
  ) -> (bytes: Int, ids: Int)? {
    guard let bytes = text.baseAddress, let block = pool.borrow() else { return nil }
    let workspace = Workspace(memory: block, limit: self.limit)
    let found = withUnsafeMutablePointer(to: &ids) {
      scan(bytes, count: text.count, mode, workspace, atMost: limit, into: $0)
    }
    pool.giveBack(block)
    return found
  }

  private func scan(
    _ bytes: UnsafePointer<UInt8>, count: Int, _ mode: UnsafePointer<Mode>, _ workspace: Workspace,
    atMost idLimit: Int, into ids: UnsafeMutablePointer<[Int32]>
  ) -> (bytes: Int, ids: Int) {
    let classes = mode.pointee.classes
    let hasTokens = mode.pointee.hasPunctuation
    let hasSingleWords = hasSingleWords
    let outputLimit = workspace.output + Workspace.outputCapacity - Workspace.outputReserve
    let cache = workspace.cache
    let caseBits = caseBits
    let punctuationIDs = punctuationIDs
    var next = workspace.output
    var index = 0
    let idsBefore = ids.pointee.count
    var found = (bytes: 0, ids: 0)
    while index < count {
      let idsNow = ids.pointee.count - idsBefore + (next - workspace.output)
      if idsNow > idLimit { break }
      if !hasSingleWords || index == 0 || bytes[index - 1] != UInt8(ascii: "_") { found = (index, idsNow) }
      if next > outputLimit { next = Self.flush(workspace.output, to: next, into: ids) }
      let left = count - index
      var base = bytes + index
      if left < Workspace.windowBytes {
        base = workspace.padded(base, count: left)
      }
      let window = ByteClasses(base, classes: baseClasses)
      // Runs of word bytes, and the punctuation between them.
      let runs = window.letters | window.others
      let punctuation = ~(runs | window.blanks)
      var events = runs & ~(runs << 1) | punctuation
      let foldable = hasTokens ? 0 : punctuation
      var consumed = ByteClasses.size
      while events != 0 {
        let start = events.trailingZeroBitCount
        events &= events &- 1
        let length = (~(runs &>> UInt64(start))).trailingZeroBitCount
        if length == 0 {
          if hasTokens, classes[Int(base[start])] == TextNormalizer.ByteClass.token,
            pipeline.pointee.mayBeginToken(bytes, at: index + start, count: count, mode: mode.pointee.bit)
          {
            (next, consumed) = region(bytes, from: index + start, count: count, mode, workspace, to: next, into: ids)
            consumed -= index
            break
          }
          next.pointee = punctuationIDs[Int(base[start])]
          next += 1
          continue
        }
        let end = start + length
        if end == ByteClasses.size, left > ByteClasses.size {
          // The run continues beyond the window; the next window begins with it.
          consumed = start
          if start > 0 { break }
          consumed = runEnd(bytes, from: index + end, count: count, classes) - index
          let done = run(bytes, from: index, to: index + consumed, count: count, mode, workspace, to: next, into: ids)
          (next, consumed) = (done.next, done.end - index)
          break
        }
        if length <= WordCache.ShortKey.capacity, (window.others &>> UInt64(start)) & ~(~0 << UInt64(length)) == 0 {
          let key = WordCache.ShortKey(base + start, length: length, caseBits: caseBits)
          let (entry, isHit) = cache.find(key)
          if isHit {
            UnsafeMutableRawPointer(next).storeBytes(of: entry.pointee.ids, as: SIMD4<Int32>.self)
            next += WordCache.idCount(entry)
          } else {
            let done = cut(
              bytes, from: index + start, to: index + end, count: count, mode, workspace, to: next, key, into: ids)
            next = done.next
            if done.end > index + end {
              consumed = done.end - index
              break
            }
          }
        } else {
          let done = run(
            bytes, from: index + start, to: index + end, count: count, mode, workspace, to: next, into: ids)
          next = done.next
          if done.end > index + end {
            consumed = done.end - index
            break
          }
          if next > outputLimit { next = Self.flush(workspace.output, to: next, into: ids) }
        }
        // Punctuation after a word is rare but unpredictable: always written, but counted only if present.
        next.pointee = punctuationIDs[Int(base[end] & 0x7F)]
        let follower = (foldable &>> UInt64(end & 63)) & (end < 64 ? 1 : 0)
        next += Int(follower)
        events &= ~(follower &<< UInt64(end & 63))
      }
      index += consumed
    }
    _ = Self.flush(workspace.output, to: next, into: ids)
    let all = ids.pointee.count - idsBefore
    return all > idLimit ? found : (count, all)
  }

  /// Returns the offset of the first byte at or after `start` that ends a run.
  private func runEnd(
    _ bytes: UnsafePointer<UInt8>, from start: Int, count: Int, _ classes: UnsafePointer<UInt8>
  ) -> Int {
    var end = start
    while end < count, !TextNormalizer.ByteClass.endsWord(classes[Int(bytes[end])]) { end += 1 }
    return end
  }

  /// The address of the next id, and the offset where the text resumes: the end of the run, or of a longer part that
  /// was split with it. (Returned rather than written through a pointer, so that the loop keeps them in registers.)
  private typealias Progress = (next: UnsafeMutablePointer<Int32>, end: Int)

  /// Encodes a run of any bytes.
  @inline(never)
  private func run(
    _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int, count: Int, _ mode: UnsafePointer<Mode>,
    _ workspace: Workspace, to next: UnsafeMutablePointer<Int32>, into ids: UnsafeMutablePointer<[Int32]>
  ) -> Progress {
    let size = end - start
    guard size <= WordCache.LongKey.capacity else {
      return split(bytes, from: start, to: end, count: count, mode, workspace, to: next, into: ids).progress
    }
    var key = WordCache.LongKey(words: .zero)
    withUnsafeMutablePointer(to: &key.words) { _ = memcpy($0, bytes + start, size) }
    key.words[3] |= UInt64(size) << 56
    let cache = workspace.cache
    if let entry = cache.find(key) {
      UnsafeMutableRawPointer(next).storeBytes(of: entry.pointee.ids, as: SIMD8<Int32>.self)
      return (next + WordCache.idCount(entry), end)
    }
    let (progress, isWhole) = split(
      bytes, from: start, to: end, count: count, mode, workspace, to: next, into: ids)
    if isWhole { cache.insert(key, next, count: progress.next - next) }
    return progress
  }

  @inline(never)
  private func cut(
    _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int, count: Int, _ mode: UnsafePointer<Mode>,
    _ workspace: Workspace, to next: UnsafeMutablePointer<Int32>, _ key: WordCache.ShortKey,
    into ids: UnsafeMutablePointer<[Int32]>
  ) -> Progress {
    let (progress, isWhole) = split(
      bytes, from: start, to: end, count: count, mode, workspace, to: next, into: ids)
    if isWhole { workspace.cache.insert(key, next, count: progress.next - next) }
    return progress
  }

  /// Splits a run. `isWhole`: its ids depend on nothing else, and are contiguous from `next`.
  private func split(
    _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int, count: Int, _ mode: UnsafePointer<Mode>,
    _ workspace: Workspace, to next: UnsafeMutablePointer<Int32>, into ids: UnsafeMutablePointer<[Int32]>
  ) -> (progress: Progress, isWhole: Bool) {
    if mode.pointee.hasTokensInRuns,
      pipeline.pointee.touch(bytes + start, count: end - start, mode: mode.pointee.bit) == .open
    {
      return (region(bytes, from: start, count: count, mode, workspace, to: next, into: ids), false)
    }
    let before = ids.pointee.count
    let after = encode(bytes, from: start, to: end, mode.pointee.bit, workspace, to: next, into: ids)
    return ((after, end), ids.pointee.count == before)
  }

  /// Encodes the text from `start` up to a blank that no token covers, and returns the offset of that blank.
  @inline(never)
  private func region(
    _ bytes: UnsafePointer<UInt8>, from start: Int, count: Int, _ mode: UnsafePointer<Mode>, _ workspace: Workspace,
    to next: UnsafeMutablePointer<Int32>, into ids: UnsafeMutablePointer<[Int32]>
  ) -> Progress {
    let end = pipeline.pointee.cut(bytes, behind: start, count: count, mode: mode.pointee.bit)
    let next = encode(
      bytes, from: start, to: end, mode.pointee.bit,
      wordBefore: start > 0 && bytes[start - 1] == UInt8(ascii: "_"), workspace, to: next, into: ids)
    return (Self.flush(workspace.output, to: next, into: ids), end)
  }

  @inline(never)
  private func encode(
    _ bytes: UnsafePointer<UInt8>, from start: Int, to end: Int, _ mode: UInt8, wordBefore: Bool = false,
    _ workspace: Workspace, to next: UnsafeMutablePointer<Int32>, into ids: UnsafeMutablePointer<[Int32]>
  ) -> UnsafeMutablePointer<Int32> {
    var next = next
    withUnsafeMutablePointer(to: &next) { next in
      let sink = OutputSink(
        output: workspace.output, end: workspace.output + Workspace.outputCapacity, next: next, ids: ids)
      pipeline.pointee.encode(
        bytes, from: start, to: end, mode: mode, wordBefore: wordBefore, wordMemory: workspace.wordMemory,
        pieceMemory: workspace.pieceMemory, sink: sink)
    }
    return next
  }

  @inline(never)
  fileprivate static func flush(
    _ output: UnsafeMutablePointer<Int32>, to next: UnsafeMutablePointer<Int32>, into ids: UnsafeMutablePointer<[Int32]>
  ) -> UnsafeMutablePointer<Int32> {
    ids.pointee.append(contentsOf: UnsafeBufferPointer(start: output, count: next - output))
    return output
  }
}

/// The memory of one thread: its cache, an id buffer, and room for a word and its pieces.
private struct Workspace {
  static let outputCapacity = 2048
  /// More than the number of ids in a run that the cache holds.
  static let outputReserve = 256

  /// A window, plus a word that begins with its last byte.
  static let windowBytes = ByteClasses.size + 16

  let cache: WordCache
  /// Room for the last bytes of a text.
  private let tail: UnsafeMutablePointer<UInt8>
  let output: UnsafeMutablePointer<Int32>
  let pieceMemory: UnsafeMutableRawPointer
  let wordMemory: UnsafeMutableRawPointer

  static func byteCount(limit: Int) -> Int {
    WordCache.byteCount + 128 + outputCapacity * 4 + WordPiece<OutputSink>.byteCount(limit: limit)
      + WordBuffer.byteCount(limit: limit, tracking: false)
  }

  init(memory: UnsafeMutableRawPointer, limit: Int) {
    cache = WordCache(memory: memory)
    var address = memory + WordCache.byteCount
    tail = address.bindMemory(to: UInt8.self, capacity: 128)
    address += 128
    output = address.bindMemory(to: Int32.self, capacity: Self.outputCapacity)
    address += Self.outputCapacity * 4
    pieceMemory = address
    wordMemory = address + WordPiece<OutputSink>.byteCount(limit: limit)
  }

  /// Copies the last bytes of a text and pads them with blanks.
  func padded(_ bytes: UnsafePointer<UInt8>, count: Int) -> UnsafePointer<UInt8> {
    memset(tail, 0x20, Self.windowBytes)
    memcpy(tail, bytes, count)
    return UnsafePointer(tail)
  }
}

/// Appends ids to a buffer, and flushes it to the array when it is full.
private struct OutputSink: TokenSink {
  let output, end: UnsafeMutablePointer<Int32>
  let next: UnsafeMutablePointer<UnsafeMutablePointer<Int32>>
  let ids: UnsafeMutablePointer<[Int32]>
  static var wantsOffsets: Bool { false }
  static var wantsWordStarts: Bool { false }

  @inline(__always)
  func token(_ id: Int32, from start: Int, to end: Int, startsWord: Bool) {
    if next.pointee == self.end { next.pointee = CachedEncoder.flush(output, to: next.pointee, into: ids) }
    next.pointee.pointee = id
    next.pointee += 1
  }
}
