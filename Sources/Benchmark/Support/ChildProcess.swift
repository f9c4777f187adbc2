import Files
import Glibc

/// A child process, with pipes to its standard input and from its standard output.
final class ChildProcess {
  let identifier: pid_t
  private var input: Int32
  private var output: Int32
  private var buffer: [UInt8] = []
  private var ended: Usage?

  struct Usage {
    var status: Int32
    var peakMegabytes: Double
    var cpuSeconds: Double
    var succeeded: Bool { status == 0 }
  }

  /// - Parameters:
  ///   - environment: variables set in addition to the inherited ones.
  ///   - log: a file for its standard error; nil: inherited.
  init(_ command: [String], environment: [String: String] = [:], log: String? = nil) throws {
    var toChild: [Int32] = [0, 0]
    var fromChild: [Int32] = [0, 0]
    guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
      throw BenchmarkError("cannot create a pipe: \(FileError.text(of: errno))")
    }
    // Later children must not keep these ends open.
    for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
    posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
    if let log { posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0o666) }

    var variables: [String] = []
    var variablePointer = environ
    while let variable = variablePointer.pointee {
      let text = String(cString: variable)
      if !environment.keys.contains(where: { text.hasPrefix($0 + "=") }) { variables.append(text) }
      variablePointer += 1
    }
    variables += environment.map { "\($0)=\($1)" }.sorted()
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    var environmentBlock: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer {
      for pointer in arguments + environmentBlock { free(pointer) }
    }
    var process: pid_t = 0
    let status = posix_spawnp(&process, command.first ?? "", &actions, nil, &arguments, &environmentBlock)
    close(toChild[0])
    close(fromChild[1])
    guard status == 0 else {
      close(toChild[1])
      close(fromChild[0])
      throw BenchmarkError("cannot start \(command.first ?? ""): \(FileError.text(of: status))")
    }
    identifier = process
    input = toChild[1]
    output = fromChild[0]
    RunningChildren.add(process)
  }

  deinit {
    if ended == nil {
      kill(identifier, SIGTERM)
      _ = wait()
    }
  }

  func send(_ line: String) {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Returns the next line; nil at the end.
  func readLine() -> String? {
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeSubrange(...end)
        return line
      }
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      let count = read(output, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      buffer += chunk[..<count]
    }
  }

  /// Returns the rest of its output.
  func readAll() -> String {
    var text = ""
    while let line = readLine() { text += line + "\n" }
    return text + String(decoding: buffer, as: UTF8.self)
  }

  func closeInput() {
    guard input >= 0 else { return }
    close(input)
    input = -1
  }

  /// Waits for its exit, once.
  func wait() -> Usage {
    if let ended { return ended }
    closeInput()
    var status: Int32 = 0
    var usage = rusage()
    while wait4(identifier, &status, 0, &usage) < 0, errno == EINTR {}
    close(output)
    RunningChildren.remove(identifier)
    let cpu =
      Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
    let result = Usage(status: status, peakMegabytes: Double(usage.ru_maxrss) * 1024 / 1e6, cpuSeconds: cpu)
    ended = result
    return result
  }

  /// Runs a command, and returns its output, the elapsed seconds and its resource usage.
  static func run(
    _ command: [String], environment: [String: String] = [:], log: String? = "/dev/null"
  ) throws -> (output: String, seconds: Double, usage: Usage) {
    let start = now()
    let child = try ChildProcess(command, environment: environment, log: log)
    child.closeInput()
    let output = child.readAll()
    let usage = child.wait()
    return (output, now() - start, usage)
  }
}

/// The children that a signal to this process must also end.
enum RunningChildren {
  private static let capacity = 64
  nonisolated(unsafe) private static let children = {
    let table = UnsafeMutablePointer<pid_t>.allocate(capacity: capacity)
    table.initialize(repeating: 0, count: capacity)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { received in
        RunningChildren.endAll()
        signal(received, SIG_DFL)
        raise(received)
      }
    }
    return table
  }()

  static func add(_ child: pid_t) {
    for index in 0..<capacity where children[index] == 0 {
      children[index] = child
      return
    }
  }

  static func remove(_ child: pid_t) {
    for index in 0..<capacity where children[index] == child { children[index] = 0 }
  }

  private static func endAll() {
    for index in 0..<capacity where children[index] > 0 { kill(children[index], SIGKILL) }
  }
}
