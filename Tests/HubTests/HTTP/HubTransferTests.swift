import Foundation
import TestSupport
import Testing

@testable import Hub

/// Downloads of files: broken, wrong, slow, and resumed.
@Suite struct HubTransferTests {
  static let file = "model.safetensors"

  // MARK: Failures

  private static func failure(
    _ kind: String, _ misbehavior: Misbehavior, on file: String = "model.safetensors", _ text: String
  ) -> HubFailure {
    HubFailure(kind: kind, misbehavior: misbehavior, file: file, text: text)
  }

  static let cases: [HubFailure] = [
    failure("wrongDigest", .wrongBytes(), "its SHA-256 is"),
    failure("wrongDigest", .wrongBytes(from: 199_999), "its SHA-256 is"),
    failure("wrongDigest", .wrongBytes(), on: "vocab.txt", "its git blob id is"),
    failure("wrongSize", .shorter(by: 5), "but 200000 were announced"),
    failure("wrongSize", .longer(by: 5), "but 200000 were announced"),
    failure("wrongSize", .both(.longer(by: 5), .chunked), "but 200000 were announced"),
    failure("wrongSize", .both(.longer(by: 1_000_000), .untilClose), "200000 were announced"),
    failure("wrongSize", .longer(by: 5), on: "vocab.txt", "were announced"),
    failure("broken", .breakAfter(0), "the connection ended early, repeatedly"),
    failure("broken", .breakAfter(0, reset: true), "repeatedly"),
    failure("broken", .both(.shorter(by: 300_000), .chunked), "repeatedly"),
    failure("broken", .raw(""), "repeatedly"),
    failure("broken", .raw("HTTP/1.1 200 OK\r\nContent-Le"), "repeatedly"),
    failure("unreachable", .endlessHeader, "127.0.0.1"),
    failure("refused", .unauthorized, "status 401"),
    failure("refused", .status(403), "status 403"),
    failure("refused", .entryNotFound, "status 404"),
    failure("busy", .status(500), "too busy (status 500)"),
    failure("busy", .status(503), on: "vocab.txt", "too busy (status 503)"),
    failure("busy", .tooManyRequests(retryAfter: "86400"), "asks to wait 86400 s"),
    failure("notTheHub", .portal, "it sent a web page for model.safetensors"),
    failure("notTheHub", .portal, on: "vocab.txt", "it sent a web page for vocab.txt"),
    failure("tooManyRedirects", .redirectLoop, "too many redirects"),
    failure("notTheHub", .redirect("file:///etc/passwd"), "redirects to an invalid URL"),
    failure("notTheHub", .redirect("ftp://example/x?signature=1"), "redirects to an invalid URL"),
    failure("tooManyRedirects", .status(416), "too many redirects"),
  ]

