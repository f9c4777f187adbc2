import Model
import Text

/// Converts lines of text to ids, with a part of the lines for each thread; `samples` is a text file here.
struct TokenizeWork: Work {
  private let tokenizer: WordPieceTokenizer
  private let lines: [[UInt8]]
  private let threads: Int

  init(_ settings: Worker.Settings) throws {
    let vocabulary = settings.model + "/vocab.txt"
    tokenizer = try WordPieceTokenizer(
      vocabulary: Vocabulary(vocabTXT: try Files.read(vocabulary), file: vocabulary))
    lines = try Files.read(settings.samples).split(separator: 0x0A).map(Array.init)
    threads = settings.threads
  }

  /// The number of ids and a sum over them, to compare two tokenizers.
  func check() -> JSONValue? {
    var (count, sum) = (0, 0)
    var ids: [Int32] = []
    for line in lines {
      ids.removeAll(keepingCapacity: true)
      line.withUnsafeBufferPointer { tokenizer.encode($0, into: &ids) }
      count += ids.count
      for id in ids { sum = (sum * 31 + Int(id)) % 1_000_000_007 }
    }
    return .object([("count", .number(count)), ("sum", .number(sum))])
  }

  /// Runs as many passes as take a third of a second, and returns the seconds of one.
  func round() -> Round {
    var tokens = 0
    var passes = 0
    let start = now()
    repeat {
      tokens = pass()
      passes += 1
    } while now() - start < 0.3
    return Round(seconds: (now() - start) / Double(passes), tokens: tokens)
  }

  private func pass() -> Int {
    var counts = [Int](repeating: 0, count: threads)
    counts.withUnsafeMutableBufferPointer { counts in
      nonisolated(unsafe) let counts = counts
      onThreads(threads) { thread in
        var ids: [Int32] = []
        var count = 0
        for index in lines.count * thread / threads..<lines.count * (thread + 1) / threads {
          ids.removeAll(keepingCapacity: true)
          lines[index].withUnsafeBufferPointer { tokenizer.encode($0, into: &ids) }
          count += ids.count
        }
        counts[thread] = count
      }
    }
    return counts.reduce(0, +)
  }
}
