import Glibc

/// The variables that say where the hub's cache is, as Hugging Face's own tools read them. The library does not read the
/// environment: whoever does hands it in.
public struct HubEnvironment: Sendable {
  let variables: [String: String]

  public init(_ environment: [String: String]) { variables = environment }

  /// `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `hub` under `HF_HOME`, whose default is `huggingface` under
  /// `XDG_CACHE_HOME`, whose default is `~/.cache`.
  public var cacheDirectory: String {
    if let path = value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE") { return expand(path) }
    if let home = value("HF_HOME") { return Path.join(expand(home), "hub") }
    let caches = value("XDG_CACHE_HOME").map(expand) ?? Path.join(homeDirectory, ".cache")
    return Path.join(caches, "huggingface/hub")
  }

  /// `HF_HUB_OFFLINE`, else `TRANSFORMERS_OFFLINE`.
  public var isOffline: Bool { isTrue("HF_HUB_OFFLINE") ?? isTrue("TRANSFORMERS_OFFLINE") ?? false }

  /// Whether a variable that is set says 1, ON, YES or TRUE, in any case.
  func isTrue(_ name: String) -> Bool? {
    value(name).map { ["1", "ON", "YES", "TRUE"].contains($0.uppercased()) }
  }

  /// A variable that is set and not empty.
  func value(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

  var homeDirectory: String {
    if let home = value("HOME") { return home }
    guard let entry = getpwuid(getuid()), let home = entry.pointee.pw_dir else { return "/" }
    return String(cString: home)
  }

  /// `~` at the start, then `$NAME` and `${NAME}`; names that are not set stay as they are.
  func expand(_ path: String) -> String {
    var path = path
    if path == "~" || path.hasPrefix("~/") { path = homeDirectory + path.dropFirst() }
    guard path.utf8.contains(UInt8(ascii: "$")) else { return path }
    var result = ""
    var rest = Substring(path)
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[dollar...]
      var name = rest.dropFirst()
      var length = 1
      if name.first == "{", let end = name.firstIndex(of: "}") {
        name = name[name.index(after: name.startIndex)..<end]
        length = 3 + name.count
      } else {
        name = name.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
        length = 1 + name.count
      }
      result += variables[String(name)] ?? String(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return result + rest
  }
}
