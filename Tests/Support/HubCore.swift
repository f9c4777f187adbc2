import Foundation

/// The shared state of a test hub's threads: the repositories, the orders to misbehave, the recorded requests.
///
/// `@unchecked`: all variables are guarded by the lock.
final class HubCore: @unchecked Sendable {
  struct Order {
    let misbehavior: Misbehavior
    let path: String?
    let moment: Misbehavior.Moment
    let host: HTTPRequest.Host?
    var times: Int
  }

  private let condition = NSCondition()
  private var repositories: [String: HubRepository] = [:]
  private var renamed: [String: String] = [:]
  private var orders: [Order] = []
  private var recorded: [HTTPRequest] = []
  /// The number of requests before the recorded ones.
  private var forgotten = 0
  private var storageAddress: String
  private var cachesSmallFiles = false

  init(storageAddress: String) { self.storageAddress = storageAddress }

  private func locked<T>(_ body: () -> T) -> T {
    condition.lock()
    defer { condition.unlock() }
    return body()
  }

  var storage: String {
    get { locked { storageAddress } }
    set { locked { storageAddress = newValue } }
  }
  var redirectsSmallFiles: Bool {
    get { locked { cachesSmallFiles } }
    set { locked { cachesSmallFiles = newValue } }
  }
  var requests: [HTTPRequest] { locked { recorded } }

  func forgetRequests() {
    locked {
      forgotten += recorded.count
      recorded = []
    }
  }
  func add(_ repository: HubRepository) { locked { repositories[repository.name] = repository } }
  func rename(_ old: String, to new: String) { locked { renamed[old] = new } }
  func add(_ order: Order) { locked { orders.append(order) } }
  func forgetOrders() { locked { orders = [] } }

