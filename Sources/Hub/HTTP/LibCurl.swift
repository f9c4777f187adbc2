import CCurl
import Files

/// libcurl's functions, loaded on first use of the network.
struct LibCurl: @unchecked Sendable {
  typealias Handle = UnsafeMutableRawPointer
  typealias Text = UnsafePointer<CChar>
  typealias TextResult = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  typealias List = UnsafeMutablePointer<curl_slist>

  static let shared = Result { () throws(DynamicLibraryError) in try LibCurl() }.mapError(HubError.init)

  let open: @convention(c) () -> Handle?
  let close: @convention(c) (Handle) -> Void
  let reset: @convention(c) (Handle) -> Void
  let perform: @convention(c) (Handle) -> CURLcode
  let errorText: @convention(c) (CURLcode) -> Text?
  let appendToList: @convention(c) (List?, Text) -> List?
  let freeList: @convention(c) (List?) -> Void
  let newURL: @convention(c) () -> OpaquePointer?
  let freeURL: @convention(c) (OpaquePointer) -> Void
  let setURL: @convention(c) (OpaquePointer, CURLUPart, Text?, UInt32) -> CURLUcode
  let getURL: @convention(c) (OpaquePointer, CURLUPart, TextResult, UInt32) -> CURLUcode
  let freeText: @convention(c) (UnsafeMutableRawPointer?) -> Void
  /// Variadic: called through the inline functions of the header.
  let setOption, getInfo: UnsafeMutableRawPointer

  init() throws(DynamicLibraryError) {
    let library = try DynamicLibrary(["libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so"], package: "libcurl4")
    let start = try library.function("curl_global_init", as: (@convention(c) (Int) -> CURLcode).self)
    guard start(3) == CURLE_OK else { throw .unsuitable(symbol: "curl_global_init") }  // CURL_GLOBAL_DEFAULT
    open = try library.function("curl_easy_init", as: (@convention(c) () -> Handle?).self)
    close = try library.function("curl_easy_cleanup", as: (@convention(c) (Handle) -> Void).self)
    reset = try library.function("curl_easy_reset", as: (@convention(c) (Handle) -> Void).self)
    perform = try library.function("curl_easy_perform", as: (@convention(c) (Handle) -> CURLcode).self)
    errorText = try library.function("curl_easy_strerror", as: (@convention(c) (CURLcode) -> Text?).self)
    appendToList = try library.function("curl_slist_append", as: (@convention(c) (List?, Text) -> List?).self)
    freeList = try library.function("curl_slist_free_all", as: (@convention(c) (List?) -> Void).self)
    newURL = try library.function("curl_url", as: (@convention(c) () -> OpaquePointer?).self)
    freeURL = try library.function("curl_url_cleanup", as: (@convention(c) (OpaquePointer) -> Void).self)
    setURL = try library.function(
      "curl_url_set", as: (@convention(c) (OpaquePointer, CURLUPart, Text?, UInt32) -> CURLUcode).self)
    getURL = try library.function(
      "curl_url_get",
      as: (@convention(c) (OpaquePointer, CURLUPart, TextResult, UInt32) -> CURLUcode).self)
    freeText = try library.function("curl_free", as: (@convention(c) (UnsafeMutableRawPointer?) -> Void).self)
    setOption = try library.symbol("curl_easy_setopt")
    getInfo = try library.symbol("curl_easy_getinfo")
  }

  /// libcurl's description of an error code.
  func text(of code: CURLcode) -> String {
    errorText(code).map { String(cString: $0) } ?? "curl error \(code.rawValue)"
  }
}

/// An http or https URL, parsed by libcurl.
struct WebAddress: Sendable, Equatable {
  let text: String
  let scheme, host: String
  /// The port, or the default one of the scheme.
  let port: String
  /// For messages: only scheme, host and port.
  let origin: String
  /// For messages: without the query (which may be signed), user name and password.
  let shown: String

  /// Parses a URL.
  /// - Parameter base: the base of a relative URL.
  /// - Throws: `HubError.malformedURL` if the text is not an http or https URL.
  init(_ text: String, relativeTo base: WebAddress? = nil) throws(HubError) {
    let curl = try LibCurl.shared.get()
    guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }), let parser = curl.newURL() else {
      throw .malformedURL(text: text)
    }
    defer { curl.freeURL(parser) }
    if let base, curl.setURL(parser, CURLUPART_URL, base.text, 0) != CURLUE_OK { throw .malformedURL(text: base.text) }
    let encodeSpaces: UInt32 = 1 << 7  // CURLU_URLENCODE
    guard curl.setURL(parser, CURLUPART_URL, text, encodeSpaces) == CURLUE_OK else { throw .malformedURL(text: text) }
    func part(_ part: CURLUPart) throws(HubError) -> String {
      var value: UnsafeMutablePointer<CChar>?
      let defaultPort: UInt32 = 1 << 0  // CURLU_DEFAULT_PORT
      guard curl.getURL(parser, part, &value, part == CURLUPART_PORT ? defaultPort : 0) == CURLUE_OK, let value else {
        throw .malformedURL(text: text)
      }
      defer { curl.freeText(value) }
      return String(cString: value)
    }
    scheme = try part(CURLUPART_SCHEME).lowercased()
    guard scheme == "http" || scheme == "https" else { throw .malformedURL(text: text) }
    host = try part(CURLUPART_HOST).lowercased()
    port = try part(CURLUPART_PORT)
    self.text = try part(CURLUPART_URL)
    let isUsual = (scheme == "http" && port == "80") || (scheme == "https" && port == "443")
    origin = "\(scheme)://\(host)" + (isUsual ? "" : ":\(port)")
    shown = origin + (try part(CURLUPART_PATH))
  }

  /// Whether two URLs have the same scheme, host and port, so that both may receive the token.
  func isSameOrigin(as other: WebAddress) -> Bool {
    scheme == other.scheme && host == other.host && port == other.port
  }

  /// A URL without its user name and password, even if it is malformed.
  static func withoutPassword(_ text: String) -> String {
    guard let at = text.lastIndex(of: "@") else { return text }
    let scheme = text.firstRange(of: "://").map { $0.upperBound <= at ? String(text[..<$0.upperBound]) : "" } ?? ""
    return scheme + text[text.index(after: at)...]
  }
}
