import Foundation
import TestSupport
import Testing

@testable import Hub

/// A test hub with one model of 200 kB, an empty cache, and the client's events.
final class HubFixture {
  static let commit = HubRepository.commit(1)
  static let main = HubAddress(repository: "o/n", revision: "main")
  static let pinned = HubAddress(repository: "o/n", revision: commit)
  static let weights = HubFile.generated(200_000)
  static let files = [
    "config.json": HubFile("{\"model_type\": \"distilbert\"}\n"),
    "tokenizer_config.json": HubFile("{\"do_lower_case\": true}"),
    "vocab.txt": HubFile((0..<500).map { "word\($0)\n" }.joined()),
    "model.safetensors": weights,
  ]
  static let everything = HubPart.allCases
  /// The token in the environment of every test, which no message may contain.
  static let token = "hf_SecretOfTheTests"

  let server: HubServer
  let folder: TemporaryFolder
  let events = EventLog()
  /// The expected files, by name.
  var files = HubFixture.files
  var cache: String { folder.path + "/cache" }

  init(_ repository: HubRepository = HubRepository("o/n", files: HubFixture.files)) throws {
    server = try HubServer(repository)
    folder = try TemporaryFolder()
    files = repository.commits[Self.commit] ?? [:]
  }

  // MARK: The client

  func hub(
    _ variables: [String: String] = [:], isOffline: Bool? = nil,
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) -> Hub {
    let own = [
      "HF_ENDPOINT": server.endpoint, "HF_HUB_CACHE": cache, "HOME": folder.path + "/home", "HF_TOKEN": Self.token,
    ]
    var hub = Hub(
      HubEnvironment(own.merging(variables) { $1 }), isOffline: isOffline, onEvent: events.add, shouldStop: shouldStop)
    hub.firstDelay = 0.01
    return hub
  }

  @discardableResult
  func fetch(
    _ address: HubAddress = main, _ parts: [HubPart] = everything, refresh: Bool = false, with hub: Hub? = nil
  ) throws -> String {
    try (hub ?? self.hub()).snapshot(address, preset: nil, parts: parts, refresh: refresh)
  }

  // MARK: Expectations

  /// Expects that the download fails with an error of one line, without the token, and leaves the cache intact.
  @discardableResult
  func expectFailure(
    _ address: HubAddress = main, saying text: String, with hub: Hub? = nil,
    kind: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) -> HubError? {
    var failure: HubError?
    do {
      try fetch(address, with: hub)
      Issue.record("it succeeded", sourceLocation: sourceLocation)
    } catch let error as HubError {
      failure = error
      #expect(kind == nil || Self.kind(error) == kind, sourceLocation: sourceLocation)
      #expect(error.message.contains(text), "\(error.message)", sourceLocation: sourceLocation)
      #expect(!error.message.contains("\n"), "\(error.message)", sourceLocation: sourceLocation)
      let output = ([error.message, error.hint ?? ""] + events.notes).joined(separator: " ")
      #expect(!output.contains(Self.token), "a message contains the token", sourceLocation: sourceLocation)
    } catch {
      Issue.record("\(error)", sourceLocation: sourceLocation)
    }
    expectIntact(sourceLocation: sourceLocation)
    return failure
  }

  /// Expects that the download succeeds, without misbehavior from now on: all files are correct, and no parts are left.
  func expectSuccess(
    _ address: HubAddress = main, with hub: Hub? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    server.behave()
    let directory = try fetch(address, with: hub)
    let folder = HubCache.folderName(address.repository)
    #expect(directory == "\(cache)/\(folder)/snapshots/\(Self.commit)", sourceLocation: sourceLocation)
    for (name, file) in files {
      let bytes = FileManager.default.contents(atPath: "\(directory)/\(name)")
      #expect(bytes == Data(file.bytes), "\(name)", sourceLocation: sourceLocation)
    }
    expectIntact(sourceLocation: sourceLocation)
    let parts = entries.keys.filter { $0.hasSuffix(".incomplete") }
    #expect(parts.isEmpty, "\(parts)", sourceLocation: sourceLocation)
  }

