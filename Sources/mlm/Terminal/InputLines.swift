import Files
import Glibc
import Model

/// One line of input, without its newline.
struct InputLine: Sendable, Equatable {
  /// Counted from 1.
  let number: Int
  let bytes: [UInt8]
  /// Whether a `\r` preceded the newline.
  var hasReturn = false
}

/// Reads lines as they arrive: each call returns all complete lines that are available, and waits only if there are
/// none.
///
/// A program that writes one line and waits gets its answer, and a file is read in large batches. A line ends only at
/// `\n`; one `\r` before it is dropped, and so is a byte-order mark at the start. The last line may lack its `\n`. The
/// first bytes must be text, as in the files of fit and evaluate; until 64 KiB have arrived, they are checked again
/// with each batch. Memory is bounded by one batch and the longest line.
final class InputLines {
  /// The name for messages.
  let name: String
  private let descriptor: Int32
  private let ownsDescriptor: Bool
  /// Bytes read but not yet returned; those before `searched` are known to contain no `\n`.
  private var pending: [UInt8] = []
  private var searched = 0
  private var isFirstLine = true
  private var atEnd = false
  /// The first bytes of the input; empty once they are known to be text.
  private var beginning: [UInt8] = []
  private var isJudged = false
  private var lineNumber = 0
  private var block = [UInt8](repeating: 0, count: 1 << 16)

  /// Lines of standard input.
  init(descriptor: Int32 = STDIN_FILENO, name: String = "standard input") {
    self.descriptor = descriptor
    self.name = name
    ownsDescriptor = false
  }

  /// Lines of a file, or of standard input if `path` is nil.
  init(path: String?) throws(InputError) {
    guard let path else {
      descriptor = STDIN_FILENO
      name = "standard input"
      ownsDescriptor = false
      return
    }
    let descriptor = open(path.cPath, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, code: errno) }
    var information = stat()
    if fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFDIR {
      close(descriptor)
      throw .isDirectory(path: path)
    }
    self.descriptor = descriptor
    name = path
    ownsDescriptor = true
  }

  deinit { if ownsDescriptor { close(descriptor) } }

  /// Returns the available lines in order, at least one; nil at the end of the input.
  ///
  /// - Parameter batchBytes: the size at which a batch ends, after a complete line.
  func next(batchBytes: Int = 1 << 14) throws(InputError) -> [InputLine]? {
    var lines: [InputLine] = []
    var size = 0
    var start = 0
    while true {
      while size < batchBytes, let end = endOfLine() {
        append(start..<end, to: &lines)
        size += end - start + 1
        start = end + 1
        searched = start
      }
      if size >= batchBytes || atEnd { break }
      if start > 0 {
        pending.removeSubrange(..<start)
        searched -= start
        start = 0
      }
      if !lines.isEmpty, !hasMoreNow() { break }
      try readBlock()
    }
    if start > 0 {
      pending.removeSubrange(..<start)
      searched -= start
    }
    if atEnd, size < batchBytes, searched == pending.count, !pending.isEmpty {
      append(0..<pending.count, to: &lines, isUnterminated: true)
      pending.removeAll()
      searched = 0
    }
    if lines.isEmpty { return nil }
    // Input that is not text is refused before any line is answered.
    if !isJudged { try judge() }
    return lines
  }

  private func judge() throws(InputError) {
    do throws(PreprocessorError) {
      try beginning.withUnsafeBufferPointer { bytes throws(PreprocessorError) in
        try PlainText.check(bytes, name: name)
      }
    } catch {
      throw .notText(error)
    }
    guard atEnd || beginning.count >= PlainText.beginning else { return }
    isJudged = true
    beginning = []
  }

  private func endOfLine() -> Int? {
    let end = pending.withUnsafeBytes { bytes -> Int? in
      guard searched < bytes.count, let base = bytes.baseAddress else { return nil }
      return memchr(base + searched, 0x0A, bytes.count - searched).map { UnsafeRawPointer($0) - base }
    }
    if end == nil { searched = pending.count }
    return end
  }

  private func append(_ range: Range<Int>, to lines: inout [InputLine], isUnterminated: Bool = false) {
    var bytes = pending[range]
    if isFirstLine, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    isFirstLine = false
    // A file with only a byte-order mark has no lines.
    if isUnterminated, bytes.isEmpty { return }
    let hasReturn = !isUnterminated && bytes.last == 0x0D
    if hasReturn { bytes = bytes.dropLast() }
    lineNumber += 1
    lines.append(InputLine(number: lineNumber, bytes: Array(bytes), hasReturn: hasReturn))
  }

  /// Whether a read would return immediately, which includes the end of the input.
  private func hasMoreNow() -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, 0) > 0
  }

  private func readBlock() throws(InputError) {
    while true {
      let count = read(descriptor, &block, block.count)
      if count > 0 {
        pending.append(contentsOf: block[..<count])
        if !isJudged { beginning.append(contentsOf: block[..<min(count, PlainText.beginning - beginning.count)]) }
        return
      }
      if count == 0 {
        atEnd = true
        return
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&request, 1, -1)
      case EISDIR: throw .isDirectory(path: name)
      default: throw .cannotRead(name: name, code: errno)
      }
    }
  }
}

/// The reasons why inputs could not be read.
enum InputError: ModelError, Equatable {
  case cannotOpen(path: String, code: Int32)
  case cannotRead(name: String, code: Int32)
  case isDirectory(path: String)
  /// The input is not UTF-8 text.
  case notText(PreprocessorError)

  var message: String {
    switch self {
    case .cannotOpen(let path, let code): "cannot open \(path): \(systemMessage(code))"
    case .cannotRead(let name, let code): "cannot read \(name): \(systemMessage(code))"
    case .isDirectory(let path): "\(path) is a directory, not a file"
    case .notText(let error): error.message
    }
  }

  var hint: String? {
    guard case .notText(let error) = self else { return nil }
    // predict and tokenize read standard input without the operand `-`.
    return error.advice.map { $0.hasSuffix(" | mlm … -") ? String($0.dropLast(2)) : $0 }
  }
  var location: DataLocation? { if case .notText(let error) = self { error.location } else { nil } }
}
