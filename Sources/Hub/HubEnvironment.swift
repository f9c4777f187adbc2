import Files
import Glibc

/// The environment variables that locate the hub and its cache, with the same meaning as in Hugging Face's tools: those
/// of the process (`current`), or others.
public struct HubEnvironment: Sendable {
  package let variables: [String: String]

  /// - Parameter environment: the names and values of variables; other names than the hub's are ignored.
  public init(_ environment: [String: String]) { variables = environment }

  /// `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `hub` under `HF_HOME`, whose default is `huggingface` under
  /// `XDG_CACHE_HOME`, whose default is `~/.cache`.
  public var cacheDirectory: String {
    if let path = value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE") { return expand(path) }
    return Path.join(homeFolder, "hub")
  }

  /// `HF_HOME`.
  private var homeFolder: String {
    if let home = value("HF_HOME") { return expand(home) }
    let caches = value("XDG_CACHE_HOME").map(expand) ?? Path.join(homeDirectory, ".cache")
    return Path.join(caches, "huggingface")
  }

  /// The variables that are read, in addition to those that paths refer to (`$SCRATCH/hub`).
  public static let variableNames = [
    "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HOME", "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_ETAG_TIMEOUT",
    "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_IMPLICIT_TOKEN",
    "HF_HUB_DISABLE_SYMLINKS", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy",
    "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
  ]

  /// `HF_HUB_OFFLINE`, else `TRANSFORMERS_OFFLINE`.
  public var isOffline: Bool { isTrue("HF_HUB_OFFLINE") ?? isTrue("TRANSFORMERS_OFFLINE") ?? false }

  /// Whether to show progress (`HF_HUB_DISABLE_PROGRESS_BARS`).
  public var showsProgress: Bool { !(isTrue("HF_HUB_DISABLE_PROGRESS_BARS") ?? false) }

  /// `HF_ENDPOINT`, the address of a mirror of the hub, or the hub's own address.
  var endpoint: String { Path.trimmed(value("HF_ENDPOINT") ?? "https://huggingface.co") }

  /// The time to wait for the response to a HEAD request, and for the next bytes of a file, in seconds.
  var etagTimeout: Double { seconds("HF_HUB_ETAG_TIMEOUT") }
  var downloadTimeout: Double { seconds("HF_HUB_DOWNLOAD_TIMEOUT") }

  /// Whether a snapshot has links to blobs instead of copies.
  var usesSymlinks: Bool { !(isTrue("HF_HUB_DISABLE_SYMLINKS") ?? false) }

  /// A file of certificates to trust, instead of the system's.
  var certificateFile: String? {
    (value("SSL_CERT_FILE") ?? value("REQUESTS_CA_BUNDLE") ?? value("CURL_CA_BUNDLE")).map(expand)
  }

  /// The token for the hub: `HF_TOKEN`, else the file `HF_TOKEN_PATH` or `token` under `HF_HOME`; nil if there is none,
  /// or `HF_HUB_DISABLE_IMPLICIT_TOKEN` disables it.
  package func token() throws(HubError) -> String? {
    if isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN") ?? false { return nil }
    let file = value("HF_TOKEN_PATH").map(expand) ?? Path.join(homeFolder, "token")
    guard let token = value("HF_TOKEN") ?? value("HUGGING_FACE_HUB_TOKEN") ?? firstLine(of: file) else { return nil }
    let text = token.utf8.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
    if text.isEmpty { return nil }
    // The token becomes part of a header line, which it must not end.
    guard text.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .malformedToken }
    return String(decoding: text, as: UTF8.self)
  }

  private func firstLine(of file: String) -> String? {
    guard Path.isFile(file), let bytes = try? FileMapping.contents(of: file) else { return nil }
    return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
  }

  /// The proxies for each scheme.
  struct Proxies: Sendable, Equatable {
    var http: String?
    var https: String?
    /// The hosts that need no proxy, as a list in the format of `NO_PROXY`.
    var exceptions = ""

    func proxy(for scheme: String) -> String? { scheme == "https" ? https : http }

    /// The proxy for a host, for messages; nil if the host is an exception. Only libcurl interprets exceptions that are
    /// networks (`10.0.0.0/8`).
    func proxy(for address: WebAddress) -> String? {
      let host = address.host.filter { $0 != "[" && $0 != "]" }
      let isException = exceptions.lowercased().split { $0 == "," || $0 == " " }.contains { entry in
        let name = entry.hasPrefix(".") ? entry.dropFirst() : entry
        return name == "*" || host == name || host.hasSuffix("." + name)
      }
      return isException ? nil : proxy(for: address.scheme)
    }
  }

  var proxies: Proxies {
    func either(_ name: String) -> String? { value(name) ?? value(name.uppercased()) }
    let all = either("all_proxy")
    return Proxies(
      http: either("http_proxy") ?? all, https: either("https_proxy") ?? all, exceptions: either("no_proxy") ?? "")
  }

  /// The value of a variable in seconds; 10 if it is not set or out of range.
  private func seconds(_ name: String) -> Double {
    guard let text = value(name), let number = Double(text), number > 0, number <= 86400 else { return 10 }
    return number
  }

  /// Whether the value of a variable is 1, ON, YES or TRUE, in any case; nil if it is not set.
  package func isTrue(_ name: String) -> Bool? {
    value(name).map { ["1", "ON", "YES", "TRUE"].contains($0.uppercased()) }
  }

  /// The value of a variable; nil if it is not set or empty.
  package func value(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

  var homeDirectory: String {
    if let home = value("HOME") { return home }
    guard let entry = getpwuid(getuid()), let home = entry.pointee.pw_dir else { return "/" }
    return String(cPath: home)
  }

  /// Expands `~` at the start of a path, then `$NAME` and `${NAME}`. Names that are not set stay as they are.
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
