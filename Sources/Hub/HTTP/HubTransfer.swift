import Files

extension HubClient {
  /// Downloads the rest of a file into a part, and retries if the connection breaks.
  ///
  /// Checks the length, but not the content. Throws `HubError` or `FileError`; the part keeps what was downloaded.
  func fetch(_ information: FileInformation, _ file: String, into part: PartFile) throws {
    var retry = Retry(hub, limit: 5)
    let meter = Meter(file: file, size: information.size, start: part.count)
    var most = part.count
    while true {
      if let size = information.size {
        if part.count > size { try part.clear() }
        if part.count == size && size > 0 { return }
      }
      do {
        let head = try transfer(information, file, into: part) { [hub] in hub.onEvent(.progress(meter.read($0))) }
        guard Retry.isBusy(head) else { return }
        try retry.wait(
          after: .busy(host: information.location.origin, status: head.status, wait: head.retryAfter),
          asked: head.retryAfter)
      } catch let failure as HTTPFailure {
        // Progress means more than ever before: without support for ranges, each attempt begins at the start.
        if part.count > most {
          retry.restart()
          most = part.count
        }
        try retry.wait(
          after: error(failure, at: information.location, file: file, kept: part.count), asked: nil)
      }
    }
  }

  /// Sends one request for the rest of a file and follows redirects.
  /// - Returns: the head of the response: success, or a status to retry after.
  private func transfer(
    _ information: FileInformation, _ file: String, into part: PartFile, onProgress: @escaping (Int) -> Void
  ) throws -> HTTPHead {
    var url = information.location
    var redirects = 0
    while redirects <= Self.mostRedirects {
      let receiver = Receiver(file: file, size: information.size, url: url, part: part, onProgress: onProgress)
      var request = HTTPRequest(
        method: .get, address: url, headers: headers(for: url), idleTimeout: hub.environment.downloadTimeout)
      if part.count > 0 { request.headers.append(("Range", "bytes=\(part.count)-")) }
      let head = try connection.perform(request, to: receiver)
      if let problem = receiver.problem { throw problem }
      if head.isRefused {
        redirects += 1  // the part was cleared: start over, but not forever
        continue
      }
      switch head.status {
      case 200, 206:
        // A response without a length can end early and look complete.
        if let size = information.size, part.count < size { throw HTTPFailure.broken("the connection ended early") }
        return head
      case 416:
        try part.clear()
      case _ where head.isRedirect:
        url = try Self.target(of: head, from: url)
      case _ where Retry.isBusy(head): return head
      default: throw HubError.refused(url: "\(url.origin) (\(file))", status: head.status, why: nil)
      }
      redirects += 1
    }
    throw HubError.tooManyRedirects(url: information.location.origin)
  }
}

/// Writes the bytes of one response into a part, if they are the requested ones.
private final class Receiver: HTTPReceiver {
  let file: String
  let size: Int?
  let url: WebAddress
  let part: PartFile
  /// The reason why the response was refused; nil if the part was cleared to start over.
  private(set) var problem: (any Error)?
  private let onProgress: (Int) -> Void
  private var isWanted = false

  init(file: String, size: Int?, url: WebAddress, part: PartFile, onProgress: @escaping (Int) -> Void) {
    self.onProgress = onProgress
    self.file = file
    self.size = size
    self.url = url
    self.part = part
  }

  /// Returns whether the body of a response is wanted.
  func accepts(_ head: HTTPHead) -> Bool {
    isWanted = head.status == 200 || head.status == 206
    do {
      switch head.status {
      case 200:
        if head.isWebPage { throw HubError.notTheHub(host: url.origin, why: "it sent a web page for \(file)") }
        // The server does not support ranges and sends the whole file again.
        if part.count > 0 { try part.clear() }
        if let size, head.isIdentity, let length = head.contentLength, length != size {
          throw HubError.wrongSize(file: file, expected: size, found: length)
        }
        return true
      case 206:
        if head.isIdentity, ContentRange(head["content-range"])?.continues(at: part.count, of: size) ?? false {
          return true
        }
        try part.clear()
        return false
      default: return true
      }
    } catch {
      problem = error
      return false
    }
  }

  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard isWanted else { return true }  // the text of an error
    do {
      if let size, part.count + bytes.count > size {
        let found = part.count + bytes.count
        try part.clear()
        throw HubError.wrongSize(file: file, expected: size, found: found)
      }
      try part.append(bytes)
      onProgress(part.count)
      return true
    } catch FileError.noSpace(_) {
      problem = HubError.noRoom(
        file: file, needed: size.map { $0 - part.count } ?? bytes.count, free: part.freeSpace ?? 0,
        path: Path.parent(part.path))
    } catch {
      problem = error
    }
    return false
  }
}

/// `bytes 100-199/200`.
struct ContentRange: Equatable {
  let start: Int
  /// Nil for `*`.
  let total: Int?

  init?(_ text: String?) {
    guard let text, text.lowercased().hasPrefix("bytes ") else { return nil }
    let parts = text.dropFirst(6).split(separator: "/")
    guard parts.count == 2, let start = parts[0].split(separator: "-").first.flatMap({ Int($0) }) else { return nil }
    self.start = start
    total = Int(parts[1])
  }

  func continues(at offset: Int, of size: Int?) -> Bool {
    start == offset && (size == nil || total == nil || total == size)
  }
}

/// Measures the download rate.
private final class Meter {
  let file: String
  let size: Int?
  private var lastCount: Int
  private var lastTime: Double
  private var rate = 0.0

  init(file: String, size: Int?, start: Int) {
    self.file = file
    self.size = size
    lastCount = start
    lastTime = MonotonicClock.seconds
  }

  /// - Parameter count: the bytes downloaded so far.
  func read(_ count: Int) -> DownloadProgress {
    let time = MonotonicClock.seconds
    let interval = time - lastTime
    if interval >= 0.25 {
      let current = Double(max(0, count - lastCount)) / interval
      // An exponential moving average over the last seconds.
      let weight = rate == 0 ? 1 : min(1, interval / 3)
      rate += (current - rate) * weight
      (lastCount, lastTime) = (count, time)
    }
    return DownloadProgress(file: file, received: count, size: size, bytesPerSecond: rate)
  }
}
