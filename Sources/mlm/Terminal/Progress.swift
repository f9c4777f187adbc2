import Files

/// Shows how work goes on: a live line on a terminal, a plain line now and then elsewhere, nothing with `--quiet`, and
/// nothing for work that is done within a second.
final class Progress {
  /// Seconds before the first line, between two live lines, and between two plain ones.
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

  /// To be called as often as there is news; `line` is asked for only when it is time to show it.
  func update(_ line: () -> String) {
    guard !console.isQuiet else { return }
    let now = clock()
    guard now - start >= Self.patience else { return }
    let interval = console.terminal.redraws ? Self.liveInterval : Self.plainInterval
    // Elsewhere the first plain line waits for its interval too: most work is over by then.
    let last = lastShown ?? (console.terminal.redraws ? -.infinity : start)
    guard now - last >= interval else { return }
    lastShown = now
    if console.terminal.redraws { console.redraw(line()) } else { console.line(line()) }
  }

  /// A line that stays: the end of an epoch. Shown however short the work was.
  func milestone(_ line: String) {
    // What the live line said is over.
    console.clearLiveLine()
    console.line(line)
    lastShown = clock()
  }

  /// Takes the live line away.
  func finish() { console.clearLiveLine() }
}

/// How times and rates are shown.
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
