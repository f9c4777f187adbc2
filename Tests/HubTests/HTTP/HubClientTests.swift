import Foundation
import TestSupport
import Testing

@testable import Hub

/// HEAD requests to the hub: the interpretation of responses, and the hosts that receive the token.
@Suite struct HubClientTests {
  // MARK: Misbehavior

  private static func failure(
    _ kind: String, _ misbehavior: Misbehavior, on file: String = "config.json", _ text: String
  ) -> HubFailure {
    HubFailure(kind: kind, misbehavior: misbehavior, file: file, text: text)
  }

  static let cases: [HubFailure] = [
    failure("repositoryNotFound", .unauthorized, "o/n: not found on the hub, or private"),
    failure("repositoryNotFound", .repositoryNotFound, "o/n: not found on the hub"),
    failure("gated", .gated, "o/n: access requires accepting its terms on the hub"),
    failure("revisionNotFound", .revisionNotFound, "o/n has no revision 'main'"),
    failure("fileNotFound", .entryNotFound, "o/n has no config.json at revision main"),
    failure("noVocabulary", .entryNotFound, on: "vocab.txt", "neither tokenizer.json nor vocab.txt"),
    failure("noWeights", .entryNotFound, on: "model.safetensors", "neither model.safetensors nor"),
    failure("refused", .status(403, message: "Blocked\there"), "status 403: Blocked here"),
    failure("refused", .status(416), "status 416"),
    failure("busy", .status(408), "too busy (status 408)"),
    failure("busy", .status(500), "too busy (status 500)"),
    failure("busy", .status(503), on: "model.safetensors", "too busy (status 503)"),
    failure("busy", .tooManyRequests(retryAfter: nil), "too busy (status 429)"),
    failure("busy", .tooManyRequests(retryAfter: "86400"), "asks to wait 86400 s"),
    failure("unreachable", .neverAnswer, "no response in 0.3 s"),
    failure("broken", .raw(""), "ended early"),
    failure("unreachable", .raw("Good morning!\r\n\r\n"), "127.0.0.1"),
    failure("unreachable", .endlessHeader, "127.0.0.1"),
    failure("unreachable", .longHeader(1 << 20), "127.0.0.1"),
    failure("notTheHub", .portal, "lacks X-Repo-Commit, and is a web page"),
    failure("notTheHub", .portal, on: "model.safetensors", "lacks X-Repo-Commit, and is a web page"),
    failure("notTheHub", .redirect("http://portal.example/login?from=hub"), "redirects to http://portal.example"),
    failure("tooManyRedirects", .redirectLoop, "too many redirects"),
    failure("notTheHub", .redirect("file:///etc/passwd"), "redirects to an invalid URL"),
    failure("notTheHub", .redirect("ftp://example/x?signature=1"), "redirects to an invalid URL"),
    failure("notTheHub", .status(404), "404 without saying what is missing"),
    failure("notTheHub", .header("X-Repo-Commit", nil), "lacks X-Repo-Commit"),
    failure("notTheHub", .header("X-Repo-Commit", "../../.."), "lacks X-Repo-Commit"),
    failure("notTheHub", .header("X-Repo-Commit", HubRepository.commit(9)), on: "vocab.txt", "it returns commit"),
    failure("notTheHub", .header("ETag", nil), "config.json lacks an ETag"),
    failure("notTheHub", .header("ETag", "\"../../../x\""), "config.json lacks an ETag"),
    failure("notTheHub", .header("X-Linked-Etag", "\"..\""), on: "model.safetensors", "lacks an ETag"),
    failure("noRoom", .header("X-Linked-Size", "7000000000000000"), on: "model.safetensors", "not enough space for"),
  ]

