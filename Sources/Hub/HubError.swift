import Files
import Text

/// What can go wrong between a repository of the hub and its place in the cache.
public enum HubError: ModelError, Equatable {
  // Names
  /// `hf://` with something behind it that is no repository.
  case malformedAddress(text: String)
  /// An address of the hub or a proxy that is none.
  case malformedURL(text: String)
  /// A token with characters that no token has.
  case malformedToken

  // The cache
  /// - missing: files, or what they hold.
  /// - cache: the folder looked in.
  /// - others: revisions of the repository that are in the cache.
  case notInCache(repository: String, revision: String, missing: [String], cache: String, others: [String])
  /// The cache's folder cannot be written.
  case cacheNotWritable(path: String)
  /// A file larger than the room there is; in bytes.
  case noRoom(file: String, needed: Int, free: Int, path: String)

  // The network
  /// - host: scheme and name, or the proxy.
  case unreachable(host: String, isProxy: Bool, why: String)
  /// The connection's certificate is not to be trusted.
  case insecure(host: String, why: String)
  /// The connection failed again and again in the middle of a file.
  case broken(file: String, why: String, kept: Int)
  /// Told to stop. `kept`: where the part is that came.
  case interrupted(kept: String?)

  // What the hub answered
  /// The hub has no such repository, or does not show it to this user.
  case repositoryNotFound(repository: String, status: Int, hasToken: Bool)
  /// The repository's terms must be accepted on its page first.
  case gated(repository: String, hasToken: Bool)
  /// The repository has no such branch, tag or commit.
  case revisionNotFound(repository: String, revision: String)
  /// The repository has no such file.
  case fileNotFound(file: String, repository: String, revision: String)
  /// The repository has no tokenizer that can be read.
  case noVocabulary(repository: String, revision: String)
  /// The repository has no weights that can be read.
  case noWeights(repository: String, revision: String)
  /// The hub answered with an error.
  case refused(url: String, status: Int, why: String?)
  /// The hub asks to come back later; in seconds.
  case busy(host: String, status: Int, wait: Double?)
  /// Something answered that is not the hub.
  case notTheHub(host: String, why: String)
  /// Sent from address to address without end.
  case tooManyRedirects(url: String)

  // What came
  /// A file that came is longer or shorter than announced; in bytes.
  case wrongSize(file: String, expected: Int, found: Int)
  /// A file that came has another content than announced.
  case wrongDigest(file: String, digest: Digest, expected: String, found: String)
  /// The hub announces another content than the registry says the pinned revision has.
  case unexpectedDigest(file: String, expected: String, announced: String)

  // Libraries of the system
  /// A library of the system is not installed, and the package it is in.
  case missingLibrary(name: String, package: String)
  /// An index of weights lists what is not the name of a file next to it.
  case malformedIndex(file: String, shard: String)
  /// A library of the system lacks a function.
  case unsuitableLibrary(symbol: String)

