/// A request that a test server received.
public struct HTTPRequest: Sendable {
  /// The server that received the request.
  public enum Host: Sendable, Equatable { case hub, storage, proxy }

  public let host: Host
  public let method: String
  /// The target in the request: a path with its query, or a URL for a proxy.
  public let target: String
  public let headers: [(name: String, value: String)]
  /// The status of the response; nil before there is one.
  public internal(set) var status: Int?
  /// The bytes of the response's body that were sent.
  public internal(set) var sent = 0

  /// The first header with a name, regardless of case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// The decoded path, without the query, and without the scheme and host of a URL.
  public var path: String {
    var rest = target[...]
    if let scheme = rest.firstRange(of: "://") {
      rest = rest[scheme.upperBound...]
      rest = rest[(rest.firstIndex(of: "/") ?? rest.endIndex)...]
    }
    return Self.decode(rest.prefix { $0 != "?" })
  }

  /// `N` of `Range: bytes=N-`.
  public var rangeStart: Int? {
    guard let range = header("Range"), range.hasPrefix("bytes="), range.hasSuffix("-") else { return nil }
    return Int(range.dropFirst(6).dropLast())
  }

  static func decode(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Parses the request line and the headers; nil if they are malformed.
  init?(head: String, host: Host) {
    var lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
    let words = (lines.popFirst() ?? "").split(separator: " ")
    guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return nil }
    self.host = host
    method = String(words[0])
    target = String(words[1])
    headers = lines.compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      return (String(line[..<colon]), String(value))
    }
  }
}

/// A response, and the way in which it is sent.
struct HTTPResponse {
  enum Framing { case length, chunked, close }

  var status: Int
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  /// Whether the body is (a part of) a file.
  var isFile = false

  var framing = Framing.length
  /// Bytes to send instead of all the above.
  var raw: [UInt8]?
  /// The number of bytes of the body after which nothing more is sent.
  var end: Int?
  /// Whether the connection then stays open, or ends, possibly by a reset.
  var isSilentAtEnd = false
  var isReset = false
  var bytesPerSecond: Int?
  /// Whether nothing is sent, while the connection stays open.
  var isSilent = false

  subscript(_ name: String) -> String? {
    get { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    set {
      headers.removeAll { $0.name.lowercased() == name.lowercased() }
      if let newValue { headers.append((name, newValue)) }
    }
  }

  /// The status line and the headers.
  var head: [UInt8] {
    var text = "HTTP/1.1 \(status) \(Self.reasons[status] ?? "Other")\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    switch framing {
    case .length: if self["Content-Length"] == nil, status != 304 { text += "Content-Length: \(body.count)\r\n" }
    case .chunked: text += "Transfer-Encoding: chunked\r\n"
    case .close: text += "Connection: close\r\n"
    }
    return Array((text + "\r\n").utf8)
  }

  private static let reasons = [
    200: "OK", 206: "Partial Content", 302: "Found", 307: "Temporary Redirect", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 407: "Proxy Authentication Required",
    408: "Request Timeout", 416: "Range Not Satisfiable", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable",
  ]
}