  @Test(arguments: cases) func misbehavior(_ example: HubFailure) throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(example.misbehavior, on: example.file, at: .body, times: .max)
    fixture.expectFailure(saying: example.text, kind: example.kind)
    let bad = fixture.entries.keys.filter { $0.hasSuffix(HubFixture.files[example.file]?.etag ?? "") }
    #expect(bad.isEmpty, "\(bad)")
    try fixture.expectSuccess()
  }

  /// Without a length, only the hash shows that the end is missing.
  @Test func endsEarlyWithoutALength() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.header("Content-Length", nil), on: "vocab.txt", at: .head, times: .max)
    fixture.server.misbehave(.both(.shorter(by: 5), .untilClose), on: "vocab.txt", times: .max)
    fixture.expectFailure(saying: "git blob id", kind: "wrongDigest")
    try fixture.expectSuccess()
  }

  // MARK: Recovery

  static let harmless: [Misbehavior] = [
    .chunked, .untilClose, .gzip, .header("Content-Type", nil), .header("ETag", nil), .header("X-Repo-Commit", nil),
    .longHeader(5000), .breakAfter(10), .raw(""), .status(503), .stallAfter(10),
  ]

  @Test(arguments: harmless) func recovers(_ misbehavior: Misbehavior) throws {
    for file in ["vocab.txt", Self.file] {
      let fixture = try HubFixture()
      fixture.server.misbehave(misbehavior, on: file, at: .body)
      try fixture.fetch(with: fixture.hub(["HF_HUB_DOWNLOAD_TIMEOUT": "0.5"]))
      fixture.server.misbehave(.status(500), times: .max)
      fixture.expectIntact()
      #expect(fixture.part(of: HubFixture.weights) == nil)
    }
  }

  /// The size is not announced, and the file is sent whole, in chunks, or compressed.
  @Test func sizeUnknown() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.header("X-Linked-Size", nil), on: Self.file, at: .head)
    fixture.server.misbehave(.chunked, on: Self.file)
    fixture.server.misbehave(.header("Content-Length", nil), on: "vocab.txt", at: .head)
    fixture.server.misbehave(.gzip, on: "vocab.txt")
    try fixture.fetch()
    fixture.expectIntact()
    #expect(fixture.events.progress.contains { $0.file == Self.file && $0.size == nil })
    #expect(fixture.events.notes.isEmpty)
  }

  @Test func smallFilesByRedirect() throws {
    let fixture = try HubFixture()
    fixture.server.redirectsSmallFiles = true
    try fixture.expectSuccess()
    #expect(fixture.server.requests.contains { $0.method == "GET" && $0.target.hasPrefix("/api/resolve-cache/") })
  }

  @Test func slowIsNotSilent() throws {
    let files = HubFixture.files.merging([Self.file: .generated(6000)]) { $1 }
    let fixture = try HubFixture(HubRepository("o/n", files: files))
    fixture.server.misbehave(.drip(bytesPerSecond: 4000), on: Self.file)
    try fixture.fetch(with: fixture.hub(["HF_HUB_DOWNLOAD_TIMEOUT": "1"]))
    #expect(fixture.server.requests(for: Self.file, method: "GET").count == 1 && fixture.events.notes.isEmpty)
    fixture.expectIntact()
  }

  // MARK: Resuming

  @Test func resumesWithinARun() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.breakAfter(50_000), on: Self.file, times: 2)
    try fixture.fetch()
    let gets = fixture.server.requests(for: Self.file, method: "GET")
    #expect(gets.map(\.rangeStart) == [nil, 50_000, 100_000] && gets.map(\.status) == [200, 206, 206])
    #expect(fixture.server.sent(Self.file) >= 200_000 && fixture.events.notes.count == 2)
    #expect(fixture.events.notes.allSatisfy { $0.contains(Self.file) && $0.contains("retrying") })
    fixture.expectIntact()
    try fixture.expectSuccess()
  }

  /// A fixture whose cache has the first 50,000 bytes of the weights.
  static func halfDone() throws -> HubFixture {
    let fixture = try HubFixture()
    fixture.server.misbehave(.breakAfter(50_000), on: file)
    fixture.server.misbehave(.breakAfter(0), on: file, times: .max)
    let error = fixture.expectFailure(saying: "kept 50 kB")
    #expect(error == .broken(file: file, why: "the connection ended early", kept: 50_000))
    #expect(fixture.part(of: HubFixture.weights) == 50_000)
    fixture.server.behave()
    fixture.server.forgetRequests()
    return fixture
  }

  @Test func resumesInALaterRun() throws {
    let fixture = try Self.halfDone()
    try fixture.expectSuccess()
    let gets = fixture.server.requests(for: Self.file, method: "GET")
    #expect(gets.map(\.rangeStart) == [50_000] && gets.first?.header("Authorization") == nil)
    #expect(fixture.server.wait { $0.reduce(0) { $0 + $1.sent } == 150_000 }, "only the rest is downloaded")
    // Complete files are not requested again.
    #expect(fixture.server.requests(for: "vocab.txt").isEmpty)
    #expect(fixture.events.progress.last?.received == 200_000)
  }

  @Test(arguments: [
    Misbehavior.ignoreRange, .wrongRange(by: 10), .status(416), .header("Content-Range", nil),
    .header("Content-Range", "bytes 50000-199999/999"), .header("Content-Range", "bytes x"), .gzip,
  ])
  func rangesGoneWrong(_ misbehavior: Misbehavior) throws {
    let fixture = try Self.halfDone()
    fixture.server.misbehave(misbehavior, on: Self.file, at: .body)
    try fixture.fetch()
    #expect(fixture.server.requests(for: Self.file, method: "GET").first?.rangeStart == 50_000)
    try fixture.expectSuccess()
  }

  @Test func everyRangeGoesWrong() throws {
    let fixture = try Self.halfDone()
    fixture.server.misbehave(.wrongRange(by: 10), on: Self.file, times: .max)
    _ = try? fixture.fetch()
    fixture.expectIntact()
    try fixture.expectSuccess()
  }

  /// Each attempt starts over, and none gets further than the previous ones: this is not progress.
  @Test func neverGetsFurther() throws {
    let fixture = try HubFixture()
    for number in 0..<40 {
      let count = number % 2 == 0 ? 50_000 : 60_000
      fixture.server.misbehave(.both(.ignoreRange, .breakAfter(count)), on: Self.file)
    }
    fixture.expectFailure(saying: "repeatedly", kind: "broken")
    #expect(fixture.events.notes.allSatisfy { !$0.contains("repeatedly") })
    try fixture.expectSuccess()
  }

  /// A signed address that has expired when the connection breaks.
  @Test func addressExpires() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.breakAfter(50_000), on: Self.file)
    fixture.server.misbehave(.status(403), on: Self.file, at: .body)
    try fixture.fetch()
    #expect(fixture.server.requests(for: Self.file, method: "HEAD").count == 2)
    #expect(fixture.server.requests(for: Self.file, method: "GET").map(\.rangeStart) == [nil, 50_000, 50_000])
    try fixture.expectSuccess()
  }

  /// The part from an earlier run is not the beginning of the file.
  @Test func badPart() throws {
    for count in [1000, 200_000, 300_000] {
      let fixture = try HubFixture()
      let name = "cache/models--o--n/blobs/\(HubFixture.weights.etag).6d6c6d30.incomplete"
      try fixture.folder.write(name, [UInt8](repeating: 1, count: count))
      try fixture.expectSuccess()
      #expect(count > 200_000 || fixture.events.notes.contains { $0.contains("corrupt") }, "\(fixture.events.notes)")
    }
  }

  /// A part that has all bytes needs no download.
  @Test func completePart() throws {
    let fixture = try HubFixture()
    let name = "cache/models--o--n/blobs/\(HubFixture.weights.etag).6d6c6d30.incomplete"
    try fixture.folder.write(name, HubFixture.weights.bytes)
    try fixture.expectSuccess()
    #expect(fixture.server.requests(for: Self.file, method: "GET").isEmpty)
  }

  /// The partial downloads of other clients are not touched.
  @Test func partsOfOthers() throws {
    let fixture = try HubFixture()
    let name = "cache/models--o--n/blobs/\(HubFixture.weights.etag).01234567.incomplete"
    try fixture.folder.write(name, Array(HubFixture.weights.bytes.prefix(1000)))
    try fixture.fetch()
    fixture.expectIntact()
    #expect(fixture.part(of: HubFixture.weights) == 1000)
  }

  @Test func stalls() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.stallAfter(50_000), on: Self.file)
    try fixture.fetch(with: fixture.hub(["HF_HUB_DOWNLOAD_TIMEOUT": "0.5"]))
    #expect(fixture.server.requests(for: Self.file, method: "GET").map(\.rangeStart) == [nil, 50_000])
    #expect(fixture.events.notes.contains { $0.contains("no data for 0.5 s") }, "\(fixture.events.notes)")
    fixture.expectIntact()
  }

  // MARK: Interruption

  @Test func interrupted() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.drip(bytesPerSecond: 200_000), on: Self.file)
    let events = fixture.events
    let hub = fixture.hub(shouldStop: { events.progress.contains { $0.file == Self.file && $0.received >= 40_000 } })
    let error = fixture.expectFailure(saying: "interrupted; kept the downloaded part of model.safetensors", with: hub)
    #expect(error == .interrupted(kept: Self.file))
    let part = try #require(fixture.part(of: HubFixture.weights))
    #expect(part >= 40_000 && part < 200_000)
    fixture.server.forgetRequests()
    try fixture.expectSuccess()
    #expect(fixture.server.requests(for: Self.file, method: "GET").map(\.rangeStart) == [part])
  }

  @Test func interruptedWhileWaiting() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.tooManyRequests(retryAfter: "200"), on: Self.file, times: .max)
    let events = fixture.events
    let hub = fixture.hub(shouldStop: { !events.notes.isEmpty })
    fixture.expectFailure(saying: "interrupted", with: hub, kind: "interrupted")
    try fixture.expectSuccess()
  }

  // MARK: Progress

  @Test func progress() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.breakAfter(50_000), on: Self.file)
    try fixture.fetch()
    let progress = fixture.events.progress.filter { $0.file == Self.file }
    #expect(progress.map(\.received) == progress.map(\.received).sorted())
    #expect(progress.last?.received == 200_000 && progress.allSatisfy { $0.size == 200_000 && $0.bytesPerSecond >= 0 })
    #expect(Set(fixture.events.fetched) == Set(HubFixture.files.keys))
  }
}