  public var kind: ErrorKind { .hub }
  public var message: String {
    switch self {
    case .malformedAddress(let text): "'\(text)' is not of the form hf://OWNER/NAME or hf://OWNER/NAME@REVISION"
    case .malformedURL(let text): "'\(WebAddress.withoutPassword(text))' is not a web address of http or https"
    case .malformedToken: "the hub's token has characters that no token has"
    case .notInCache(let repository, let revision, let missing, let cache, _):
      "\(repository) at revision \(revision) is not in the hub cache, and the network is not to be used: "
        + "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") missing in \(cache)"
    case .cacheNotWritable(let path): "\(path): the hub cache cannot be written to"
    case .noRoom(let file, let needed, let free, let path):
      "\(path): no room for \(file): \(Count.bytes(needed)) are needed, \(Count.bytes(free)) are free"
    case .unreachable(let host, let isProxy, let why): "cannot reach \(isProxy ? "the proxy " : "")\(host): \(why)"
    case .insecure(let host, let why): "no secure connection to \(host): \(why)"
    case .broken(let file, let why, let kept):
      "\(file): \(why), again and again" + (kept > 0 ? "; \(Count.bytes(kept)) are kept" : "")
    case .interrupted(let kept): "interrupted" + (kept.map { "; the part of \($0) that came is kept" } ?? "")
    case .repositoryNotFound(let repository, let status, _):
      "\(repository): not found on the hub, private, or in need of a token (status \(status))"
    case .gated(let repository, _): "\(repository): the hub wants its terms accepted first"
    case .revisionNotFound(let repository, let revision): "\(repository) has no revision '\(revision)' on the hub"
    case .fileNotFound(let file, let repository, let revision):
      "\(repository) has no \(file) at revision \(revision) on the hub"
    case .noVocabulary(let repository, let revision):
      "\(repository) has neither tokenizer.json nor vocab.txt at revision \(revision) on the hub"
    case .noWeights(let repository, let revision):
      "\(repository) has neither model.safetensors nor model.safetensors.index.json at revision \(revision) on the hub"
    case .refused(let url, let status, let why): "\(url): status \(status)" + (why.map { ": \($0)" } ?? "")
    case .busy(let host, let status, let wait):
      "\(host) is too busy (status \(status))" + (wait.map { " and asks to wait \(Self.seconds($0))" } ?? "")
    case .notTheHub(let host, let why): "what answers at \(host) is not the hub: \(why)"
    case .tooManyRedirects(let url): "\(url): one redirect after another"
    case .wrongSize(let file, let expected, let found):
      "\(file): what comes is \(found) bytes or more, where \(expected) were announced"
    case .wrongDigest(let file, let digest, let expected, let found):
      "\(file): what came is not what the hub has: its \(digest.name) is \(found), not \(expected)"
    case .unexpectedDigest(let file, let expected, let announced):
      "\(file): the hub has another file than the registry knows: SHA-256 \(announced), not \(expected)"
    case .malformedIndex(let file, let shard):
      "\(file): malformed index: '\(shard)' is not the name of a file beside it"
    case .missingLibrary(let name, let package): DynamicLibraryError.missing(name: name, package: package).message
    case .unsuitableLibrary(let symbol): DynamicLibraryError.unsuitable(symbol: symbol).message
    }
  }

  /// What is said of it when it is not the end yet.
  var messageOfOneTry: String {
    guard case .broken(let file, let why, let kept) = self else { return message }
    return "\(file): \(why)" + (kept > 0 ? "; \(Count.bytes(kept)) are kept" : "")
  }

  public var hint: String? {
    switch self {
    case .malformedAddress: "for example hf://distilbert/distilbert-base-uncased"
    case .malformedURL: "look at HF_ENDPOINT: it is to be like https://huggingface.co"
    case .malformedToken: "look at HF_TOKEN, or the token file; hf auth login writes a good one"
    case .notInCache(let repository, _, _, _, let others):
      if let other = others.first {
        "the cache has the revision \(other): name it with hf://\(repository)@\(other)"
      } else {
        "when the network may be used it is fetched; or copy a cache that has it, and name it with HF_HUB_CACHE"
      }
    case .cacheNotWritable: "name another place with HF_HUB_CACHE"
    case .noRoom: "make room, or name another place with HF_HUB_CACHE; what came so far is kept"
    case .unreachable(_, let isProxy, _):
      isProxy
        ? "look at HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
        : "look at the network (HF_ENDPOINT, HTTPS_PROXY), or bring the files here and load their directory"
    case .insecure: "certificates come with Debian's ca-certificates; SSL_CERT_FILE names others"
    case .broken, .interrupted: "another attempt continues where this one stopped"
    case .repositoryNotFound(_, _, let hasToken):
      hasToken
        ? "look for a slip in the name; the token may not be for this repository"
        : "look for a slip in the name; a private repository needs HF_TOKEN"
    case .gated(_, let hasToken):
      "accept them on its page on the hub" + (hasToken ? "; the token must be of that account" : ", then set HF_TOKEN")
    case .revisionNotFound: "without @REVISION it is the newest, main"
    case .fileNotFound, .noVocabulary: "is it a DistilBERT model? Its page on the hub lists its files"
    case .noWeights: "weights in other formats are not read; transformers' save_pretrained writes safetensors"
    case .refused: "look at HF_TOKEN and HF_ENDPOINT, or try again later; what came so far is kept"
    case .busy: "try again later; another attempt continues where this one stopped"
    case .notTheHub: "is there a network to log in to, a proxy (HTTPS_PROXY), or a wrong HF_ENDPOINT?"
    case .tooManyRedirects: "look at HF_ENDPOINT"
    case .wrongSize, .wrongDigest:
      "it was thrown away; try again, and if it stays so look at proxies and mirrors (HTTPS_PROXY, HF_ENDPOINT)"
    case .unexpectedDigest:
      "do not trust that source: look at HF_ENDPOINT, and at MLM_PRESETS if the preset is yours"
    case .malformedIndex: nil
    case .missingLibrary(_, let package): "as root: apt-get install \(package)"
    case .unsuitableLibrary: "as root: apt-get install --only-upgrade libcurl4 libssl3"
    }
  }

  package init(_ error: DynamicLibraryError) {
    self =
      switch error {
      case .missing(let name, let package): .missingLibrary(name: name, package: package)
      case .unsuitable(let symbol): .unsuitableLibrary(symbol: symbol)
      }
  }

  /// Whether the hub was not reached, so that an old copy may serve.
  var isOutage: Bool {
    switch self {
    case .unreachable, .insecure, .busy, .notTheHub, .broken, .missingLibrary: true
    default: false
    }
  }

  private static func seconds(_ number: Double) -> String { "\(Int(min(number, 1e9).rounded(.up))) s" }
}
