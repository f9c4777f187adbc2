import Foundation
import Glibc

/// Listens on a free port of 127.0.0.1, with a thread for each connection.
///
/// `@unchecked`: the sockets are guarded by the lock.
final class HTTPListener: @unchecked Sendable {
  let port: UInt16
  private let socket: Int32
  private let lock = NSLock()
  private var connections: Set<Int32> = []
  private var isStopped = false

  struct Failure: Error { let what: String, code: Int32 }

  init() throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { throw Failure(what: "socket", code: errno) }
    _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(socket, address, length) == 0 && listen(socket, 64) == 0 && getsockname(socket, address, &length) == 0
      }
    }
    guard isListening else {
      let code = errno
      close(socket)
      throw Failure(what: "bind", code: code)
    }
    self.socket = socket
    port = UInt16(bigEndian: address.sin_port)
  }

  /// Starts to serve requests.
  func start(as host: HTTPRequest.Host, core: HubCore) {
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(socket, nil, nil)
        guard connection >= 0 else {
          if errno == EINTR || errno == ECONNABORTED { continue }
          break
        }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        let isOpen = lock.withLock {
          if !isStopped { connections.insert(connection) }
          return !isStopped
        }
        guard isOpen else {
          close(connection)
          break
        }
        Thread.detachNewThread { [self] in
          serve(HTTPConnection(connection), as: host, core: core)
          lock.withLock {
            _ = connections.remove(connection)
            // A child process may have the socket too, so closing it would not end the connection.
            shutdown(connection, Int32(SHUT_RDWR))
            close(connection)
          }
        }
      }
      close(socket)
    }
  }

  /// Ends all connections. The port becomes free soon afterward.
  func stop() {
    lock.withLock {
      guard !isStopped else { return }
      isStopped = true
      shutdown(socket, Int32(SHUT_RDWR))
      for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
    }
  }

  private func serve(_ connection: HTTPConnection, as host: HTTPRequest.Host, core: HubCore) {
    while let head = connection.readHead(), let request = HTTPRequest(head: head, host: host) {
      let (number, response) = core.answer(request)
      let isKept = connection.send(response, isHead: request.method == "HEAD") { core.record(number, sent: $0) }
      if !isKept || request.header("Connection")?.lowercased() == "close" { return }
    }
  }
}

/// The server's side of one connection.
private final class HTTPConnection {
  private let socket: Int32
  private var buffer: [UInt8] = []

  init(_ socket: Int32) { self.socket = socket }

  /// Reads the next request, without its final empty line; nil at the end.
  func readHead() -> String? {
    let end = Array("\r\n\r\n".utf8)
    while true {
      if let range = buffer.firstRange(of: end) {
        let head = String(decoding: buffer[..<range.lowerBound], as: UTF8.self)
        buffer.removeSubrange(..<range.upperBound)
        return head
      }
      var piece = [UInt8](repeating: 0, count: 4096)
      let count = recv(socket, &piece, piece.count, 0)
      guard count > 0, buffer.count < 1 << 16 else { return nil }
      buffer += piece[..<count]
    }
  }

  /// Sends a response. Returns whether another one may follow.
  func send(_ response: HTTPResponse, isHead: Bool, report: (Int) -> Void) -> Bool {
    if response.isSilent {
      waitForEnd()
      return false
    }
    if let raw = response.raw {
      _ = write(raw[...])
      return false
    }
    guard write(response.head[...]) else { return false }
    if !isHead {
      guard sendBody(response, report: report) else { return false }
    }
    return response.framing != .close
  }

  private func sendBody(_ response: HTTPResponse, report: (Int) -> Void) -> Bool {
    let end = min(response.end ?? response.body.count, response.body.count)
    let step = response.bytesPerSecond.map { max(1, $0 / 20) } ?? 1 << 16
    var start = 0
    while start < end {
      let piece = response.body[start..<min(start + step, end)]
      if response.framing == .chunked {
        guard write(Array("\(String(piece.count, radix: 16))\r\n".utf8)[...]) else { return false }
      }
      guard write(piece) else { return false }
      if response.framing == .chunked { guard write([13, 10]) else { return false } }
      start += piece.count
      report(start)
      if response.bytesPerSecond != nil { usleep(50_000) }
    }
    if response.end != nil {
      if response.isSilentAtEnd { waitForEnd() }
      if response.isReset {
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
      }
      return false
    }
    if response.framing == .chunked { return write(Array("0\r\n\r\n".utf8)[...]) }
    return true
  }

  /// Waits until the peer, or the stop of the server, ends the connection.
  private func waitForEnd() {
    var byte: UInt8 = 0
    while recv(socket, &byte, 1, 0) > 0 {}
  }

  private func write(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = Glibc.send(socket, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        sent += count
      }
      return true
    }
  }
}
