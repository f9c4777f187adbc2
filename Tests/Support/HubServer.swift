/// A hub on loopback, that speaks the hub's protocol and misbehaves when told.
///
///     let server = try HubServer()
///     server.add(HubRepository("o/n", files: ["vocab.txt": HubFile("a\n"), "model.safetensors": .generated(1 << 20)]))
///     server.misbehave(.breakAfter(1000), on: "model.safetensors")        // once
///     …                                                                   // with HF_ENDPOINT = server.endpoint
///     #expect(server.requests.contains { $0.rangeStart == 1000 })
///
/// Small files come from the hub itself; large ones by a redirect to the storage, a second server with a port of its
/// own, which refuses requests with a token. A third server is an HTTP proxy to both, by whatever name the hub is asked
/// for. The servers end with the object.
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

  /// Ends all connections; from now on they are refused.
  public func stop() {
    hubListener.stop()
    storageListener.stop()
    proxyListener.stop()
  }

  // MARK: Addresses

  /// For `HF_ENDPOINT`.
  public var endpoint: String { "http://127.0.0.1:\(hubListener.port)" }
  /// The same server by another name.
  public var endpointByName: String { "http://localhost:\(hubListener.port)" }
  /// For `HTTP_PROXY`.
  public var proxy: String { "http://127.0.0.1:\(proxyListener.port)" }
  /// Where the hub says that large files are. Another name than 127.0.0.1 or localhost is reached through the proxy.
  public var storage: String {
    get { core.storage }
    set { core.storage = newValue }
  }
  /// The storage by another host's name.
  public var storageByName: String { "http://localhost:\(storageListener.port)" }
  /// Whether small files are answered by a relative redirect to `/api/resolve-cache`, as the real hub does since 2025.
  public var redirectsSmallFiles: Bool {
    get { core.redirectsSmallFiles }
    set { core.redirectsSmallFiles = newValue }
  }

  // MARK: Contents

  /// Adds a repository, or replaces the one of that name.
  public func add(_ repository: HubRepository) { core.add(repository) }

  /// Requests for the old name are answered by a relative redirect to the new one.
  public func rename(_ old: String, to new: String) { core.rename(old, to: new) }

  // MARK: Requests

  /// All requests so far, in the order in which they came.
  public var requests: [HTTPRequest] { core.requests }

  public func forgetRequests() { core.forgetRequests() }

  /// The requests for a file of a repository, on any of the servers.
  public func requests(for path: String, method: String? = nil) -> [HTTPRequest] {
    requests.filter { $0.path.hasSuffix("/" + path) && (method == nil || $0.method == method) }
  }

  /// Bytes of answers' bodies to requests for a file.
  public func sent(_ path: String) -> Int { requests(for: path).reduce(0) { $0 + $1.sent } }

  /// Waits until the requests so far are such; false when that takes too long.
  public func wait(seconds: Double = 20, until holds: ([HTTPRequest]) -> Bool) -> Bool {
    core.wait(seconds: seconds, until: holds)
  }

  // MARK: Misbehaviour

  /// From now on, misbehaves.
  ///
  /// - Parameters:
  ///   - path: a file's path in its repository; nil: whatever is asked for.
  ///   - moment: nil: when it makes sense; see `Misbehaviour`.
  ///   - host: nil: on whichever server.
  ///   - times: for so many requests. Of several orders that fit, the first counts.
  public func misbehave(
    _ misbehaviour: Misbehaviour, on path: String? = nil, at moment: Misbehaviour.Moment? = nil,
    host: HTTPRequest.Host? = nil, times: Int = 1
  ) {
    core.add(
      HubCore.Order(
        misbehaviour: misbehaviour, path: path, moment: moment ?? misbehaviour.naturalMoment, host: host,
        times: times))
  }

  /// Forgets all orders to misbehave.
  public func behave() { core.forgetOrders() }
}
