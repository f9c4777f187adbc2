import Glibc
import TestSupport
import Testing

@testable import Hub

/// The test hub itself, accessed over a bare socket.
@Suite struct HubServerTests {
  static let large = HubFile.generated(300_000)
  static let small = HubFile("{\"a\": 1}\n")
  static let repository = HubRepository("o/n", files: ["config.json": small, "sub/model.safetensors": large])
  static let commit = HubRepository.commit(1)
  static let largePath = "/o/n/resolve/main/sub/model.safetensors"

  // Test vectors of FIPS 180 and `git hash-object`.
  @Test func hashes() {
    #expect(Hash.sha256([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(Hash.sha256(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    let two = Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)
    #expect(Hash.sha256(two) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(Hash.sha1(Array("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(Hash.sha1(two) == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
    #expect(Hash.gitBlob([]) == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    #expect(Hash.gitBlob(Array("test content\n".utf8)) == "d670460b4b4aece5915caf5c68d12f560a9fe3e4")
  }

  @Test func smallFile() throws {
    let server = try HubServer(Self.repository)
    for revision in ["main", Self.commit] {
      let client = try Client(server.endpoint)
      let head = try client.ask("HEAD", "/o/n/resolve/\(revision)/config.json")
      #expect(head.status == 200 && head.body.isEmpty)
      #expect(head["x-repo-commit"] == Self.commit && head["etag"] == "\"\(Self.small.etag)\"")
      #expect(head["content-length"] == "9")
      // The connection stays open.
      let get = try client.ask("GET", "/o/n/resolve/\(revision)/config.json")
      #expect(get.status == 200 && get.body == Self.small.bytes)
    }
    #expect(server.requests.map(\.method) == ["HEAD", "GET", "HEAD", "GET"])
    #expect(server.requests.map(\.status) == [200, 200, 200, 200] && server.sent("config.json") == 18)
    server.redirectsSmallFiles = true
    let client = try Client(server.endpoint)
    let redirect = try client.ask("HEAD", "/o/n/resolve/main/config.json")
    #expect(redirect.status == 307 && redirect["x-linked-etag"] == "\"\(Self.small.etag)\"")
    #expect(try client.ask("GET", redirect["location"] ?? "").body == Self.small.bytes)
  }

  @Test func largeFile() throws {
    let server = try HubServer(Self.repository)
    let head = try Client(server.endpoint).ask("HEAD", Self.largePath)
    #expect(head.status == 302 && head["x-linked-etag"] == "\"\(Self.large.etag)\"")
    #expect(head["x-linked-size"] == "300000" && head["x-repo-commit"] == Self.commit)
    let location = try #require(head["location"])
    #expect(location.hasPrefix(server.storage + "/") && server.storage != server.endpoint)
    let client = try Client(server.storage)
    let path = String(location.dropFirst(server.storage.count))
    #expect(try client.ask("GET", path).body == Self.large.bytes)
    let part = try client.ask("GET", path, ["Range": "bytes=299990-"])
    #expect(part.status == 206 && part["content-range"] == "bytes 299990-299999/300000")
    #expect(part.body == Array(Self.large.bytes.suffix(10)))
    #expect(try client.ask("GET", path, ["Range": "bytes=300000-"]).status == 416)
    #expect(try client.ask("GET", path, ["Authorization": "Bearer x"]).status == 400)
    #expect(try client.ask("GET", String(path.prefix { $0 != "?" })).status == 403)
    let asked = server.requests(for: "sub/model.safetensors")
    #expect(asked.map(\.host) == [.hub, .storage, .storage, .storage, .storage, .storage])
    #expect(asked[2].rangeStart == 299_990 && asked[2].sent == 10)
  }

  @Test func names() throws {
    var repository = Self.repository
    repository.references["refs/pr/1"] = HubRepository.commit(2)
    repository.commits[HubRepository.commit(2)] = ["a b": Self.small]
    let server = try HubServer(repository)
    server.rename("old", to: "o/n")
    let client = try Client(server.endpoint)
    #expect(try client.ask("GET", "/o/n/resolve/refs%2Fpr%2F1/a%20b").body == Self.small.bytes)
    let moved = try client.ask("HEAD", "/old/resolve/main/config.json")
    #expect(moved.status == 307 && moved["location"] == "/o/n/resolve/main/config.json")
    let information = try client.ask("GET", "/api/models/o/n/revision/main")
    #expect(String(decoding: information.body, as: UTF8.self).contains("\"sha\":\"\(Self.commit)\""))
  }

