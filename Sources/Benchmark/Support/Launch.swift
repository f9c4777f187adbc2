import Glibc
import Model
import Text

/// Runs a command and measures its time and its resource usage.
///
/// A small process of this program starts it, because the kernel counts the memory of the parent as the child's peak.
enum Launch {
  struct Measurement {
    var seconds: Double
    var processorSeconds: Double
    var peakMegabytes: Double
    var succeeded: Bool
  }

  /// - Parameter log: the file for the command's standard error.
  static func measure(_ command: [String], log: String = "/dev/null") throws -> Measurement {
    let output = try ChildProcess.run([ProcessIdentifier.program, "launch", log] + command).output
    let answer = try JSONValue.parse(Array(output.utf8))
    return Measurement(
      seconds: answer["seconds"]?.double ?? .nan, processorSeconds: answer["processor_seconds"]?.double ?? .nan,
      peakMegabytes: answer["peak_rss_mb"]?.double ?? .nan, succeeded: answer["status"]?.int == 0)
  }

  /// The main function of the small process.
  static func run(_ arguments: [String]) throws -> Bool {
    guard let log = arguments.first, arguments.count > 1 else {
      throw BenchmarkError(usage: "launch needs a log file and a command")
    }
    let (_, elapsed, usage) = try ChildProcess.run(Array(arguments.dropFirst()), log: log)
    let answer = JSONValue.object([
      ("seconds", .number(elapsed)), ("processor_seconds", .number(usage.cpuSeconds)),
      ("peak_rss_mb", .number(usage.peakMegabytes)), ("status", .number(Int(usage.status))),
    ])
    print(String(decoding: answer.serialized(), as: UTF8.self))
    return true
  }
}
