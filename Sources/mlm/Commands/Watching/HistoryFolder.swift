import Glibc

/// Where the history grows while there is no model directory yet: hidden, beside the place of the output, gone with this object.
final class HistoryFolder {
  let path: String

  /// nil where it cannot be made. Then nothing grows; the model directory gets the history all the same.
  init?(besides output: String) {
    var trimmed = output[...]
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    let slash = trimmed.lastIndex(of: "/")
    let name = slash.map { trimmed[trimmed.index(after: $0)...] } ?? trimmed
    let parent = slash.map { trimmed[...$0] } ?? ""
    path = "\(parent).\(name).history-\(getpid())"
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { return nil }
  }

  deinit {
    for name in ["history.csv", "history.svg"] { unlink(path + "/" + name) }
    rmdir(path)
  }
}

/// Names of files as a title has room for.
enum FileName {
  static func last(_ path: String) -> String {
    let parts = path.split(separator: "/")
    return parts.last.map(String.init) ?? path
  }

  /// `a.txt`, `a.txt and b.txt`, `a.txt and 3 other files`.
  static func list(_ paths: [String]) -> String {
    let names = paths.map { $0 == "-" ? "standard input" : last($0) }
    switch names.count {
    case 0: return ""
    case 1: return names[0]
    case 2: return "\(names[0]) and \(names[1])"
    default: return "\(names[0]) and \(names.count - 1) other files"
    }
  }
}