  @Test(arguments: cases) func misbehavior(_ example: HubFailure) throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(example.misbehavior, on: example.file, at: .head, times: .max)
    let hub = fixture.hub(["HF_HUB_ETAG_TIMEOUT": example.kind == "unreachable" ? "0.3" : "10"])
    fixture.expectFailure(saying: example.text, with: hub, kind: example.kind)
    #expect(fixture.server.requests(for: example.file, method: "GET").isEmpty)
    try fixture.expectSuccess()
  }

  @Test func unreachable() throws {
    let fixture = try HubFixture()
    let gone = try HubServer()
    gone.stop()
    let hub = fixture.hub(["HF_ENDPOINT": gone.endpoint])
    fixture.expectFailure(saying: "cannot reach \(gone.endpoint): connection refused", with: hub)
    let nameless = fixture.hub(["HF_ENDPOINT": "http://no-such-host.invalid"])
    fixture.expectFailure(saying: "cannot reach http://no-such-host.invalid", with: nameless)
    for endpoint in ["file:///etc", "nonsense:", "ftp://h"] {
      let hub = fixture.hub(["HF_ENDPOINT": endpoint])
      fixture.expectFailure(saying: "is not an http or https URL", with: hub, kind: "malformedURL")
    }
    #expect(fixture.server.requests.isEmpty)
    try fixture.expectSuccess(with: fixture.hub(["HF_ENDPOINT": fixture.server.endpoint + "/"]))
  }

  // MARK: Retries

  @Test func retries() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.status(503), on: "config.json", at: .head, times: 2)
    fixture.server.misbehave(.raw(""), on: "vocab.txt", at: .head)
    try fixture.fetch()
    // libcurl silently reopens a connection that ended.
    #expect(fixture.events.notes.count >= 2 && fixture.events.notes.allSatisfy { $0.contains("retrying") })
    fixture.expectIntact()
  }

  @Test func doesNotRetryInVain() throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(.status(403), on: "config.json", times: .max)
    fixture.expectFailure(saying: "status 403")
    #expect(fixture.server.requests.count == 1)
  }

  @Test(arguments: [false, true]) func retryAfter(_ isDate: Bool) throws {
    let fixture = try HubFixture()
    fixture.server.misbehave(
      .tooManyRequests(retryAfter: isDate ? Self.date(inSeconds: 2) : "1"), on: "config.json", at: .head)
    fixture.server.misbehave(.tooManyRequests(retryAfter: "0"), on: "model.safetensors", at: .body)
    var hub = fixture.hub()
    hub.firstDelay = 50
    try fixture.fetch(with: hub)
    let notes = fixture.events.notes
    #expect(notes.count == 2 && notes[0].contains("asks to wait"), "\(notes)")
    #expect(notes.contains { $0.contains("asks to wait 0 s") }, "\(notes)")
  }

  /// A date in HTTP's format.
  static func date(inSeconds seconds: Double) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return formatter.string(from: Date(timeIntervalSinceNow: seconds))
  }

  // MARK: The token

  @Test func onlyTheHubReceivesTheToken() throws {
    for byName in [false, true] {
      let fixture = try HubFixture()
      if byName { fixture.server.storage = fixture.server.storageByName }
      try fixture.expectSuccess()
      let requests = fixture.server.requests
      #expect(requests.contains { $0.host == .storage && $0.method == "GET" })
      for request in requests {
        let expected = request.host == .hub ? "Bearer \(HubFixture.token)" : nil
        #expect(request.header("Authorization") == expected, "\(request.method) \(request.target)")
        #expect(!request.target.contains(HubFixture.token))
      }
    }
  }

  /// A redirect to the same port under another host name, and to another port under the same host name.
  @Test func tokenDoesNotFollowRedirects() throws {
    let other = try HubServer(HubRepository("o/n", files: HubFixture.files))
    for elsewhere in [0, 1] {
      let fixture = try HubFixture()
      let server = fixture.server
      let target = [server.endpointByName, other.endpoint][elsewhere] + "/o/n/resolve/main/config.json"
      server.misbehave(.redirect(target), on: "config.json", times: .max)
      fixture.expectFailure(saying: "lacks X-Repo-Commit", kind: "notTheHub")
      server.behave()
      // A redirect with all headers: followed for the bytes, without the token.
      let headers = [
        "X-Repo-Commit": HubFixture.commit, "Location": target,
        "ETag": "\"\(HubFixture.files["config.json"]?.etag ?? "")\"",
      ]
      server.misbehave(.status(302, headers: headers), on: "config.json", at: .head, times: 2)
      try fixture.fetch()
      let strangers =
        elsewhere == 0 ? server.requests.filter { $0.header("Host")?.hasPrefix("localhost") == true } : other.requests
      #expect(!strangers.isEmpty && strangers.allSatisfy { $0.header("Authorization") == nil })
      fixture.expectIntact()
    }
  }

  @Test func tokenFollowsRenames() throws {
    let fixture = try HubFixture(
      HubRepository("o/new", files: HubFixture.files))
    fixture.server.rename("o/n", to: "o/new")
    try fixture.expectSuccess()
    let hub = fixture.server.requests.filter { $0.host == .hub }
    #expect(hub.allSatisfy { $0.header("Authorization") == "Bearer \(HubFixture.token)" })
    #expect(hub.contains { $0.target.hasPrefix("/o/n/") } && hub.contains { $0.target.hasPrefix("/o/new/") })
  }

  @Test func tokenFromElsewhere() throws {
    let fixture = try HubFixture()
    try fixture.folder.write("home/.cache/huggingface/token", "hf_home\n")
    try fixture.folder.write("own/token", "  hf_own  \nmore\n")
    try fixture.folder.write("file", "hf_file")
    func authorization(_ variables: [String: String]) throws -> String? {
      fixture.server.forgetRequests()
      try FileManager.default.removeItem(atPath: fixture.cache)
      try fixture.fetch(with: fixture.hub(variables.merging(["HF_TOKEN": variables["HF_TOKEN"] ?? ""]) { $1 }))
      return fixture.server.requests.first?.header("Authorization")
    }
    try fixture.fetch()
    #expect(try authorization([:]) == "Bearer hf_home")
    #expect(try authorization(["HF_HOME": fixture.folder.path + "/own"]) == "Bearer hf_own")
    #expect(try authorization(["HF_TOKEN_PATH": fixture.folder.path + "/file"]) == "Bearer hf_file")
    #expect(try authorization(["HUGGING_FACE_HUB_TOKEN": "hf_old"]) == "Bearer hf_old")
    #expect(try authorization(["HUGGING_FACE_HUB_TOKEN": "hf_old", "HF_TOKEN": " hf_new\n"]) == "Bearer hf_new")
    for yes in ["1", "true", "ON", "yes"] {
      #expect(try authorization(["HF_TOKEN": "hf_new", "HF_HUB_DISABLE_IMPLICIT_TOKEN": yes]) == nil)
    }
    #expect(try authorization(["HF_TOKEN": "hf_new", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0"]) == "Bearer hf_new")
  }

  @Test func malformedToken() throws {
    let fixture = try HubFixture()
    for token in ["hf_a\r\nX-Evil: 1", "hf a", "h\u{E9}"] {
      let hub = fixture.hub(["HF_TOKEN": token])
      let error = fixture.expectFailure(saying: "token contains invalid characters", with: hub)
      #expect(error?.message.contains(token) == false)
    }
    #expect(fixture.server.requests.isEmpty)
  }

  @Test func privateRepositories() throws {
    var repository = HubRepository("o/n", files: HubFixture.files)
    repository.access = .holder(of: HubFixture.token)
    let fixture = try HubFixture(repository)
    let nobody = fixture.expectFailure(saying: "private", with: fixture.hub(["HF_TOKEN": ""]))
    #expect(nobody == .repositoryNotFound(repository: "o/n", status: 401, hasToken: false))
    #expect(nobody?.hint?.contains("HF_TOKEN") == true)
    let other = fixture.expectFailure(saying: "private", with: fixture.hub(["HF_TOKEN": "hf_other"]))
    #expect(other == .repositoryNotFound(repository: "o/n", status: 404, hasToken: true))
    try fixture.expectSuccess()
    repository.access = .gated
    repository.name = "o/gated"
    fixture.server.add(repository)
    let gated = HubAddress(repository: "o/gated", revision: "main")
    #expect(fixture.expectFailure(gated, saying: "terms") == .gated(repository: "o/gated", hasToken: true))
  }

  // MARK: Proxies

  @Test(arguments: ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]) func proxy(_ name: String) throws {
    let fixture = try HubFixture()
    fixture.server.storage = "http://cdn.example"
    let hub = fixture.hub(["HF_ENDPOINT": "http://hub.example", name: fixture.server.proxy])
    try fixture.expectSuccess(with: hub)
    let requests = fixture.server.requests
    let storage = requests.filter { $0.target.hasPrefix("http://cdn.example/") }
    #expect(requests.allSatisfy { $0.host == .proxy } && !storage.isEmpty)
    #expect(storage.allSatisfy { $0.header("Authorization") == nil })
  }

  @Test(arguments: ["NO_PROXY", "no_proxy"]) func noProxy(_ name: String) throws {
    let fixture = try HubFixture()
    for exceptions in ["127.0.0.1", "example.org,127.0.0.1", "*"] {
      let hub = fixture.hub(["HTTP_PROXY": fixture.server.proxy, name: exceptions])
      try fixture.expectSuccess(with: hub)
      #expect(fixture.server.requests.allSatisfy { $0.host != .proxy }, "\(exceptions)")
    }
    // Another host's exception does not apply.
    try FileManager.default.removeItem(atPath: fixture.cache)
    fixture.server.forgetRequests()
    try fixture.expectSuccess(with: fixture.hub(["HTTP_PROXY": fixture.server.proxy, name: "example.org"]))
    #expect(fixture.server.requests.allSatisfy { $0.host == .proxy })
  }

  @Test func proxyFailures() throws {
    let fixture = try HubFixture()
    let gone = try HubServer()
    gone.stop()
    let address = gone.proxy.replacing("http://", with: "http://user:passw0rd@")
    let dead = fixture.expectFailure(saying: "the proxy", with: fixture.hub(["HTTP_PROXY": address]))
    #expect(dead == .unreachable(host: gone.proxy, isProxy: true, why: "connection failed"))
    #expect(dead?.hint?.contains("HTTP_PROXY") == true)

    fixture.server.misbehave(.status(407), host: .proxy, times: .max)
    let hub = fixture.hub(["http_proxy": fixture.server.proxy.replacing("http://", with: "http://user:passw0rd@")])
    let refused = fixture.expectFailure(saying: "the proxy", with: hub)
    #expect(refused?.message.contains("407") == true && refused?.message.contains("passw0rd") == false)
    let basic = "Basic " + Data("user:passw0rd".utf8).base64EncodedString()
    #expect(fixture.server.requests.allSatisfy { $0.header("Proxy-Authorization") == basic })
    #expect(fixture.events.notes.allSatisfy { !$0.contains("passw0rd") })
    try fixture.expectSuccess(with: hub)
    // The storage does not receive the proxy's password.
    #expect(fixture.server.requests.allSatisfy { $0.host == .proxy })
  }

  /// If the host is an exception, the error does not name the proxy.
  @Test func noProxyInTheError() throws {
    let fixture = try HubFixture()
    let gone = try HubServer()
    gone.stop()
    let variables = ["HF_ENDPOINT": gone.endpoint, "HTTP_PROXY": fixture.server.proxy, "NO_PROXY": "127.0.0.1"]
    let error = fixture.expectFailure(saying: gone.endpoint, with: fixture.hub(variables))
    #expect(error == .unreachable(host: gone.endpoint, isProxy: false, why: "connection refused"))
  }

  @Test func passwordOfTheEndpoint() throws {
    let fixture = try HubFixture()
    let endpoint = fixture.server.endpoint.replacing("http://", with: "http://user:passw0rd@")
    for status in [403, 302] {
      fixture.server.misbehave(status == 403 ? .status(403) : .redirectLoop, at: .head, times: .max)
      let error = fixture.expectFailure(saying: "/resolve/main/", with: fixture.hub(["HF_ENDPOINT": endpoint]))
      #expect(error?.message.contains("passw0rd") == false)
      fixture.server.behave()
    }
    #expect(!HubError.malformedURL(text: "htp://user:passw0rd@x").message.contains("passw0rd"))
  }

  /// A tunnel refused by the proxy.
  @Test func proxyForHTTPS() throws {
    let fixture = try HubFixture()
    let hub = fixture.hub(["HF_ENDPOINT": "https://hub.example", "HTTPS_PROXY": fixture.server.proxy])
    fixture.expectFailure(saying: "the proxy \(fixture.server.proxy)", with: hub, kind: "unreachable")
    #expect(fixture.server.requests.first?.method == "CONNECT")
    #expect(fixture.server.requests.allSatisfy { $0.header("Authorization") == nil })
  }
}
