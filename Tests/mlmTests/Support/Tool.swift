import Foundation

/// The built tool, run from outside. Each value has its own directory, which is the working directory of its runs and
/// is removed with it.
final class Tool {
  struct Result {
    let stdout: Data
    let stderr: Data
    /// The exit status; for a process ended by a signal, 128 plus the signal, as in a shell.
    let status: Int32

    /// Standard output as text; invalid UTF-8 becomes U+FFFD.
    var output: String { String(decoding: stdout, as: UTF8.self) }
    /// Standard error as text.
    var messages: String { String(decoding: stderr, as: UTF8.self) }
    /// The lines of standard output, without the empty one after the last `\n`.
    var lines: [String] { Self.lines(of: stdout) }
    /// The lines of standard error.
    var messageLines: [String] { Self.lines(of: stderr) }

    private static func lines(of data: Data) -> [String] {
      var parts = data.split(separator: 0x0A, omittingEmptySubsequences: false)
      if parts.last?.isEmpty == true { parts.removeLast() }
      return parts.map { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// The executable, in the build directory next to the test bundle (on macOS) or the test program.
  static let executable: URL = {
    let bundle = Bundle(for: Tool.self).bundleURL
    let beside = [bundle, bundle.deletingLastPathComponent()].map { $0.appendingPathComponent("mlm") }
    return beside.first { FileManager.default.isExecutableFile(atPath: $0.path) && !$0.hasDirectoryPath } ?? beside[0]
  }()
  /// The top of the repository.
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent("mlm-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  deinit {
    // Makes everything writable again, so that it can be removed.
    let chmod = Process()
    chmod.executableURL = URL(fileURLWithPath: "/bin/chmod")
    chmod.arguments = ["-R", "u+rwX", directory.path]
    chmod.standardError = FileHandle.nullDevice
    if (try? chmod.run()) != nil { chmod.waitUntilExit() }
    try? FileManager.default.removeItem(at: directory)
  }

  /// The path of a file in the tool's directory.
  func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  /// Writes a file into the tool's directory, including missing folders, and returns its path.
  @discardableResult
  func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
    let url = directory.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String { try write(text.utf8, to: name) }

  func read(_ name: String) throws -> Data { try Data(contentsOf: directory.appendingPathComponent(name)) }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  /// Runs `mlm` with these arguments.
  ///
  /// - Parameters:
  ///   - input: the standard input; empty by default.
  ///   - environment: variables set in addition; the tests' own `MLM_…`, `HF_…` and thread variables are not passed on.
  func run(
    _ arguments: [String], input: Data = Data(), environment: [String: String] = [:]
  ) throws -> Result {
    try launch(Self.executable, arguments, input: input, environment: environment)
  }

  func run(_ arguments: String..., input: String = "") throws -> Result {
    try run(arguments, input: Data(input.utf8))
  }

  /// Runs a bash command in which `mlm` is the tool: pipelines, redirections, signals. The status is the status of the
  /// command; `set -o pipefail` and `${PIPESTATUS[@]}` work.
  func shell(_ line: String, input: Data = Data(), environment: [String: String] = [:]) throws -> Result {
    var environment = environment
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    environment["PATH"] = Self.executable.deletingLastPathComponent().path + ":" + path
    return try launch(URL(fileURLWithPath: "/bin/bash"), ["-c", line], input: input, environment: environment)
  }

  private func launch(
    _ program: URL, _ arguments: [String], input: Data, environment: [String: String]
  ) throws -> Result {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = directory
    process.environment = Self.environment.merging(environment) { $1 }
    // Files cannot fill up as pipes can, in any order of reading and writing.
    let stem = UUID().uuidString
    let files = ["in", "out", "err"].map {
      FileManager.default.temporaryDirectory.appendingPathComponent("mlm-test-\(stem)-\($0)")
    }
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    try input.write(to: files[0])
    try Data().write(to: files[1])
    try Data().write(to: files[2])
    let handles = [
      try FileHandle(forReadingFrom: files[0]), try FileHandle(forWritingTo: files[1]),
      try FileHandle(forWritingTo: files[2]),
    ]
    process.standardInput = handles[0]
    process.standardOutput = handles[1]
    process.standardError = handles[2]
    // A child inherits the signal mask of the thread that starts it, and a test's thread may block SIGPIPE: 'yes' would
    // report a broken pipe instead of ending.
    var (none, mask) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    try process.run()
    process.waitUntilExit()
    for handle in handles { try handle.close() }
    let signaled = process.terminationReason == .uncaughtSignal
    return Result(
      stdout: try Data(contentsOf: files[1]), stderr: try Data(contentsOf: files[2]),
      status: process.terminationStatus + (signaled ? 128 : 0))
  }

  /// The environment of every run, without variables that could change a result.
  private static var environment: [String: String] {
    var environment = ProcessInfo.processInfo.environment.filter { name, _ in
      !name.hasPrefix("MLM_") && !name.hasPrefix("HF_") && !name.hasSuffix("NUM_THREADS")
    }
    environment["LC_ALL"] = "C.UTF-8"
    environment["HF_HUB_OFFLINE"] = "1"
    return environment
  }
}
