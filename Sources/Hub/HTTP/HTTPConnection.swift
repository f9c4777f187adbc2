import CCurl
import Files
import Text

struct HTTPRequest {
  enum Method { case head, get }

  var method: Method
  var address: WebAddress
  var headers: [(name: String, value: String)] = []
  /// The time to wait for a connection, and for the next byte, in seconds.
  var idleTimeout: Double
  /// The time for the whole request, in seconds; nil: no limit while bytes arrive.
  var limit: Double?
}

/// The status line and headers of a response.
struct HTTPHead: Sendable {
  var status = 0
  private var fields: [String: String] = [:]

  /// The wait that `Retry-After` requests, as a number or a date, in seconds.
  var retryAfter: Double?
  /// Whether the receiver refused the body, or a part of it.
  var isRefused = false

  init(status: Int = 0) { self.status = status }

  /// The header with a lower-case name; the last one if there are several.
  subscript(_ name: String) -> String? {
    get { fields[name] }
    set { fields[name] = newValue }
  }

  var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) && self["location"] != nil }
  /// Whether the body is neither compressed nor otherwise encoded.
  var isIdentity: Bool { self["content-encoding"].map { $0.lowercased() == "identity" } ?? true }
  var contentLength: Int? { self["content-length"].flatMap { Int($0) } }
  var isWebPage: Bool { self["content-type"]?.lowercased().hasPrefix("text/html") ?? false }
}

/// The reason why a request has no response, or an incomplete one.
enum HTTPFailure: Error, Equatable {
  /// No connection, because of the name, the host or the network.
  case unreachable(String)
  case timedOut(String)
  /// The connection ended or became idle in the middle of the response.
  case broken(String)
  case proxy(String)
  case insecure(String)
  case stopped
  case other(String)
}

/// Receives the response to a request.
protocol HTTPReceiver: AnyObject {
  /// Receives the headers before the body, or at the end if there is no body. Returns false to refuse the body.
  func accepts(_ head: HTTPHead) -> Bool
  /// Receives each piece of the decoded body. Returns false to refuse the rest.
  func take(_ bytes: UnsafeRawBufferPointer) -> Bool
}

/// Sends HTTP requests through libcurl, one at a time. Connections stay open for the next request.
///
/// Redirects are not followed: the caller decides what to send to which host.
final class HTTPConnection {
  private let curl: LibCurl
  private let handle: LibCurl.Handle
  private let proxies: HubEnvironment.Proxies
  private let certificates: String?
  private let shouldStop: () -> Bool
  /// libcurl's error message, which is more precise than its error code.
  private let reason = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  /// - Parameter shouldStop: called about once a second, and whenever bytes arrive.
  init(_ environment: HubEnvironment, shouldStop: @escaping () -> Bool) throws(HubError) {
    curl = try LibCurl.shared.get()
    guard let handle = curl.open() else { throw .unsuitableLibrary(symbol: "curl_easy_init") }
    self.handle = handle
    proxies = environment.proxies
    certificates = environment.certificateFile
    self.shouldStop = shouldStop
  }

  deinit {
    curl.close(handle)
    reason.deallocate()
  }

  /// The proxy for an address, for messages; nil if there is none.
  func proxy(for address: WebAddress) -> String? { proxies.proxy(for: address).map(WebAddress.withoutPassword) }

