/// A hub on loopback that speaks the hub's protocol and misbehaves on request.
///
///     let server = try HubServer()
///     server.add(HubRepository("o/n", files: ["vocab.txt": HubFile("a\n"), "model.safetensors": .generated(1 << 20)]))
///     server.misbehave(.breakAfter(1000), on: "model.safetensors")        // once
///     …                                                                   // with HF_ENDPOINT = server.endpoint
///     #expect(server.requests.contains { $0.rangeStart == 1000 })
///
/// The hub itself sends small files. For large ones, it redirects to the storage, a second server on another port,
/// which refuses requests with a token. A third server is an HTTP proxy to both, under any name of the hub. The servers
/// end with the object.
public final class HubServer: Sendable {
  private let core: HubCore
  private let hubListener: HTTPListener
  private let storageListener: HTTPListener
  private let proxyListener: HTTPListener

  public init() throws {
    hubListener = try HTTPListener()
    storageListener = try HTTPListener()
    proxyListener = try HTTPListener()
    core = HubCore(storageAddress: "http://127.0.0.1:\(storageListener.port)")
    hubListener.start(as: .hub, core: core)
    storageListener.start(as: .storage, core: core)
    proxyListener.start(as: .proxy, core: core)
  }

  public convenience init(_ repositories: HubRepository...) throws {
    try self.init()
    for repository in repositories { add(repository) }
  }

  deinit { stop() }

  /// Ends all connections and refuses further ones.
  public func stop() {
    hubListener.stop()
    storageListener.stop()
    proxyListener.stop()
  }

  // MARK: Addresses

  /// The value for `HF_ENDPOINT`.
  public var endpoint: String { "http://127.0.0.1:\(hubListener.port)" }
  /// The same server under another name.
  public var endpointByName: String { "http://localhost:\(hubListener.port)" }
  /// The value for `HTTP_PROXY`.
  public var proxy: String { "http://127.0.0.1:\(proxyListener.port)" }
  /// The storage address in the hub's redirects. Only the proxy reaches names other than 127.0.0.1 and localhost.
  public var storage: String {
    get { core.storage }
    set { core.storage = newValue }
  }
  /// The storage under another host name.
  public var storageByName: String { "http://localhost:\(storageListener.port)" }
  /// Whether requests for small files get a relative redirect to `/api/resolve-cache`, as on the real hub since 2025.
  public var redirectsSmallFiles: Bool {
    get { core.redirectsSmallFiles }
    set { core.redirectsSmallFiles = newValue }
  }

  // MARK: Contents

  /// Adds a repository, or replaces the one with the same name.
  public func add(_ repository: HubRepository) { core.add(repository) }

  /// Renames a repository: requests for the old name get a relative redirect to the new one.
  public func rename(_ old: String, to new: String) { core.rename(old, to: new) }

  // MARK: Requests

  /// All requests so far, in order of arrival.
  public var requests: [HTTPRequest] { core.requests }

  public func forgetRequests() { core.forgetRequests() }

  /// The requests for a file of a repository, on any of the servers.
  public func requests(for path: String, method: String? = nil) -> [HTTPRequest] {
    requests.filter { $0.path.hasSuffix("/" + path) && (method == nil || $0.method == method) }
  }

  /// The bytes of response bodies that were sent for a file.
  public func sent(_ path: String) -> Int { requests(for: path).reduce(0) { $0 + $1.sent } }

  /// Waits until the requests so far meet a condition; false if that takes too long.
  public func wait(seconds: Double = 20, until holds: ([HTTPRequest]) -> Bool) -> Bool {
    core.wait(seconds: seconds, until: holds)
  }

  // MARK: Misbehavior

  /// Orders a misbehavior from now on.
  ///
  /// - Parameters:
  ///   - path: a file's path in its repository; nil: any request.
  ///   - moment: the kind of request; nil: the one that makes sense, see `Misbehavior`.
  ///   - host: the server; nil: any.
  ///   - times: the number of requests. If several orders match a request, the first one applies.
  public func misbehave(
    _ misbehavior: Misbehavior, on path: String? = nil, at moment: Misbehavior.Moment? = nil,
    host: HTTPRequest.Host? = nil, times: Int = 1
  ) {
    core.add(
      HubCore.Order(
        misbehavior: misbehavior, path: path, moment: moment ?? misbehavior.naturalMoment, host: host,
        times: times))
  }

  /// Forgets all orders to misbehave.
  public func behave() { core.forgetOrders() }
}