  @Test func refusals() throws {
    var secret = Self.repository
    secret.name = "o/secret"
    secret.access = .holder(of: "hf_1")
    var gated = Self.repository
    gated.name = "o/gated"
    gated.access = .gated
    let server = try HubServer(Self.repository, secret, gated)
    let client = try Client(server.endpoint)
    func code(_ path: String, token: String? = nil) throws -> String {
      let answer = try client.ask("HEAD", path, token.map { ["Authorization": "Bearer \($0)"] } ?? [:])
      return "\(answer.status) \(answer["x-error-code"] ?? "")"
    }
    #expect(try code("/o/none/resolve/main/config.json") == "401 RepoNotFound")
    #expect(try code("/o/none/resolve/main/config.json", token: "x") == "404 RepoNotFound")
    #expect(try code("/o/n/resolve/next/config.json") == "404 RevisionNotFound")
    #expect(try code("/o/n/resolve/main/vocab.txt") == "404 EntryNotFound")
    #expect(try code("/o/secret/resolve/main/config.json") == "401 RepoNotFound")
    #expect(try code("/o/secret/resolve/main/config.json", token: "hf_1") == "200 ")
    #expect(try code("/o/gated/resolve/main/config.json", token: "hf_1") == "403 GatedRepo")
  }

  @Test func proxy() throws {
    let server = try HubServer(Self.repository)
    server.storage = "http://cdn.example"
    let client = try Client(server.proxy)
    #expect(try client.ask("GET", "http://hub.example/o/n/resolve/main/config.json").body == Self.small.bytes)
    let head = try client.ask("HEAD", "http://hub.example" + Self.largePath)
    let location = try #require(head["location"])
    #expect(location.hasPrefix("http://cdn.example/"))
    #expect(try client.ask("GET", location).body == Self.large.bytes)
    server.misbehave(.status(407), host: .proxy)
    #expect(try client.ask("GET", location).status == 407)
    #expect(server.requests.allSatisfy { $0.host == .proxy } && server.requests.count == 4)
  }

  @Test func misbehavesInBodies() throws {
    let server = try HubServer(HubRepository("o/n", files: ["f": Self.large, "g": HubFile(Self.large.bytes)]))
    let bytes = Self.large.bytes
    func get(_ range: Int? = nil) throws -> Answer {
      try Client(server.endpoint).ask("GET", "/o/n/resolve/main/g", range.map { ["Range": "bytes=\($0)-"] } ?? [:])
    }
    for reset in [false, true] {
      server.misbehave(.breakAfter(1000, reset: reset), on: "g")
      let broken = try get()
      #expect(broken["content-length"] == "300000" && broken.isCut)
      if !reset { #expect(broken.body == Array(bytes.prefix(1000))) }
    }
    #expect(try get().body == bytes, "one order, one request")
    server.misbehave(.wrongBytes(from: 10), on: "g")
    let wrong = try get().body
    #expect(wrong.count == bytes.count && wrong.prefix(10) == bytes.prefix(10) && wrong[10] != bytes[10])
    server.misbehave(.shorter(by: 5), on: "g")
    #expect(try get().body == bytes.dropLast(5))
    server.misbehave(.longer(by: 5), on: "g")
    #expect(try get().body == bytes + Array("xxxxx".utf8))
    server.misbehave(.ignoreRange, on: "g")
    let whole = try get(100)
    #expect(whole.status == 200 && whole.body == bytes)
    server.misbehave(.wrongRange(by: 10), on: "g")
    let early = try get(100)
    #expect(early.status == 206 && early["content-range"] == "bytes 90-299999/300000")
    #expect(early.body == Array(bytes[90...]))
    server.misbehave(.chunked, on: "g")
    let chunked = try get()
    #expect(chunked["transfer-encoding"] == "chunked" && chunked["content-length"] == nil)
    #expect(chunked.body.count > bytes.count && chunked.body.suffix(5) == Array("0\r\n\r\n".utf8)[...])
    server.misbehave(.untilClose, on: "g")
    let open = try get()
    #expect(open["content-length"] == nil && open.body == bytes)
    server.misbehave(.gzip, on: "g")
    let packed = try get()
    #expect(packed["content-encoding"] == "gzip" && packed.body.prefix(3) == [0x1f, 0x8b, 8])
    server.misbehave(.stallAfter(1000), on: "g")
    let stalled = try Client(server.endpoint, seconds: 1).ask("GET", "/o/n/resolve/main/g")
    #expect(stalled.body.count == 1000 && stalled.isCut)
  }

  @Test func misbehavesInAnswers() throws {
    let server = try HubServer(Self.repository)
    func head(_ misbehavior: Misbehavior) throws -> Answer {
      server.misbehave(misbehavior, on: "config.json", at: .head)
      return try Client(server.endpoint, seconds: 1).ask("HEAD", "/o/n/resolve/main/config.json")
    }
    let busy = try head(.tooManyRequests(retryAfter: "7"))
    #expect(busy.status == 429 && busy["retry-after"] == "7")
    #expect(try head(.gated)["x-error-code"] == "GatedRepo")
    let portal = try head(.portal)
    #expect(portal.status == 200 && portal["x-repo-commit"] == nil)
    #expect(try head(.redirect("file:///etc/passwd"))["location"] == "file:///etc/passwd")
    #expect(try head(.redirectLoop)["location"] == server.endpoint + "/o/n/resolve/main/config.json")
    #expect(try head(.header("X-Repo-Commit", nil))["x-repo-commit"] == nil)
    #expect(try head(.header("Content-Length", nil))["content-length"] == nil)
    #expect(try head(.header("ETag", "W/\"1\""))["etag"] == "W/\"1\"")
    #expect(try head(.longHeader(5000))["x-long"]?.count == 5000)
    #expect(try head(.neverAnswer).status == 0)
    #expect(try head(.raw("")).status == 0)
    #expect(try head(.endlessHeader).status == 0)
    #expect(server.requests.filter { $0.status == nil }.count == 3)
    // Orders for one file or moment do not affect others.
    server.misbehave(.status(500), on: "config.json", at: .head, times: .max)
    let client = try Client(server.endpoint)
    #expect(try client.ask("GET", "/o/n/resolve/main/config.json").status == 200)
    #expect(try client.ask("HEAD", Self.largePath).status == 302)
    #expect(try client.ask("HEAD", "/o/n/resolve/main/config.json").status == 500)
    server.behave()
    #expect(try client.ask("HEAD", "/o/n/resolve/main/config.json").status == 200)
  }

  @Test func waitsAndStops() throws {
    let server = try HubServer(Self.repository)
    #expect(!server.wait(seconds: 0.01) { !$0.isEmpty })
    let client = try Client(server.endpoint)
    _ = try client.ask("HEAD", "/o/n/resolve/main/config.json")
    #expect(server.wait { $0.count == 1 })
    let endpoint = server.endpoint
    server.stop()
    #expect(try client.ask("HEAD", "/o/n/resolve/main/config.json").status == 0)
    #expect(throws: Client.Failure.self) { try Client(endpoint) }
  }
}

/// A response as received; the body is not decoded.
private struct Answer {
  /// The status; 0: no response.
  var status = 0
  var headers: [String: String] = [:]
  var body: [UInt8] = []
  /// Whether the body was shorter than announced.
  var isCut: Bool { headers["content-length"].flatMap { Int($0) } ?? body.count > body.count }

