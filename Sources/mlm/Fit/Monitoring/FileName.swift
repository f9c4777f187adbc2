/// Short names of files, for titles.
enum FileName {
  static func last(_ path: String) -> String {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"))
    return parts.last.map { String(decoding: $0, as: UTF8.self) } ?? path
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
