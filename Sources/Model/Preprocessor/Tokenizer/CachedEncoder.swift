import Glibc

/// The quick way from text to ids: what stands between ASCII blanks and punctuation is looked up as it stands, and cut
/// into words and pieces only where it is not known yet.
///
/// Such a run of bytes gives the same ids wherever it stands: blanks and punctuation end a word on both sides of it. The
/// ids are those of `TokenPipeline`, which cuts what was not found. Where an added token may begin in a run and end behind it, or
/// depends on what stands around it, the text up to the next blank that no token covers is cut by the pipeline each time: the
/// cache holds nothing that depends on such tokens, and they cost nothing where they are not.
///
/// What is left of the time are branches that cannot be foreseen (where words end, which are known) and reads of the cache
/// behind them. Tried and left out: all keys of a window first, so that their reads overlap (5 % faster on prose, 8 %
/// slower on text that is not ASCII); a word that was not found cut from its key instead of from the text (no difference).
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
  /// What makes a capital small, in each byte.
  private let caseBits: UInt64

  /// - Parameter pointer: read as long as the encoder lives; not a copy, which would be made for each text.
  init(_ pointer: UnsafePointer<TokenPipeline>) {
    pipeline = pointer
    let pipeline = pointer.pointee
    hasSingleWords = pipeline.hasSingleWords
    limit = pipeline.limit
    baseClasses = pipeline.classes
    // Tokens that stand in the text as they are spelled are not found in lower case.
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

  /// Appends the ids of a text. False, and nothing is done, where there is no memory.
  func encode(_ text: UnsafeBufferPointer<UInt8>, _ mode: UnsafePointer<Mode>, into ids: inout [Int32]) -> Bool {
    count(text, mode, atMost: .max, into: &ids) != nil
  }

  /// The ids of the beginning of a text, as far as they are not more than `limit`: to about 64 bytes, or one run. Text
  /// behind it has the ids it has by itself. Appends the ids, and perhaps some more. nil where there is no memory.
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
      // Runs of what belongs to words, and the punctuation between them.
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
          // It goes on behind the window, which begins anew with it.
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
        // Mostly there is none behind a word, but when is hard to foresee: written always, counted where there is.
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

  /// The first byte at or after `start` that ends a run.
  private func runEnd(
    _ bytes: UnsafePointer<UInt8>, from start: Int, count: Int, _ classes: UnsafePointer<UInt8>
  ) -> Int {
    var end = start
    while end < count, !TextNormalizer.ByteClass.endsWord(classes[Int(bytes[end])]) { end += 1 }
    return end
  }

  /// Where the next id goes, and the next text begins: where the run ends, or behind what was cut together with it. (Returned, not
  /// written through a pointer, so that the loop keeps them in registers.)
  private typealias Progress = (next: UnsafeMutablePointer<Int32>, end: Int)

  /// The ids of a run of any bytes.
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

  /// Cuts a run. `isWhole`: its ids depend on nothing else, and lie behind each other from `next` on.
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

  /// The ids of the text from a place on, up to a blank that no token covers, and where that is.
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

/// The memory of one thread: its cache, room for ids on their way into an array, for a word and for its pieces.
private struct Workspace {
  static let outputCapacity = 2048
  /// More than the ids of a run that the cache takes.
  static let outputReserve = 256

  /// A window, and a word that begins with its last byte.
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
    var place = memory + WordCache.byteCount
    tail = place.bindMemory(to: UInt8.self, capacity: 128)
    place += 128
    output = place.bindMemory(to: Int32.self, capacity: Self.outputCapacity)
    place += Self.outputCapacity * 4
    pieceMemory = place
    wordMemory = place + WordPiece<OutputSink>.byteCount(limit: limit)
  }

  /// The last bytes of a text, with blanks behind them.
  func padded(_ bytes: UnsafePointer<UInt8>, count: Int) -> UnsafePointer<UInt8> {
    memset(tail, 0x20, Self.windowBytes)
    memcpy(tail, bytes, count)
    return UnsafePointer(tail)
  }
}

/// Writes ids behind each other, and into the array when the room is full.
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