  subscript(_ name: String) -> String? { headers[name] }
}

/// A bare HTTP client on a socket.
private final class Client {
  struct Failure: Error {}
  let socket: Int32

  /// - Parameter seconds: the time to wait for the next byte.
  init(_ endpoint: String, seconds: Int = 10) throws {
    guard let port = UInt16(endpoint.split(separator: ":").last ?? "") else { throw Failure() }
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, length) == 0 }
    }
    if !isConnected { throw Failure() }
  }

  deinit { close(socket) }

  func ask(_ method: String, _ target: String, _ headers: [String: String] = [:]) throws -> Answer {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    let request = Array((text + "\r\n").utf8)
    guard send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return Answer() }
    var received: [UInt8] = []
    var answer = Answer()
    var headEnd: Int?
    while true {
      if headEnd == nil, let range = received.suffix(1 << 16).firstRange(of: Array("\r\n\r\n".utf8)) {
        headEnd = range.upperBound
        let lines = String(decoding: received[..<range.lowerBound], as: UTF8.self).split(separator: "\r\n")
        answer.status = Int(lines[0].split(separator: " ")[1]) ?? 0
        for line in lines.dropFirst() {
          guard let colon = line.firstIndex(of: ":") else { continue }
          answer.headers[line[..<colon].lowercased()] = String(line[line.index(colon, offsetBy: 2)...])
        }
      }
      if let headEnd {
        let length = answer["content-length"].flatMap { Int($0) }
        if method == "HEAD" || length == received.count - headEnd { break }
      }
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      let count = recv(socket, &piece, piece.count, 0)
      if count <= 0 { break }
      received += piece[..<count]
      if answer["transfer-encoding"] == "chunked", received.suffix(5) == Array("0\r\n\r\n".utf8)[...] { break }
    }
    if let headEnd, method != "HEAD" { answer.body = Array(received[headEnd...]) }
    return answer
  }

  private var port: UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(socket, $0, &length) }
    }
    return UInt16(bigEndian: address.sin_port)
  }
}
