import TestSupport
import Testing

@testable import Hub

/// The variables have the same meaning as in huggingface_hub's constants.py and utils/_auth.py.
@Suite struct HubEnvironmentTests {
  @Test(arguments: [
    ("1", true), ("on", true), ("Yes", true), ("TRUE", true), ("0", false), ("2", false), ("no", false),
  ])
  func switches(_ text: String, _ isOn: Bool) {
    #expect(HubEnvironment(["HF_HUB_OFFLINE": text]).isOffline == isOn)
    #expect(HubEnvironment(["TRANSFORMERS_OFFLINE": text]).isOffline == isOn)
    #expect(HubEnvironment(["HF_HUB_DISABLE_SYMLINKS": text]).usesSymlinks != isOn)
    #expect(HubEnvironment(["HF_HUB_DISABLE_PROGRESS_BARS": text]).showsProgress != isOn)
    #expect(HubEnvironment(["HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": text]).isOffline == false)
  }

  @Test func defaults() throws {
    let environment = HubEnvironment(["HOME": "/nobody"])
    #expect(!environment.isOffline && environment.usesSymlinks && environment.showsProgress)
    #expect(environment.endpoint == "https://huggingface.co")
    #expect(environment.etagTimeout == 10 && environment.downloadTimeout == 10)
    #expect(environment.proxies == .init(http: nil, https: nil, exceptions: ""))
    #expect(environment.certificateFile == nil)
    #expect(try environment.token() == nil)
  }

  @Test func endpointAndTimeouts() {
    #expect(HubEnvironment(["HF_ENDPOINT": "https://mirror.example/hf/"]).endpoint == "https://mirror.example/hf")
    #expect(HubEnvironment(["HF_HUB_ETAG_TIMEOUT": "2.5"]).etagTimeout == 2.5)
    for text in ["0", "-1", "soon", "nan", "1e9"] {
      #expect(HubEnvironment(["HF_HUB_DOWNLOAD_TIMEOUT": text]).downloadTimeout == 10, "\(text)")
    }
  }

  @Test func token() throws {
    let folder = try TemporaryFolder()
    try folder.write("token", "from-home\n")
    try folder.write("other", "  from-path \nsecond line\n")
    func token(_ variables: [String: String]) throws -> String? {
      try HubEnvironment(variables.merging(["HF_HOME": folder.path]) { old, _ in old }).token()
    }
    #expect(try token([:]) == "from-home")
    #expect(try token(["HF_TOKEN_PATH": folder.path + "/other"]) == "from-path")
    #expect(try token(["HUGGING_FACE_HUB_TOKEN": "old"]) == "old")
    #expect(try token(["HF_TOKEN": " new\n", "HUGGING_FACE_HUB_TOKEN": "old"]) == "new")
    #expect(try token(["HF_TOKEN": "new", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]) == nil)
    // The token must not end its header line.
    for text in ["a b", "a\r\nX-Evil: 1", "a\u{0}b", "t\u{F6}ken"] {
      #expect(throws: HubError.malformedToken, "\(text)") { try token(["HF_TOKEN": text]) }
    }
  }

  @Test func proxies() throws {
    func proxies(_ variables: [String: String]) -> HubEnvironment.Proxies { HubEnvironment(variables).proxies }
    #expect(proxies(["HTTPS_PROXY": "a", "http_proxy": "b"]) == .init(http: "b", https: "a", exceptions: ""))
    #expect(proxies(["ALL_PROXY": "c", "HTTP_PROXY": "b"]) == .init(http: "b", https: "c", exceptions: ""))
    #expect(proxies(["https_proxy": "low", "HTTPS_PROXY": "up"]).https == "low")
    #expect(proxies(["NO_PROXY": "x,.y"]).exceptions == "x,.y")
    #expect(proxies(["all_proxy": "c"]).proxy(for: "http") == "c")
    let host = try WebAddress("http://hub.Example.org:80/x")
    for exceptions in ["*", "a, hub.example.org", ".example.org", "EXAMPLE.org"] {
      #expect(proxies(["all_proxy": "c", "no_proxy": exceptions]).proxy(for: host) == nil, "\(exceptions)")
    }
    for exceptions in ["", "ample.org", "b.example.org", "hub.example"] {
      #expect(proxies(["all_proxy": "c", "no_proxy": exceptions]).proxy(for: host) == "c", "\(exceptions)")
    }
  }

  @Test func namesAreComplete() {
    // The caller that reads the environment must pass all variables that are used.
    for name in ["HF_TOKEN", "no_proxy", "NO_PROXY", "HF_HUB_DISABLE_SYMLINKS", "SSL_CERT_FILE", "HF_ENDPOINT"] {
      #expect(HubEnvironment.variableNames.contains(name))
    }
  }
}
