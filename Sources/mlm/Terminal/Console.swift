import CommandLine
import Files
import Glibc
import Model

/// Standard error: notes, warnings, errors, and a live progress line below them.
final class Console {
  let isQuiet: Bool
  let terminal: Terminal
  private let descriptor: Int32
  /// The live line on the screen; empty if there is none.
  private var liveLine = ""

  init(descriptor: Int32 = STDERR_FILENO, isQuiet: Bool, terminal: Terminal) {
    self.descriptor = descriptor
    self.isQuiet = isQuiet
    self.terminal = terminal
  }

  /// Prints a note, unless `--quiet` is given.
  func note(_ text: String) { if !isQuiet { say("mlm: note: ", text) } }

  /// Prints a warning about a likely mistake, unless `--quiet` is given.
  func warning(_ text: String) { if !isQuiet { say("mlm: warning: ", text) } }

  /// Prints an error with its location and its remedy.
  func error(_ message: String, location: String? = nil, hint: String? = nil) {
    say("mlm: error: ", message + (location.map { " [\($0)]" } ?? ""))
    if let hint { say("hint: ", hint) }
  }

  func error(_ error: any Error) {
    switch error {
    case let error as UsageError: self.error(error.message, hint: error.hint)
    case let error as OutputError: self.error(error.message)
    case let error as any ModelError:
      self.error(error.message, location: error.location?.description, hint: error.advice)
    default: self.error("\(error)")
    }
  }

  /// Prints a plain line, unless `--quiet` is given.
  func line(_ text: String) { if !isQuiet { say("", text) } }

  /// Redraws the live line, if the terminal can.
  func redraw(_ text: String) {
    guard terminal.redraws, !isQuiet else { return }
    let room = max(1, Terminal.width(of: descriptor) - 1)
    let line = DisplayWidth.prefix(Printable.oneLine(text), columns: room)
    guard line != liveLine else { return }
    liveLine = line
    put("\r" + line + "\u{1B}[K")
  }

  /// Removes the live line from the screen.
  func clearLiveLine() {
    guard !liveLine.isEmpty else { return }
    liveLine = ""
    put("\r\u{1B}[K")
  }

  private func say(_ prefix: String, _ text: String) {
    let line = liveLine
    clearLiveLine()
    put(prefix + Printable.oneLine(text) + "\n")
    if !line.isEmpty { redraw(line) }
  }

  /// Writes a message and ignores errors, which could not be reported.
  private func put(_ text: String) { _ = writeAll(Array(text.utf8), to: descriptor) }
}
