import Files
import Hub
import Model
import Text

/// Shows downloads from the hub: a live line on a terminal, and occasional plain lines elsewhere.
///
/// The hub calls it on the thread that called the hub.
final class DownloadReporter: @unchecked Sendable {
  private let console: Console
  private let showsProgress: Bool
  private let clock: () -> Double
  /// The progress of the current file.
  private var progress: Progress?
  private var file: String?

  init(console: Console, showsProgress: Bool, clock: @escaping () -> Double = { MonotonicClock.seconds }) {
    self.console = console
    self.showsProgress = showsProgress
    self.clock = clock
  }

  func show(_ event: HubEvent) {
    switch event {
    case .progress(let download):
      guard showsProgress else { return }
      if file != download.file { finish() }
      file = download.file
      let progress = progress ?? Progress(console: console, clock: clock)
      self.progress = progress
      progress.update { Self.line(download) }
    case .fetched(let file, let size):
      finish()
      if showsProgress { console.note("downloaded \(file) (\(Count.bytes(size)))") }
    case .note(let text): console.note(text)
    }
  }

  /// Removes the live line.
  func finish() {
    progress?.finish()
    (progress, file) = (nil, nil)
  }

  /// `model.safetensors  45.2 %  121 MB of 268 MB  12 MB/s  0:12 left`, without unknown values.
  static func line(_ download: DownloadProgress) -> String {
    var parts = [download.file]
    if let size = download.size, size > 0 {
      parts.append(Readable.percent(Double(download.received) / Double(size)))
      parts.append("\(Count.bytes(download.received)) of \(Count.bytes(size))")
    } else {
      parts.append(Count.bytes(download.received))
    }
    if download.bytesPerSecond > 0 {
      parts.append(Count.bytes(Int(min(download.bytesPerSecond, 1e15))) + "/s")
      if let left = download.secondsLeft { parts.append(Readable.duration(left) + " left") }
    }
    return parts.joined(separator: "  ")
  }
}
