import Foundation
import TestSupport
import Testing

/// Tests `mlm` with a test hub on loopback, a cache for each test, and processes that are killed during downloads.
@Suite struct DownloadTests {
  static let commit = HubRepository.commit(1)
  static let token = "hf_SecretOfTheTests"
  static let weights = HubFile.generated(300_000)

  /// The repositories `o/micro`, a complete model, and `o/big`, whose weights are arbitrary bytes.
  final class Setting {
    let tool: Tool
    let server: HubServer

    init() throws {
      tool = try Tool()
      let micro = try HubRepository("o/micro", folder: Tool.micro)
      var big = micro
      big.name = "o/big"
      big.commits[commit]?["model.safetensors"] = weights
      server = try HubServer(micro, big)
    }

    /// The tests' own variables for a proxy must not count.
    var environment: [String: String] {
      var environment = [
        "HF_ENDPOINT": server.endpoint, "HF_HUB_CACHE": tool.path("cache"), "HF_HUB_OFFLINE": "0",
        "HOME": tool.path("home"), "HF_TOKEN": token,
      ]
      for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        environment[name] = ""
        environment[name.uppercased()] = ""
      }
      return environment
    }

    func run(_ arguments: [String], _ variables: [String: String] = [:]) throws -> Tool.Result {
      let result = try tool.run(arguments, environment: environment.merging(variables) { $1 })
      #expect(!(result.messages + result.output).contains(token), "the token is told")
      return result
    }

    func shell(_ line: String) throws -> Tool.Result { try tool.shell(line, environment: environment) }

    func directory(_ name: String) -> String { tool.path("cache/models--o--\(name)/snapshots/\(commit)") }

    /// The bytes of a partial file, by its final name.
    func part(of file: HubFile) -> Data? {
      let names = tool.names(in: "cache/models--o--big/blobs").filter { $0.hasPrefix(file.etag + ".") }
      #expect(names.count <= 1, "\(names)")
      return names.first.flatMap { try? tool.read("cache/models--o--big/blobs/\($0)") }
    }