  /// Sends a request and waits for the end of the response, regardless of its status.
  /// - Parameter receiver: receives the body; nil: the body is discarded.
  func perform(_ request: HTTPRequest, to receiver: (any HTTPReceiver)? = nil) throws(HTTPFailure) -> HTTPHead {
    curl.reset(handle)
    var list: LibCurl.List?
    defer {
      curl.reset(handle)  // drops all pointers to this request
      curl.freeList(list)
    }
    for (name, value) in request.headers {
      guard let longer = curl.appendToList(list, "\(name): \(value)") else { throw .other("out of memory") }
      list = longer
    }
    configure(request, headers: list)
    reason.initialize(repeating: 0)
    _ = mlm_curl_set_pointer(curl.setOption, handle, CURLOPT_ERRORBUFFER, reason.baseAddress)

    let exchange = Exchange(idleTimeout: request.idleTimeout, receiver: receiver, shouldStop: shouldStop)
    let context = Unmanaged.passUnretained(exchange).toOpaque()
    _ = mlm_curl_set_data_callback(curl.setOption, handle, CURLOPT_HEADERFUNCTION, receiveHeader)
    _ = mlm_curl_set_pointer(curl.setOption, handle, CURLOPT_HEADERDATA, context)
    _ = mlm_curl_set_data_callback(curl.setOption, handle, CURLOPT_WRITEFUNCTION, receiveData)
    _ = mlm_curl_set_pointer(curl.setOption, handle, CURLOPT_WRITEDATA, context)
    _ = mlm_curl_set_progress_callback(curl.setOption, handle, watch)
    _ = mlm_curl_set_pointer(curl.setOption, handle, CURLOPT_XFERINFODATA, context)
    let code = withExtendedLifetime(exchange) { BrokenPipe.withoutSignal { curl.perform(handle) } }

    if !exchange.isRefused, code != CURLE_OK { throw failure(code, exchange, request) }
    exchange.deliverHead()
    var head = exchange.head
    head.isRefused = exchange.isRefused
    if head["retry-after"] != nil {
      var seconds: curl_off_t = 0
      _ = mlm_curl_get_offset(curl.getInfo, handle, CURLINFO_RETRY_AFTER, &seconds)
      head.retryAfter = Double(seconds)
    }
    return head
  }

  private func configure(_ request: HTTPRequest, headers: LibCurl.List?) {
    func set(_ option: CURLoption, _ number: Int) {
      _ = mlm_curl_set_number(curl.setOption, handle, option, number)
    }
    // libcurl copies strings.
    func set(_ option: CURLoption, _ text: String) {
      _ = mlm_curl_set_pointer(curl.setOption, handle, option, text)
    }
    set(CURLOPT_URL, request.address.text)
    _ = mlm_curl_set_pointer(curl.setOption, handle, CURLOPT_HTTPHEADER, headers)
    set(CURLOPT_USERAGENT, "mlm")
    set(CURLOPT_NOBODY, request.method == .head ? 1 : 0)
    set(CURLOPT_PROTOCOLS, Int(CURLPROTO_HTTP | CURLPROTO_HTTPS))
    set(CURLOPT_NOSIGNAL, 1)
    set(CURLOPT_NOPROGRESS, 0)
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    // The headers request an encoding; libcurl decodes whatever encoding is sent.
    set(CURLOPT_ACCEPT_ENCODING, "")
    let idleTimeout = max(1, Int((request.idleTimeout * 1000).rounded()))
    set(CURLOPT_CONNECTTIMEOUT_MS, idleTimeout)
    if let limit = request.limit { set(CURLOPT_TIMEOUT_MS, max(1, Int((limit * 1000).rounded()))) }
    // Set even if there is no proxy: otherwise libcurl reads the environment.
    set(CURLOPT_PROXY, proxies.proxy(for: request.address.scheme) ?? "")
    set(CURLOPT_NOPROXY, proxies.exceptions)
    if let certificates { set(CURLOPT_CAINFO, certificates) }
  }

  private func failure(_ code: CURLcode, _ exchange: Exchange, _ request: HTTPRequest) -> HTTPFailure {
    switch exchange.ending {
    case .stopped: return .stopped
    case .stalled where exchange.head.status == 0: return .timedOut(Self.noAnswer(in: request.idleTimeout))
    case .stalled: return .broken("no data for \(FloatText.shortest(request.idleTimeout)) s")
    case nil: break
    }
    let exact = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var text = exact.isEmpty ? curl.text(of: code) : exact
    text.unicodeScalars.removeAll { $0.value < 0x20 }
    if let last = text.last, last == "." { text.removeLast() }
    let hasProxy = proxies.proxy(for: request.address) != nil
    switch code {
    case CURLE_COULDNT_RESOLVE_PROXY: return .proxy("cannot resolve its name")
    case CURLE_PROXY: return .proxy(text)
    case CURLE_COULDNT_CONNECT where hasProxy: return .proxy("connection failed")
    case CURLE_RECV_ERROR where hasProxy && connectStatus >= 400: return .proxy("status \(connectStatus)")
    case CURLE_COULDNT_RESOLVE_HOST: return .unreachable("cannot resolve its name")
    case CURLE_COULDNT_CONNECT: return .unreachable("connection refused")
    case CURLE_OPERATION_TIMEDOUT:
      return .timedOut(Self.noAnswer(in: request.limit ?? request.idleTimeout))
    // libcurl 7 reports this for header lines that are too long.
    case CURLE_OUT_OF_MEMORY: return .other("the response headers are too large, or memory is short")
    case CURLE_SSL_CACERT_BADFILE: return .insecure("no certificates to verify it with")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
      return .insecure(text)
    case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM:
      return .broken("the connection ended early")
    default: return .other(text)
    }
  }