  func wait(seconds: Double, until holds: ([HTTPRequest]) -> Bool) -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    condition.lock()
    defer { condition.unlock() }
    while !holds(recorded) {
      guard condition.wait(until: deadline) else { return holds(recorded) }
    }
    return true
  }

  /// Records how much of a response's body was sent.
  func record(_ number: Int, sent: Int) {
    locked {
      if recorded.indices.contains(number - forgotten) { recorded[number - forgotten].sent = sent }
      condition.broadcast()
    }
  }

  /// The response to a request, including misbehavior, and the index of the request in the record.
  func answer(_ request: HTTPRequest) -> (number: Int, HTTPResponse) {
    locked {
      var response = respond(to: request, ignoringRange: false)
      let order = orders.firstIndex { order in
        guard order.times > 0, order.host == nil || order.host == request.host else { return false }
        if let path = order.path, !request.path.hasSuffix("/" + path) { return false }
        switch order.moment {
        case .anyRequest: return true
        case .head: return request.method == "HEAD"
        case .body: return request.method == "GET" && response.isFile
        }
      }
      if let order {
        orders[order].times -= 1
        let whole = { self.respond(to: request, ignoringRange: true) }
        orders[order].misbehavior.spoil(&response, to: request, whole: whole)
      }
      var request = request
      request.status = response.isSilent || response.raw != nil ? nil : response.status
      recorded.append(request)
      condition.broadcast()
      return (forgotten + recorded.count - 1, response)
    }
  }

  // MARK: Correct responses

  private func respond(to request: HTTPRequest, ignoringRange: Bool) -> HTTPResponse {
    guard request.method == "GET" || request.method == "HEAD" else { return HTTPResponse(status: 502) }
    let isStorage: Bool
    switch request.host {
    case .hub: isStorage = false
    case .storage: isStorage = true
    case .proxy:
      guard request.target.hasPrefix("http://") else { return HTTPResponse(status: 400) }
      isStorage = request.target.hasPrefix(storageAddress + "/")
    }
    let words = request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
    return isStorage
      ? stored(words, request, ignoringRange: ignoringRange) : hub(words, request, ignoringRange: ignoringRange)
  }

  /// `/{repository}/resolve/{revision}/{path}`, `/api/models/{repository}/revision/{revision}` and
  /// `/api/resolve-cache/models/{repository}/{commit}/{path}`.
  private func hub(_ words: [String], _ request: HTTPRequest, ignoringRange: Bool) -> HTTPResponse {
    // Slashes in a revision are percent-encoded: the undecoded path shows where the revision ends.
    let raw = Self.rawWords(of: request.target)
    if let resolve = raw.firstIndex(of: "resolve"), (1...2).contains(resolve), raw.count > resolve + 2 {
      let name = raw[..<resolve].map { HTTPRequest.decode($0[...]) }.joined(separator: "/")
      if let new = renamed[name] {
        var response = HTTPResponse(status: 307)
        response["Location"] = "/\(new)/resolve/" + raw[(resolve + 1)...].joined(separator: "/")
        return response
      }
      let path = raw[(resolve + 2)...].map { HTTPRequest.decode($0[...]) }.joined(separator: "/")
      return find(name, HTTPRequest.decode(raw[resolve + 1][...]), path, request) { commit, file in
        self.resolved(name, commit, path, file, request, ignoringRange: ignoringRange)
      }
    }
    if words.starts(with: ["api", "resolve-cache", "models"]), words.count > 6 {
      let name = words[3...4].joined(separator: "/")
      let path = words[6...].joined(separator: "/")
      return find(name, words[5], path, request) { commit, file in
        self.served(file, commit: commit, request, ignoringRange: ignoringRange)
      }
    }
    if raw.starts(with: ["api", "models"]), let mark = raw.firstIndex(of: "revision"), raw.count == mark + 2 {
      let name = raw[2..<mark].joined(separator: "/")
      return find(name, HTTPRequest.decode(raw[mark + 1][...]), nil, request) { commit, _ in
        let files = self.repositories[name]?.commits[commit]?.keys.sorted() ?? []
        let siblings = files.map { "{\"rfilename\":\"\($0)\"}" }.joined(separator: ",")
        var response = HTTPResponse(
          status: 200, body: Array("{\"id\":\"\(name)\",\"sha\":\"\(commit)\",\"siblings\":[\(siblings)]}".utf8))
        response["Content-Type"] = "application/json; charset=utf-8"
        return response
      }
    }
    return HTTPResponse(status: 404)
  }

  /// The errors of the repository and the revision, or the result of `body` for the commit and the file.
  private func find(
    _ name: String, _ revision: String, _ path: String?, _ request: HTTPRequest,
    _ body: (String, HubFile) -> HTTPResponse
  ) -> HTTPResponse {
    func failed(_ status: Int, _ code: String, _ message: String) -> HTTPResponse {
      var response = HTTPResponse(status: status, body: Array(message.utf8))
      response["X-Error-Code"] = code
      response["X-Error-Message"] = message
      return response
    }
    let token = request.header("Authorization")
    // The real hub responds with 401 to anonymous users, so that they cannot find out what exists.
    let missing = failed(token == nil ? 401 : 404, "RepoNotFound", "Repository not found")
    guard let repository = repositories[name] else { return missing }
    switch repository.access {
    case .everybody: break
    case .holder(let secret): if token != "Bearer \(secret)" { return missing }
    case .gated:
      return failed(token == nil ? 401 : 403, "GatedRepo", "Access to model \(name) is restricted.")
    }
    guard let commit = repository.commit(of: revision) else {
      return failed(404, "RevisionNotFound", "Invalid rev id: \(revision)")
    }
    guard let path else { return body(commit, HubFile([])) }
    guard let file = repository.commits[commit]?[path] else {
      var response = failed(404, "EntryNotFound", "Entry not found")
      response["X-Repo-Commit"] = commit
      return response
    }
    return body(commit, file)
  }

  private func resolved(
    _ name: String, _ commit: String, _ path: String, _ file: HubFile, _ request: HTTPRequest, ignoringRange: Bool
  ) -> HTTPResponse {
    guard file.isLarge || cachesSmallFiles else {
      return served(file, commit: commit, request, ignoringRange: ignoringRange)
    }
    var response = HTTPResponse(status: file.isLarge ? 302 : 307, body: Array("Redirecting".utf8))
    response["X-Repo-Commit"] = commit
    response["X-Linked-Size"] = String(file.bytes.count)
    response["X-Linked-Etag"] = "\"\(file.etag)\""
    response["Location"] =
      file.isLarge
      ? "\(storageAddress)/\(name)/\(file.etag)/\(path)?X-Amz-Signature=0123&response-content-disposition=inline"
      : "/api/resolve-cache/models/\(name)/\(commit)/\(path)?etag=%22\(file.etag)%22"
    return response
  }

  /// A large file at its signed address, `/{repository}/{etag}/{path}?X-Amz-Signature=…`.
  private func stored(_ words: [String], _ request: HTTPRequest, ignoringRange: Bool) -> HTTPResponse {
    // As in the real storage, a signature together with a token is an error.
    guard request.header("Authorization") == nil else { return HTTPResponse(status: 400) }
    guard request.target.contains("X-Amz-Signature=0123") else { return HTTPResponse(status: 403) }
    let files = repositories.values.lazy.flatMap(\.commits.values).flatMap(\.values)
    guard let file = files.first(where: { $0.isLarge && words.contains($0.etag) }) else {
      return HTTPResponse(status: 404)
    }
    var response = served(file, commit: nil, request, ignoringRange: ignoringRange)
    response["ETag"] = "\"0-\(file.etag.prefix(8))\""
    return response
  }

  /// A file, or the requested range of it.
  private func served(
    _ file: HubFile, commit: String?, _ request: HTTPRequest, ignoringRange: Bool
  ) -> HTTPResponse {
    var response = HTTPResponse(status: 200, body: file.bytes)
    response.isFile = true
    response["X-Repo-Commit"] = commit
    response["ETag"] = "\"\(file.etag)\""
    response["Accept-Ranges"] = "bytes"
    response["Content-Type"] = "application/octet-stream"
    if !ignoringRange, let start = request.rangeStart {
      guard start < file.bytes.count else {
        response = HTTPResponse(status: 416)
        response["Content-Range"] = "bytes */\(file.bytes.count)"
        return response
      }
      response.status = 206
      response.body = Array(file.bytes[start...])
      response["Content-Range"] = "bytes \(start)-\(file.bytes.count - 1)/\(file.bytes.count)"
    }
    return response
  }

  private static func rawWords(of target: String) -> [String] {
    var rest = target.prefix { $0 != "?" }
    if let scheme = rest.firstRange(of: "://") {
      rest = rest[scheme.upperBound...]
      rest = rest[(rest.firstIndex(of: "/") ?? rest.endIndex)...]
    }
    return rest.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
  }
}
