import Testing

@testable import Hub

@Suite struct WebAddressTests {
  @Test func parts() throws {
    let address = try WebAddress("HTTPS://Example.org/a/b?c=d")
    #expect((address.scheme, address.host, address.port) == ("https", "example.org", "443"))
    #expect(address.origin == "https://example.org")
    #expect(try WebAddress("http://127.0.0.1:8080/x").origin == "http://127.0.0.1:8080")
  }

  @Test func relative() throws {
    let base = try WebAddress("https://example.org/old/name/resolve/main/a.json")
    #expect(try WebAddress("/new/name", relativeTo: base).text == "https://example.org/new/name")
    #expect(
      try WebAddress("b.json?x=1", relativeTo: base).text == "https://example.org/old/name/resolve/main/b.json?x=1")
    #expect(try WebAddress("https://cdn.example/x", relativeTo: base).text == "https://cdn.example/x")
    #expect(try WebAddress("//cdn.example/x", relativeTo: base).origin == "https://cdn.example")
  }

  /// Only an address with the same scheme, host and port may receive the token.
  @Test func origins() throws {
    let hub = try WebAddress("https://example.org")
    for same in ["https://EXAMPLE.org/x", "https://example.org:443/y"] {
      #expect(try WebAddress(same).isSameOrigin(as: hub), "\(same)")
    }
    for other in [
      "http://example.org", "https://example.org:444", "https://cdn.example.org", "https://example.org.evil",
      "https://example.org@evil.org/",
    ] {
      #expect(try !WebAddress(other).isSameOrigin(as: hub), "\(other)")
    }
  }

  @Test(arguments: [
    "", "huggingface.co", "ftp://example.org/x", "file:///etc/passwd", "http://", "http://a b/", "https://x/\r\nY",
  ])
  func refused(_ text: String) {
    #expect(throws: HubError.malformedURL(text: text)) { try WebAddress(text) }
  }

  @Test func encoding() {
    #expect(HubClient.encoded("refs/pr/1", keepingSlashes: false) == "refs%2Fpr%2F1")
    #expect(HubClient.encoded("a b/ü#?.txt", keepingSlashes: true) == "a%20b/%C3%BC%23%3F.txt")
  }

  @Test func tags() {
    #expect(HubClient.tag("\"abc\"") == "abc")
    #expect(HubClient.tag("W/\"abc\"") == "abc")
    #expect(HubClient.tag("abc-1.x") == "abc-1.x")
    for bad in [
      "", "\"\"", "\"../x\"", "\"a/b\"", "\"..\"", "\"a b\"", "\"" + String(repeating: "a", count: 129) + "\"",
    ] {
      #expect(HubClient.tag(bad) == nil, "\(bad)")
    }
  }

  @Test func contentRanges() {
    #expect(ContentRange("bytes 100-199/200")?.continues(at: 100, of: 200) == true)
    #expect(ContentRange("bytes 100-199/*")?.continues(at: 100, of: 200) == true)
    #expect(ContentRange("bytes 100-199/200")?.continues(at: 100, of: nil) == true)
    #expect(ContentRange("bytes 99-199/200")?.continues(at: 100, of: 200) == false)
    #expect(ContentRange("bytes 100-199/300")?.continues(at: 100, of: 200) == false)
    for bad in ["bytes */200", "items 1-2/3", "bytes x-2/3", ""] { #expect(ContentRange(bad) == nil, "\(bad)") }
    #expect(ContentRange(nil) == nil)
  }
}