  private static func noAnswer(in seconds: Double) -> String { "no response in \(FloatText.shortest(seconds)) s" }

  /// The status of a proxy's response to CONNECT.
  private var connectStatus: Int {
    var status = 0
    _ = mlm_curl_get_number(curl.getInfo, handle, CURLINFO_HTTP_CONNECTCODE, &status)
    return status
  }
}

/// The state of one request for libcurl's callbacks.
private final class Exchange {
  enum Ending { case stopped, stalled }

  private let idleTimeout: Double
  private let receiver: (any HTTPReceiver)?
  private let shouldStop: () -> Bool
  private(set) var head = HTTPHead()
  private(set) var isRefused = false
  /// The reason why this client ended the request.
  private(set) var ending: Ending?
  private var isHeadDelivered = false
  private var lastNews = MonotonicClock.seconds
  private var received: Int64 = 0

  init(idleTimeout: Double, receiver: (any HTTPReceiver)?, shouldStop: @escaping () -> Bool) {
    self.idleTimeout = idleTimeout
    self.receiver = receiver
    self.shouldStop = shouldStop
  }

  func header(_ line: UnsafeRawBufferPointer) {
    lastNews = MonotonicClock.seconds
    let text = String(decoding: line.prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self)
    if text.hasPrefix("HTTP/") {
      // A new response, after `100 Continue` or a proxy's.
      let words = text.split(separator: " ", maxSplits: 2)
      head = HTTPHead(status: words.count > 1 ? Int(words[1]) ?? 0 : 0)
      return
    }
    guard let colon = text.firstIndex(of: ":") else { return }
    var value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    while let last = value.last, last == " " || last == "\t" { value.removeLast() }
    head[text[..<colon].lowercased()] = String(value)
  }

  /// Receives data; returns whether more is wanted.
  func data(_ bytes: UnsafeRawBufferPointer) -> Bool {
    lastNews = MonotonicClock.seconds
    deliverHead()
    if !isRefused, let receiver { isRefused = !receiver.take(bytes) }
    return !isRefused
  }

  /// Passes the headers to the receiver, once.
  func deliverHead() {
    if !isHeadDelivered, let receiver { isRefused = !receiver.accepts(head) }
    isHeadDelivered = true
  }

  /// Returns whether the request may continue.
  func watch(received: Int64) -> Bool {
    if shouldStop() {
      ending = .stopped
      return false
    }
    // libcurl's own speed limit uses the mean of five seconds, which is too slow for a short idle timeout.
    if received != self.received {
      self.received = received
      lastNews = MonotonicClock.seconds
    } else if MonotonicClock.seconds - lastNews > idleTimeout {
      ending = .stalled
      return false
    }
    return true
  }
}

private func receiveHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let context else { return 0 }
  Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
    .header(UnsafeRawBufferPointer(start: bytes, count: size * count))
  return size * count
}

private func receiveData(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let context else { return 0 }
  let isWelcome = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
    .data(UnsafeRawBufferPointer(start: bytes, count: size * count))
  return isWelcome ? size * count : 0
}

private func watch(
  _ context: UnsafeMutableRawPointer?, _ total: curl_off_t, _ received: curl_off_t, _ uploadTotal: curl_off_t,
  _ uploaded: curl_off_t
) -> Int32 {
  guard let context else { return 1 }
  return Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue().watch(received: Int64(received)) ? 0 : 1
}