  /// The entries of the cache: links with their targets, files with their bytes, and folders.
  var entries: [String: Entry] {
    var entries: [String: Entry] = [:]
    for name in (try? FileManager.default.subpathsOfDirectory(atPath: cache)) ?? [] {
      let path = cache + "/" + name
      let attributes = (try? FileManager.default.attributesOfItem(atPath: path)) ?? [:]
      switch attributes[.type] as? FileAttributeType {
      case .typeSymbolicLink:
        entries[name] = .link((try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? "")
      case .typeDirectory: entries[name] = .folder
      default: entries[name] = .file(FileManager.default.contents(atPath: path) ?? Data())
      }
    }
    return entries
  }

  enum Entry: Equatable {
    case folder
    case file(Data)
    case link(String)
  }

  /// Expects that everything in the cache is known and correct: blobs match their names, links lead to blobs, and parts
  /// are the beginnings of their files.
  func expectIntact(sourceLocation: SourceLocation = #_sourceLocation) {
    let entries = entries
    let byTag = Dictionary(files.values.map { ($0.etag, Data($0.bytes)) }) { first, _ in first }
    for (name, entry) in entries {
      if name.hasPrefix(".locks") || name == "CACHEDIR.TAG" { continue }
      // The path after the repository's folder.
      let words = name.split(separator: "/").dropFirst().map(String.init)
      let file = files[words.dropFirst(2).joined(separator: "/")]
      let isCommits = words.count > 1 && words[1] == Self.commit
      let isRight: Bool
      switch (words.first, entry) {
      case (_, .folder): isRight = true
      case ("blobs", .file(let bytes)):
        let tag = words[1].split(separator: ".")
        let content = byTag[String(tag[0])]
        isRight = tag.count == 1 ? bytes == content : tag.last == "incomplete" && content?.starts(with: bytes) == true
      case ("snapshots", .link(let target)):
        let up = String(repeating: "../", count: words.count - 1)
        let blob = "blobs/\(file?.etag ?? "")"
        isRight = isCommits && target == up + blob && entries["\(name.prefix { $0 != "/" })/\(blob)"] != nil
      case ("snapshots", .file(let bytes)): isRight = isCommits && bytes == file.map { Data($0.bytes) }
      case ("refs", .file(let bytes)): isRight = bytes == Data(Self.commit.utf8)
      case (".no_exist", .file(let bytes)): isRight = isCommits && bytes.isEmpty && file == nil
      default: isRight = false
      }
      #expect(isRight, "\(name)", sourceLocation: sourceLocation)
    }
  }

  /// The name of an error's case.
  static func kind(_ error: HubError) -> String { Mirror(reflecting: error).children.first?.label ?? "\(error)" }

  /// The size of a file's part in the cache; nil if there is none.
  func part(of file: HubFile) -> Int? {
    for (name, entry) in entries where name.hasSuffix(".incomplete") && name.contains(file.etag) {
      if case .file(let bytes) = entry { return bytes.count }
    }
    return nil
  }
}

/// A misbehavior of the hub, and the resulting error.
struct HubFailure: Sendable, CustomTestStringConvertible {
  /// The name of the error's case.
  let kind: String
  let misbehavior: Misbehavior
  /// The file affected.
  let file: String
  /// A part of the error's message.
  let text: String
  var testDescription: String { String("\(kind): \(file): \(misbehavior)".prefix(120)) }
}

/// The events of a client, from any thread.
///
/// `@unchecked`: guarded by the lock.
final class EventLog: @unchecked Sendable {
  private let lock = NSLock()
  private var all: [HubEvent] = []

  @Sendable func add(_ event: HubEvent) { lock.withLock { all.append(event) } }

  private var events: [HubEvent] { lock.withLock { all } }

  var notes: [String] {
    events.compactMap { event in
      if case .note(let text) = event { text } else { nil }
    }
  }
  var fetched: [String] {
    events.compactMap { event in
      if case .fetched(let file, _) = event { file } else { nil }
    }
  }
  var progress: [DownloadProgress] {
    events.compactMap { event in
      if case .progress(let progress) = event { progress } else { nil }
    }
  }
}
