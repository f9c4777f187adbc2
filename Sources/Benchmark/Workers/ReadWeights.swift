import Files
import Glibc
import Model

/// Maps a file and reads all of it, the minimum for a process that uses every weight once.
enum ReadWeights {
  static func run(_ arguments: [String]) throws -> Bool {
    guard arguments.count == 2, let threads = Int(arguments[1]) else {
      throw BenchmarkError(usage: "read-weights needs a file and a number of threads")
    }
    let mapping = try FileMapping(path: arguments[0])
    onThreads(threads) { Bandwidth.touch(mapping.bytes, part: $0, of: threads) }
    return true
  }
}
