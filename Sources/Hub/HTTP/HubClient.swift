/// Requests files from the hub by its protocol: `{endpoint}/{repository}/resolve/{revision}/{file}`.
///
/// A HEAD request returns a file's commit, tag, size and storage address. Redirects within a host (renamed
/// repositories) are followed. A redirect to another host is the storage address; that host never receives the token.
final class HubClient {
  let hub: Hub
  let connection: HTTPConnection
  private let endpoint: WebAddress
  private let token: String?

  static let mostRedirects = 5

  init(_ hub: Hub) throws(HubError) {
    self.hub = hub
    endpoint = try WebAddress(hub.environment.endpoint)
    token = try hub.environment.token()
    connection = try HTTPConnection(hub.environment, shouldStop: hub.shouldStop)
  }

  /// The hub's information about a file.
  struct FileInformation: Equatable {
    var commit: String
    /// The identifier of the content: its SHA-256, or its git blob ID.
    var tag: String
    /// The size in bytes; nil if the hub does not report it.
    var size: Int?
    var location: WebAddress
  }

  /// Indirect: otherwise Swift 6.3 releases it by padding bits of its layout that are never set, according to valgrind.
  indirect enum Answer {
    case found(FileInformation)
    /// The repository has no such file. `commit`: the commit, if the hub reports it.
    case missing(commit: String?)
  }

  /// Requests the information about a file. Throws `HubError`.
  func information(on file: String, of address: HubAddress) throws -> Answer {
    let url = try url(of: file, address)
    var retry = Retry(hub, limit: 4)
    while true {
      do {
        let (head, finalURL, earlier) = try ask(url)
        guard Retry.isBusy(head) else { return try interpret(head, at: finalURL, after: earlier, url, file, address) }
        try retry.wait(
          after: .busy(host: endpoint.origin, status: head.status, wait: head.retryAfter), asked: head.retryAfter)
      } catch let failure as HTTPFailure {
        let error = self.error(failure, at: url, file: file, kept: 0)
        // Without a network, or on the wrong one, retries are useless.
        switch failure {
        case .insecure: throw error
        case .unreachable where retry.count > 0, .proxy where retry.count > 0: throw error
        default: break
        }
        try retry.wait(after: error, asked: nil)
      }
    }
  }

  private func url(of file: String, _ address: HubAddress) throws(HubError) -> WebAddress {
    let revision = Self.encoded(address.revision, keepingSlashes: false)
    return try WebAddress(
      "\(endpoint.text.hasSuffix("/") ? String(endpoint.text.dropLast()) : endpoint.text)/\(address.repository)"
        + "/resolve/\(revision)/\(Self.encoded(file, keepingSlashes: true))")
  }

  /// Sends HEAD and follows redirects within the host.
  private func ask(_ url: WebAddress) throws -> (head: HTTPHead, finalURL: WebAddress, earlier: [HTTPHead]) {
    var url = url
    let start = url
    var earlier: [HTTPHead] = []
    let timeout = hub.environment.etagTimeout
    while earlier.count <= Self.mostRedirects {
      let request = HTTPRequest(
        method: .head, address: url, headers: headers(for: url), idleTimeout: timeout, limit: timeout)
      let head = try connection.perform(request)
      guard head.isRedirect else { return (head, url, earlier) }
      let target = try Self.target(of: head, from: url)
      guard target.isSameOrigin(as: url) else { return (head, url, earlier) }
      earlier.append(head)
      url = target
    }
    throw HubError.tooManyRedirects(url: start.shown)
  }

  /// The target of a redirect. Errors do not repeat it, as it may be signed.
  static func target(of head: HTTPHead, from url: WebAddress) throws(HubError) -> WebAddress {
    do throws(HubError) {
      return try WebAddress(head["location"] ?? "", relativeTo: url)
    } catch .malformedURL {
      throw .notTheHub(host: url.origin, why: "it redirects to an invalid URL")
    }
  }

  /// The headers of a request. Only the hub receives the token.
  func headers(for url: WebAddress) -> [(name: String, value: String)] {
    var headers = [(name: "Accept-Encoding", value: "identity")]
    if let token, url.isSameOrigin(as: endpoint) { headers.append(("Authorization", "Bearer \(token)")) }
    return headers
  }

