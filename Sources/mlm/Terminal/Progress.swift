import Files

/// Shows the progress of work: a live line on a terminal, occasional plain lines elsewhere, and nothing with `--quiet`
/// or for work that takes less than a second.
final class Progress {
  /// Seconds before the first line, between live lines, and between plain lines.
  static let patience = 1.0
  static let liveInterval = 0.1
  static let plainInterval = 15.0

  private let console: Console
  private let clock: () -> Double
  private let start: Double
  private var lastShown: Double?

  init(console: Console, clock: @escaping () -> Double = { MonotonicClock.seconds }) {
    self.console = console
    self.clock = clock
    start = clock()
  }

  /// Updates the line. May be called often: `line` is called only when it is time to show it.
  func update(_ line: () -> String) {
    guard !console.isQuiet else { return }
    let now = clock()
    guard now - start >= Self.patience else { return }
    let interval = console.terminal.redraws ? Self.liveInterval : Self.plainInterval
    // The first plain line also waits for its interval, because most work finishes before.
    let last = lastShown ?? (console.terminal.redraws ? -.infinity : start)
    guard now - last >= interval else { return }
    lastShown = now
    if console.terminal.redraws { console.redraw(line()) } else { console.line(line()) }
  }

  /// Prints a permanent line, such as the end of an epoch, even if the work was short.
  func milestone(_ line: String) {
    // The live line is outdated.
    console.clearLiveLine()
    console.line(line)
    lastShown = clock()
  }

  /// Removes the live line.
  func finish() { console.clearLiveLine() }
}

/// Formats times and rates for people.
enum Readable {
  /// `0:07`, `3:12`, `1:02:45`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
  }

  /// `850`, `14.2k`, `1.3M`.
  static func count(_ number: Double) -> String {
    guard number.isFinite, number >= 0 else { return "?" }
    if number < 999.5 { return Decimal.fixed(number, 0) }
    if number < 99_950 { return Decimal.fixed(number / 1e3, 1) + "k" }
    if number < 999_500 { return Decimal.fixed(number / 1e3, 0) + "k" }
    return Decimal.fixed(number / 1e6, 1) + "M"
  }

  static func percent(_ share: Double) -> String { Decimal.fixed(share * 100, 1) + " %" }
}