    /// The weights of `o/big` are complete, and no temporary file is left.
    func expectBig(sourceLocation: SourceLocation = #_sourceLocation) throws {
      let path = "cache/models--o--big/snapshots/\(commit)/model.safetensors"
      #expect(try tool.read(path) == Data(weights.bytes), sourceLocation: sourceLocation)
      let blobs = Set(tool.names(in: "cache/models--o--big/blobs"))
      let files = try #require(HubRepository("o/micro", folder: Tool.micro).commits[commit])
      let small = files.filter { $0.key != "model.safetensors" }.map(\.value.etag)
      #expect(blobs == Set(small + [weights.etag]), sourceLocation: sourceLocation)
    }
  }

  static let predict = ["predict", "--format", "tsv", "--top-k", "3", "a [MASK] b"]

  // MARK: Downloaded files

  @Test func presetOfTheHub() throws {
    let setting = try Setting()
    let expected = try setting.tool.succeed(Self.predict + ["--preset", Tool.micro])
    let result = try setting.run(Self.predict + ["--preset", "hf://o/micro"])
    #expect(result.status == 0 && result.stdout == expected.stdout, "\(result.messages)")
    // The cache is complete: no request for a branch it knows, nor for the commit, with a network or without.
    setting.server.forgetRequests()
    for preset in ["hf://o/micro", "hf://o/micro@\(Self.commit)"] {
      let again = try setting.run(Self.predict + ["--preset", preset])
      #expect(again.status == 0 && again.stdout == expected.stdout && again.messages.isEmpty, "\(again.messages)")
    }
    #expect(setting.server.requests.isEmpty)
    setting.server.stop()
    #expect(try setting.run(Self.predict + ["--preset", "hf://o/micro"]).stdout == expected.stdout)
  }

  @Test func downloadPrintsTheDirectory() throws {
    let setting = try Setting()
    let result = try setting.run(["presets", "--download", "hf://o/micro"])
    #expect(result.status == 0 && result.lines == [setting.directory("micro")], "\(result.messages)")
    #expect(result.errors.isEmpty && !result.messages.isEmpty)
    // A second download only asks for the branch's commit; no file is transferred.
    setting.server.forgetRequests()
    let again = try setting.run(["presets", "--download", "hf://o/micro", "--quiet"])
    #expect(again.lines == result.lines && again.messages.isEmpty, "\(again.messages)")
    #expect(setting.server.requests.allSatisfy { $0.method == "HEAD" } && !setting.server.requests.isEmpty)
    let line = "mlm predict --format fill --preset \"$(mlm presets --quiet --download hf://o/micro)\" 'a [MASK]'"
    #expect(try setting.shell(line).status == 0)
  }

  @Test func severalNames() throws {
    let setting = try Setting()
    let result = try setting.run(["presets", "--download", "hf://o/none", "hf://o/micro"])
    #expect(result.status == 1 && result.lines == [setting.directory("micro")])
    #expect(result.errors.count == 1 && result.errors.first?.contains("o/none") == true, "\(result.messages)")
  }

  @Test func weightsOnlyWhereNeeded() throws {
    let text = String(repeating: "some words to learn from\n", count: 8)
    for arguments in [
      ["tokenize", "--preset", "hf://o/micro", "some words"],
      ["fit", "text.txt", "--preset", "hf://o/micro", "--no-load-weights", "--max-steps", "1"],
      ["evaluate", "text.txt", "--preset", "hf://o/micro", "--no-load-weights"],
    ] {
      let setting = try Setting()
      try setting.tool.write(text, to: "text.txt")
      let result = try setting.run(arguments)
      #expect(result.status == 0, "\(result.messages)")
      #expect(!setting.server.requests(for: "vocab.txt").isEmpty)
      #expect(setting.server.requests(for: "model.safetensors").isEmpty, "\(arguments[0])")
    }
  }

  @Test func offline() throws {
    let setting = try Setting()
    for (more, variables) in [(["--offline"], [:]), ([], ["HF_HUB_OFFLINE": "1"])] {
      for command in [["presets", "--download", "hf://o/micro"], ["tokenize", "--preset", "hf://o/micro", "x"]] {
        let result = try setting.run(command + more, variables)
        #expect(result.status == 1 && result.output.isEmpty && result.errors.count == 1, "\(result.messages)")
        #expect(result.errors.first?.contains("o/micro") == true, "\(result.messages)")
      }
    }
    #expect(setting.server.requests.isEmpty && !setting.tool.exists("cache"))
    #expect(try setting.run(["presets", "--download", "hf://o/micro"]).status == 0)
    setting.server.forgetRequests()
    let result = try setting.run(Self.predict + ["--preset", "hf://o/micro", "--offline"])
    #expect(result.status == 0 && setting.server.requests.isEmpty, "\(result.messages)")
  }

  @Test func ownRegistry() throws {
    let setting = try Setting()
    let file = try Data(contentsOf: URL(fileURLWithPath: Tool.micro + "/config.json"))
    let configuration = String(decoding: file, as: UTF8.self)
    func registry(sha256: String) throws {
      try setting.tool.write(
        """
        {"presets": [{"name": "mine", "description": "d", "languages": ["en"], "case": "lower",
          "config": \(configuration),
          "repository": "o/micro", "revision": "\(Self.commit)",
          "files": [{"name": "config.json"}, {"name": "tokenizer_config.json"}, {"name": "vocab.txt"},
            {"name": "model.safetensors", "sha256": "\(sha256)"}]}]}
        """, to: "registry.json")
    }
    let variables = ["MLM_PRESETS": setting.tool.path("registry.json")]
    try registry(sha256: String(repeating: "0", count: 64))
    let wrong = try setting.run(["presets", "--download", "mine"], variables)
    #expect(wrong.status == 1 && wrong.errors.first?.contains("than the registry lists") == true, "\(wrong.messages)")
    #expect(setting.server.requests(for: "model.safetensors", method: "GET").isEmpty)
    let weights = try Data(contentsOf: URL(fileURLWithPath: Tool.micro + "/model.safetensors"))
    try registry(sha256: Hash.sha256(Array(weights)))
    let right = try setting.run(["presets", "--download", "mine"], variables)
    #expect(right.status == 0 && right.lines == [setting.directory("micro")], "\(right.messages)")
    #expect(try setting.run(["presets", "--verify", "mine"], variables).status == 0)
    // A blob that changed on disk is detected.
    let blob = "cache/models--o--micro/blobs/\(Hash.sha256(Array(weights)))"
    try setting.tool.write(weights.dropLast() + [weights.last.map { $0 ^ 1 } ?? 0], to: blob)
    let spoilt = try setting.run(["presets", "--verify", "mine"], variables)
    #expect(spoilt.status == 1 && spoilt.output.contains("model.safetensors"), "\(spoilt.output)")
  }

  // MARK: Failures

  @Test(arguments: [
    (Misbehavior.wrongBytes(), "model.safetensors: the download differs from the file on the hub"),
    (.shorter(by: 1), "model.safetensors: the download has"), (.portal, "is not the hub"),
    (.status(403), "status 403"), (.tooManyRequests(retryAfter: "86400"), "asks to wait 86400 s"),
  ])
  func misbehavior(_ misbehavior: Misbehavior, _ text: String) throws {
    let setting = try Setting()
    setting.server.misbehave(misbehavior, on: "model.safetensors", at: .body, times: .max)
    let result = try setting.run(["presets", "--download", "hf://o/big"])
    #expect(result.status == 1 && result.output.isEmpty && result.errors.count == 1, "\(result.messages)")
    #expect(result.errors.first?.contains(text) == true, "\(result.messages)")
    #expect(!setting.tool.exists("cache/models--o--big/snapshots/\(Self.commit)/model.safetensors"))
    #expect(!setting.tool.exists("cache/models--o--big/blobs/\(Self.weights.etag)"))
    setting.server.behave()
    #expect(try setting.run(["presets", "--download", "hf://o/big"]).lines == [setting.directory("big")])
    try setting.expectBig()
  }

  @Test func proxy() throws {
    let setting = try Setting()
    setting.server.storage = "http://cdn.example"
    let variables = ["HF_ENDPOINT": "http://hub.example", "http_proxy": setting.server.proxy]
    #expect(try setting.run(["presets", "--download", "hf://o/big"], variables).status == 0)
    try setting.expectBig()
    #expect(setting.server.requests.allSatisfy { $0.host == .proxy })
    setting.server.misbehave(.status(407), times: .max)
    let result = try setting.run(["presets", "--download", "hf://o/micro"], variables)
    #expect(result.status == 1 && result.errors.first?.contains("the proxy \(setting.server.proxy)") == true)
  }

  @Test(.enabled(if: Tool.bound != nil, "nobody here is bound by permissions")) func readOnlyCache() throws {
    let setting = try Setting()
    #expect(try setting.run(["presets", "--download", "hf://o/micro"]).status == 0)
    let bound = try #require(Tool.bound)
    let before = setting.tool.contents
    let hit = try setting.shell(
      "chmod -R a-w,a+rX cache; \(bound)mlm predict --preset hf://o/micro --format fill 'a [MASK]'")
    #expect(hit.status == 0 && hit.messages.isEmpty, "\(hit.messages)")
    #expect(setting.tool.contents == before)
    let miss = try setting.shell("\(bound)mlm presets --download hf://o/big")
    #expect(miss.status == 1 && miss.errors.count == 1, "\(miss.messages)")
    #expect(miss.errors.first?.contains("cannot write to the hub cache") == true, "\(miss.messages)")
    #expect(setting.tool.contents == before)
  }

  // MARK: Interruptions

  /// Starts a download that stops halfway, waits for that, and ends the process.
  private func end(_ setting: Setting, signal: String) throws -> Tool.Result {
    setting.server.misbehave(.stallAfter(100_000), on: "model.safetensors")
    return try setting.shell(
      """
      set -m
      env --default-signal=TERM,INT mlm presets --download hf://o/big &
      for i in $(seq 500); do
        [ "$(cat cache/models--o--big/blobs/\(Self.weights.etag).*.incomplete 2> /dev/null | wc -c)" = 100000 ] && break
        sleep 0.02
      done
      kill -\(signal) $!; wait $!
      """)
  }

  private func expectToGoOn(_ setting: Setting) throws {
    #expect(setting.part(of: Self.weights) == Data(Self.weights.bytes.prefix(100_000)))
    setting.server.forgetRequests()
    let result = try setting.run(["presets", "--download", "hf://o/big"])
    #expect(result.status == 0 && result.lines == [setting.directory("big")], "\(result.messages)")
    let gets = setting.server.requests(for: "model.safetensors", method: "GET")
    #expect(gets.map(\.rangeStart) == [100_000], "only the rest travels")
    try setting.expectBig()
  }

  @Test func killed() throws {
    let setting = try Setting()
    let result = try end(setting, signal: "KILL")
    #expect(result.status == 137 && result.output.isEmpty)
    try expectToGoOn(setting)
  }

  @Test(arguments: [("INT", Int32(130)), ("TERM", 143)]) func interrupted(_ signal: String, _ status: Int32) throws {
    let setting = try Setting()
    let result = try end(setting, signal: signal)
    #expect(result.status == status && result.output.isEmpty, "\(result.messages)")
    #expect(
      result.messages.contains("interrupted")
        && result.messages.contains("kept the downloaded part of model.safetensors"), "\(result.messages)")
    try expectToGoOn(setting)
  }

  // MARK: Concurrent downloads

  @Test func twoProcesses() throws {
    let setting = try Setting()
    setting.server.misbehave(.drip(bytesPerSecond: 600_000), on: "model.safetensors", times: .max)
    let result = try setting.shell(
      """
      mlm presets --download hf://o/big > one & first=$!
      mlm presets --download hf://o/big > two; second=$?
      wait $first && exit $second
      """)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.messages)")
    #expect(try setting.tool.read("one") == setting.tool.read("two"))
    #expect(setting.server.requests(for: "model.safetensors", method: "GET").count == 1, "one waits for the other")
    try setting.expectBig()
  }

  /// If locks do not work, both processes download, and one intact copy remains.
  @Test func twoProcessesWithoutLocks() throws {
    let setting = try Setting()
    setting.server.misbehave(.drip(bytesPerSecond: 600_000), on: "model.safetensors", times: .max)
    // No lock can be created, because a file has the name of the folder.
    try setting.tool.write("", to: "cache/.locks")
    let result = try setting.shell(
      """
      mlm presets --download hf://o/big > one & first=$!
      mlm presets --download hf://o/big > two; second=$?
      wait $first && exit $second
      """)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.messages)")
    try setting.expectBig()
  }
}