  private func interpret(
    _ head: HTTPHead, at finalURL: WebAddress, after earlier: [HTTPHead], _ url: WebAddress, _ file: String,
    _ address: HubAddress
  ) throws(HubError) -> Answer {
    guard head.status == 200 || head.isRedirect else { return try refusal(head, url, file, address) }
    /// The header of the last response that has it.
    func header(_ name: String) -> String? { ([head] + earlier.reversed()).lazy.compactMap { $0[name] }.first }

    guard let commit = header("x-repo-commit"), HubAddress.isCommit(commit) else {
      var why = "its response lacks X-Repo-Commit"
      if head.isWebPage { why += ", and is a web page" }
      if head.isRedirect, let target = try? Self.target(of: head, from: finalURL) {
        why += ", and redirects to \(target.origin)"
      }
      throw .notTheHub(host: finalURL.origin, why: why)
    }
    guard !address.isCommit || commit == address.revision else {
      throw .notTheHub(host: finalURL.origin, why: "it returns commit \(commit) instead of \(address.revision)")
    }
    guard let tag = header("x-linked-etag").flatMap(Self.tag) ?? header("etag").flatMap(Self.tag) else {
      throw .notTheHub(host: finalURL.origin, why: "its response for \(file) lacks an ETag")
    }
    let length = head.isRedirect || !head.isIdentity ? nil : head.contentLength
    let size = header("x-linked-size").flatMap { Int($0) } ?? length
    let location = head.isRedirect ? try Self.target(of: head, from: finalURL) : finalURL
    return .found(
      FileInformation(commit: commit, tag: tag, size: size.flatMap { $0 < 0 ? nil : $0 }, location: location))
  }

  /// Interprets a status other than success.
  private func refusal(
    _ head: HTTPHead, _ url: WebAddress, _ file: String, _ address: HubAddress
  ) throws(HubError) -> Answer {
    let hasToken = token != nil
    switch (head.status, head["x-error-code"]) {
    case (_, "GatedRepo"): throw .gated(repository: address.repository, hasToken: hasToken)
    case (_, "RevisionNotFound"):
      throw .revisionNotFound(repository: address.repository, revision: address.revision)
    case (_, "RepoNotFound"), (401, _):
      throw .repositoryNotFound(repository: address.repository, status: head.status, hasToken: hasToken)
    case (404, nil) where head["x-repo-commit"] == nil && file == ModelFiles.configuration:
      throw .notTheHub(host: url.origin, why: "it responds with 404 without saying what is missing")
    case (404, _):
      let commit = head["x-repo-commit"].flatMap { HubAddress.isCommit($0) ? $0 : nil }
      return .missing(commit: commit)
    case (407, _):
      throw .unreachable(
        host: connection.proxy(for: url) ?? url.origin, isProxy: true, why: "it requires a user name and password (407)"
      )
    default: throw .refused(url: url.shown, status: head.status, why: head["x-error-message"].map(Self.oneLine))
    }
  }

  /// The error for a failed request.
  func error(_ failure: HTTPFailure, at url: WebAddress, file: String, kept: Int) -> HubError {
    let proxy = connection.proxy(for: url)
    switch failure {
    case .unreachable(let why), .timedOut(let why), .other(let why):
      return .unreachable(host: url.origin, isProxy: false, why: why)
    case .proxy(let why): return .unreachable(host: proxy ?? url.origin, isProxy: true, why: why)
    case .insecure(let why): return .insecure(host: url.origin, why: why)
    case .broken(let why): return .broken(file: file, why: why, kept: kept)
    case .stopped: return .interrupted(kept: kept > 0 ? file : nil)
    }
  }

  /// An ETag without its quotes; nil if it cannot be a file name.
  static func tag(_ header: String) -> String? {
    var text = Substring(header)
    if text.hasPrefix("W/") { text = text.dropFirst(2) }
    if text.utf8.count >= 2, text.first == "\"", text.last == "\"" { text = text.dropFirst().dropLast() }
    return HubAddress.isName(text) && text.utf8.count <= 128 ? String(text) : nil
  }

  /// Percent-encodes everything except letters, digits and `-._~`.
  static func encoded(_ text: String, keepingSlashes: Bool) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        bytes.append(byte)
      case UInt8(ascii: "/") where keepingSlashes: bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func oneLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(200).map { $0.value < 0x20 ? " " : $0 }))
  }
}
