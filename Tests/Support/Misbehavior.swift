/// The misbehaviors of the test hub.
public indirect enum Misbehavior: Sendable {
  /// Both, one after the other.
  case both(Misbehavior, Misbehavior)

  // Bodies of files

  /// Ends the connection after a number of bytes of the body, fewer than announced.
  case breakAfter(Int, reset: Bool = false)
  /// Sends a number of bytes of the body, then nothing, and keeps the connection open.
  case stallAfter(Int)
  /// Sends slowly.
  case drip(bytesPerSecond: Int)
  /// Sends wrong bytes from an offset on, in the correct number.
  case wrongBytes(from: Int = 0)
  /// Sends fewer bytes than the hub announced, in a complete response.
  case shorter(by: Int)
  /// Sends more bytes than the hub announced.
  case longer(by: Int)
  /// Sends the whole file with 200 for the request of a range.
  case ignoreRange
  /// Sends 206 with a range that begins earlier than requested.
  case wrongRange(by: Int)
  /// Sends chunks without Content-Length.
  case chunked
  /// Sends no Content-Length, and ends the connection after the body.
  case untilClose
  /// Sends `Content-Encoding: gzip`, even if the client does not accept it.
  case gzip

  // Any response

  /// Responds with a status, and the hub's headers for it.
  case status(Int, code: String? = nil, message: String? = nil, headers: [String: String] = [:])
  /// Never responds.
  case neverAnswer
  /// Responds like a hotel's network: with a web page and status 200.
  case portal
  /// Redirects to a portal, in a circle, or to another scheme.
  case redirect(String, status: Int = 302)
  /// Redirects to the same address.
  case redirectLoop
  /// Sends the correct response with one header replaced or removed.
  case header(String, String?)
  /// Sends a header line of the given length in bytes.
  case longHeader(Int)
  /// Sends four million bytes of a header line without an end.
  case endlessHeader
  /// Sends these bytes instead of a response, and ends the connection.
  case raw(String)

  /// The requests for which a misbehavior happens.
  public enum Moment: Sendable {
    case anyRequest
    /// HEAD requests.
    case head
    /// Responses with a file, or a part of one.
    case body
  }

  public static let unauthorized = status(401, message: "Invalid username or password.")
  public static let gated = status(
    403, code: "GatedRepo", message: "Access to model o/n is restricted and you are not in the authorized list.")
  public static let repositoryNotFound = status(404, code: "RepoNotFound", message: "Repository not found")
  public static let revisionNotFound = status(404, code: "RevisionNotFound", message: "Invalid rev id: main")
  public static let entryNotFound = status(404, code: "EntryNotFound", message: "Entry not found")
  /// - Parameter retryAfter: a number of seconds, or a date.
  public static func tooManyRequests(retryAfter: String?) -> Misbehavior {
    .status(429, message: "Too many requests", headers: retryAfter.map { ["Retry-After": $0] } ?? [:])
  }

  var naturalMoment: Moment {
    switch self {
    case .breakAfter, .stallAfter, .drip, .wrongBytes, .shorter, .longer, .ignoreRange, .wrongRange, .chunked,
      .untilClose, .gzip:
      .body
    case .both(let first, let second):
      first.naturalMoment == .body || second.naturalMoment == .body ? .body : .anyRequest
    default: .anyRequest
    }
  }

  static let portalPage = "<!DOCTYPE html>\n<html><head><title>Welcome to Hotel Wi-Fi</title></head></html>\n"

  /// Turns the correct response into a wrong one.
  /// - Parameter whole: returns the response without the range, if the request has one.
  func spoil(_ response: inout HTTPResponse, to request: HTTPRequest, whole: () -> HTTPResponse) {
    switch self {
    case .both(let first, let second):
      first.spoil(&response, to: request, whole: whole)
      second.spoil(&response, to: request, whole: whole)
    case .breakAfter(let count, let reset):
      response["Content-Length"] = String(response.body.count)
      response.end = count
      response.isReset = reset
    case .stallAfter(let count):
      response["Content-Length"] = String(response.body.count)
      response.end = count
      response.isSilentAtEnd = true
    case .drip(let rate): response.bytesPerSecond = rate
    case .wrongBytes(let start):
      for i in response.body.indices.dropFirst(start) { response.body[i] ^= 0x55 }
    case .shorter(let count): response.body.removeLast(min(count, response.body.count))
    case .longer(let count): response.body += [UInt8](repeating: 0x78, count: count)
    case .ignoreRange: response = whole()
    case .wrongRange(let count):
      let all = whole().body
      let start = max(0, (request.rangeStart ?? 0) - count)
      response.body = Array(all[start...])
      response["Content-Range"] = "bytes \(start)-\(all.count - 1)/\(all.count)"
    case .chunked: response.framing = .chunked
    case .untilClose: response.framing = .close
    case .gzip:
      response.body = Self.gzip(response.body)
      response["Content-Encoding"] = "gzip"
    case .status(let status, let code, let message, let headers):
      response = HTTPResponse(status: status, body: Array((message ?? "").utf8))
      response["X-Error-Code"] = code
      response["X-Error-Message"] = message
      for (name, value) in headers { response[name] = value }
    case .neverAnswer: response.isSilent = true
    case .portal:
      response = HTTPResponse(status: 200, body: Array(Self.portalPage.utf8))
      response["Content-Type"] = "text/html; charset=utf-8"
    case .redirect(let location, let status):
      response = HTTPResponse(status: status)
      response["Location"] = location
    case .redirectLoop:
      response = HTTPResponse(status: 302)
      let origin = request.target.hasPrefix("/") ? "http://\(request.header("Host") ?? "")" : ""
      response["Location"] = origin + request.target
    case .header(let name, let value):
      response[name] = value
      if name.lowercased() == "content-length", value == nil { response.framing = .close }
    case .longHeader(let count): response["X-Long"] = String(repeating: "x", count: count)
    case .endlessHeader:
      response.raw = Array(("HTTP/1.1 200 OK\r\nX-Endless: " + String(repeating: "x", count: 1 << 22)).utf8)
    case .raw(let text): response.raw = Array(text.utf8)
    }
  }

  /// A gzip file of stored blocks.
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    func littleEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    var result: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    var start = 0
    repeat {
      let block = bytes[start..<min(start + 0xffff, bytes.count)]
      start += block.count
      let count = UInt16(block.count)
      result.append(start == bytes.count ? 1 : 0)
      result += [count, ~count].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
      result += block
    } while start < bytes.count
    return result + littleEndian(Hash.crc32(bytes)) + littleEndian(UInt32(truncatingIfNeeded: bytes.count))
  }
}
