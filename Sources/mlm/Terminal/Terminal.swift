import Glibc
import Model

/// The capabilities of the terminal behind a descriptor.
struct Terminal: Sendable, Equatable {
  var isTerminal: Bool
  /// Whether the terminal understands escape sequences that move the cursor.
  var redraws: Bool
  /// Whether color is supported and wanted.
  var hasColor: Bool
  /// Whether characters beyond ASCII can be shown.
  var showsUnicode: Bool

  init(isTerminal: Bool, environment: (String) -> String?) {
    let isDumb = environment("TERM") == "dumb"
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment($0) }.first { !$0.isEmpty } ?? ""
    self.isTerminal = isTerminal
    redraws = isTerminal && !isDumb
    hasColor = redraws && (environment("NO_COLOR") ?? "").isEmpty
    showsUnicode = locale.lowercased().contains("utf-8") || locale.lowercased().contains("utf8")
  }

  init(descriptor: Int32, environment: (String) -> String?) {
    self.init(isTerminal: isatty(descriptor) == 1, environment: environment)
  }

  /// The text in bold and in color, if color is supported and wanted.
  func emphasized(_ text: String) -> String { hasColor ? "\u{1B}[1;36m\(text)\u{1B}[m" : text }

  /// The current number of columns of the terminal, which changes when its window is resized; 80 if unknown.
  static func width(of descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
