/// Asks the hub for files, by its protocol: `{endpoint}/{repository}/resolve/{revision}/{file}`.
///
/// A HEAD request tells what a file is: its commit, its tag, its size, and where its bytes are. Redirects within a host (renamed
/// repositories) are followed; one to another host is where the bytes are, and that host never sees the token.
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

  /// What the hub says of a file.
  struct FileInformation: Equatable {
    var commit: String
    /// Names the content: its SHA-256, or its git blob id.
    var tag: String
    /// Bytes; nil where the hub does not say.
    var size: Int?
    var location: WebAddress
  }

  /// Indirect: Swift 6.3 otherwise releases it by bits of its layout's padding that nobody set, as valgrind says.
  indirect enum Answer {
    case found(FileInformation)
    /// The repository has no such file; the commit, where the hub said it.
    case missing(commit: String?)
  }

  /// Asks what a file is. Throws `HubError`.
  func information(on file: String, of address: HubAddress) throws -> Answer {
    let url = try url(of: file, address)
    var retry = Retry(hub, limit: 4)
    while true {
      do {
        let (head, place, earlier) = try ask(url)
        guard Retry.isBusy(head) else { return try interpret(head, at: place, after: earlier, url, file, address) }
        try retry.wait(
          after: .busy(host: endpoint.origin, status: head.status, wait: head.retryAfter), asked: head.retryAfter)
      } catch let failure as HTTPFailure {
        let error = self.error(failure, at: url, file: file, kept: 0)
        // Where there is no network, or the wrong one, nothing is gained by trying often.
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

  /// Sends HEAD, and follows redirects that stay on the host.
  private func ask(_ url: WebAddress) throws -> (head: HTTPHead, place: WebAddress, earlier: [HTTPHead]) {
    var place = url
    var earlier: [HTTPHead] = []
    let timeout = hub.environment.etagTimeout
    while earlier.count <= Self.mostRedirects {
      let request = HTTPRequest(
        method: .head, address: place, headers: headers(for: place), idleTimeout: timeout, limit: timeout)
      let head = try connection.perform(request)
      guard head.isRedirect else { return (head, place, earlier) }
      let target = try Self.target(of: head, from: place)
      guard target.isSameOrigin(as: place) else { return (head, place, earlier) }
      earlier.append(head)
      place = target
    }
    throw HubError.tooManyRedirects(url: url.shown)
  }

  /// Where a redirect leads. What it says is not repeated in an error: it may be signed.
  static func target(of head: HTTPHead, from place: WebAddress) throws(HubError) -> WebAddress {
    do throws(HubError) {
      return try WebAddress(head["location"] ?? "", relativeTo: place)
    } catch .malformedURL {
      throw .notTheHub(host: place.origin, why: "it redirects to what is no web address")
    }
  }

  /// The token goes to the hub alone.
  func headers(for place: WebAddress) -> [(name: String, value: String)] {
    var headers = [(name: "Accept-Encoding", value: "identity")]
    if let token, place.isSameOrigin(as: endpoint) { headers.append(("Authorization", "Bearer \(token)")) }
    return headers
  }

  private func interpret(
    _ head: HTTPHead, at place: WebAddress, after earlier: [HTTPHead], _ url: WebAddress, _ file: String,
    _ address: HubAddress
  ) throws(HubError) -> Answer {
    guard head.status == 200 || head.isRedirect else { return try refusal(head, url, file, address) }
    /// The last answer that has a header decides.
    func header(_ name: String) -> String? { ([head] + earlier.reversed()).lazy.compactMap { $0[name] }.first }

    guard let commit = header("x-repo-commit"), HubAddress.isCommit(commit) else {
      var why = "its answer lacks X-Repo-Commit"
      if head.isWebPage { why += ", and is a web page" }
      if head.isRedirect, let target = try? Self.target(of: head, from: place) {
        why += ", and leads to \(target.origin)"
      }
      throw .notTheHub(host: place.origin, why: why)
    }
    guard !address.isCommit || commit == address.revision else {
      throw .notTheHub(host: place.origin, why: "asked for commit \(address.revision), it gives \(commit)")
    }
    guard let tag = header("x-linked-etag").flatMap(Self.tag) ?? header("etag").flatMap(Self.tag) else {
      throw .notTheHub(host: place.origin, why: "its answer for \(file) lacks an ETag")
    }
    let length = head.isRedirect || !head.isIdentity ? nil : head.contentLength
    let size = header("x-linked-size").flatMap { Int($0) } ?? length
    let location = head.isRedirect ? try Self.target(of: head, from: place) : place
    return .found(
      FileInformation(commit: commit, tag: tag, size: size.flatMap { $0 < 0 ? nil : $0 }, location: location))
  }

  /// What a status other than success means.
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
      throw .notTheHub(host: url.origin, why: "it answers 404 without saying what is not found")
    case (404, _):
      let commit = head["x-repo-commit"].flatMap { HubAddress.isCommit($0) ? $0 : nil }
      return .missing(commit: commit)
    case (407, _):
      throw .unreachable(
        host: connection.proxy(for: url) ?? url.origin, isProxy: true, why: "it wants a name and a password (407)")
    default: throw .refused(url: url.shown, status: head.status, why: head["x-error-message"].map(Self.oneLine))
    }
  }

  /// What a failed request means.
  func error(_ failure: HTTPFailure, at place: WebAddress, file: String, kept: Int) -> HubError {
    let proxy = connection.proxy(for: place)
    switch failure {
    case .unreachable(let why), .timedOut(let why), .other(let why):
      return .unreachable(host: place.origin, isProxy: false, why: why)
    case .proxy(let why): return .unreachable(host: proxy ?? place.origin, isProxy: true, why: why)
    case .insecure(let why): return .insecure(host: place.origin, why: why)
    case .broken(let why): return .broken(file: file, why: why, kept: kept)
    case .stopped: return .interrupted(kept: kept > 0 ? file : nil)
    }
  }

  /// An ETag without its quotes; nil for what cannot be a file's name.
  static func tag(_ header: String) -> String? {
    var text = Substring(header)
    if text.hasPrefix("W/") { text = text.dropFirst(2) }
    if text.utf8.count >= 2, text.first == "\"", text.last == "\"" { text = text.dropFirst().dropLast() }
    return HubAddress.isName(text) && text.utf8.count <= 128 ? String(text) : nil
  }

  /// With everything but letters, digits and `-._~` as `%XX`.
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
