import Files
import Text

/// An error of a download from the hub or of its cache.
public enum HubError: ModelError, Equatable {
  // Names
  /// `hf://` followed by an invalid repository or revision.
  case malformedAddress(text: String)
  /// An invalid URL of the hub or a proxy.
  case malformedURL(text: String)
  /// A token with invalid characters.
  case malformedToken

  // The cache
  /// The cache lacks files, and the network is disabled.
  /// - missing: the missing files, or descriptions of them.
  /// - cache: the folder of the cache.
  /// - others: the other revisions of the repository in the cache.
  case notInCache(repository: String, revision: String, missing: [String], cache: String, others: [String])
  /// The cache's folder is not writable.
  case cacheNotWritable(path: String)
  /// The disk has not enough space for a file. Sizes are in bytes.
  case noRoom(file: String, needed: Int, free: Int, path: String)

  // The network
  /// The host cannot be reached.
  /// - host: scheme and name, or the proxy.
  case unreachable(host: String, isProxy: Bool, why: String)
  /// The certificate of the connection is not trusted.
  case insecure(host: String, why: String)
  /// The connection broke repeatedly during the download of a file. `kept`: the bytes downloaded so far.
  case broken(file: String, why: String, kept: Int)
  /// The caller interrupted the download. `kept`: the file of which a part is kept.
  case interrupted(kept: String?)

  // Responses of the hub
  /// The hub has no such repository, or this user has no access to it.
  case repositoryNotFound(repository: String, status: Int, hasToken: Bool)
  /// The repository requires that its terms are accepted on its page.
  case gated(repository: String, hasToken: Bool)
  /// The repository has no such branch, tag or commit.
  case revisionNotFound(repository: String, revision: String)
  /// The repository has no such file.
  case fileNotFound(file: String, repository: String, revision: String)
  /// The repository has no tokenizer in a supported format.
  case noVocabulary(repository: String, revision: String)
  /// The repository has no weights in a supported format.
  case noWeights(repository: String, revision: String)
  /// The hub responded with an error.
  case refused(url: String, status: Int, why: String?)
  /// The hub is overloaded. `wait`: the wait that it requests, in seconds.
  case busy(host: String, status: Int, wait: Double?)
  /// The server that responded is not the hub.
  case notTheHub(host: String, why: String)
  /// The server sent too many redirects.
  case tooManyRedirects(url: String)

  // Downloads
  /// A download is longer or shorter than announced. Sizes are in bytes.
  case wrongSize(file: String, expected: Int, found: Int)
  /// The content of a download differs from the announced hash.
  case wrongDigest(file: String, digest: Digest, expected: String, found: String)
  /// The hub announces a different hash than the registry has for the pinned revision.
  case unexpectedDigest(file: String, expected: String, announced: String)

  // System libraries
  /// A system library is not installed. `package`: the Debian package that has it.
  case missingLibrary(name: String, package: String)
  /// An index of weights lists a shard that is not the name of a file next to it.
  case malformedIndex(file: String, shard: String)
  /// A system library lacks a function.
  case unsuitableLibrary(symbol: String)

  public var kind: ErrorKind { .hub }
  public var message: String {
    switch self {
    case .malformedAddress(let text): "'\(text)' is not of the form hf://OWNER/NAME or hf://OWNER/NAME@REVISION"
    case .malformedURL(let text): "'\(WebAddress.withoutPassword(text))' is not an http or https URL"
    case .malformedToken: "the hub token contains invalid characters"
    case .notInCache(let repository, let revision, let missing, let cache, _):
      "\(repository) at revision \(revision) is not in the hub cache, and the network is disabled: "
        + "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") missing in \(cache)"
    case .cacheNotWritable(let path): "\(path): cannot write to the hub cache"
    case .noRoom(let file, let needed, let free, let path):
      "\(path): not enough space for \(file): \(Count.bytes(needed)) needed, \(Count.bytes(free)) free"
    case .unreachable(let host, let isProxy, let why): "cannot reach \(isProxy ? "the proxy " : "")\(host): \(why)"
    case .insecure(let host, let why): "no secure connection to \(host): \(why)"
    case .broken(let file, let why, let kept):
      "\(file): \(why), repeatedly" + (kept > 0 ? "; kept \(Count.bytes(kept))" : "")
    case .interrupted(let kept): "interrupted" + (kept.map { "; kept the downloaded part of \($0)" } ?? "")
    case .repositoryNotFound(let repository, let status, _):
      "\(repository): not found on the hub, or private (status \(status))"
    case .gated(let repository, _): "\(repository): access requires accepting its terms on the hub"
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
    case .notTheHub(let host, let why): "the server at \(host) is not the hub: \(why)"
    case .tooManyRedirects(let url): "\(url): too many redirects"
    case .wrongSize(let file, let expected, let found):
      "\(file): the download has \(found) bytes or more, but \(expected) were announced"
    case .wrongDigest(let file, let digest, let expected, let found):
      "\(file): the download differs from the file on the hub: its \(digest.name) is \(found), not \(expected)"
    case .unexpectedDigest(let file, let expected, let announced):
      "\(file): the hub has a different file than the registry lists: SHA-256 \(announced), not \(expected)"
    case .malformedIndex(let file, let shard):
      "\(file): malformed index: '\(shard)' is not the name of a file next to it"
    case .missingLibrary(let name, let package): DynamicLibraryError.missing(name: name, package: package).message
    case .unsuitableLibrary(let symbol): DynamicLibraryError.unsuitable(symbol: symbol).message
    }
  }

  /// The message for a failed attempt that will be retried.
  var messageOfOneTry: String {
    guard case .broken(let file, let why, let kept) = self else { return message }
    return "\(file): \(why)" + (kept > 0 ? "; kept \(Count.bytes(kept))" : "")
  }

  public var hint: String? {
    switch self {
    case .malformedAddress: "for example hf://distilbert/distilbert-base-uncased"
    case .malformedURL: "check HF_ENDPOINT: it must be a URL such as https://huggingface.co"
    case .malformedToken: "check HF_TOKEN, or the token file; hf auth login writes a valid one"
    case .notInCache(let repository, _, _, _, let others):
      if let other = others.first {
        "the cache has revision \(other): request it with hf://\(repository)@\(other)"
      } else {
        "enable the network to download it, or copy a cache that has it and set HF_HUB_CACHE"
      }
    case .cacheNotWritable: "set HF_HUB_CACHE to another directory"
    case .noRoom: "free some space, or set HF_HUB_CACHE to another directory; the downloaded part is kept"
    case .unreachable(_, let isProxy, _):
      isProxy
        ? "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
        : "check the network (HF_ENDPOINT, HTTPS_PROXY), or copy the files to this machine and load their directory"
    case .insecure: "install Debian's ca-certificates, or set SSL_CERT_FILE to other certificates"
    case .broken, .interrupted: "another attempt continues where this one stopped"
    case .repositoryNotFound(_, _, let hasToken):
      hasToken
        ? "check the spelling; the token may not have access to this repository"
        : "check the spelling; a private repository needs HF_TOKEN"
    case .gated(_, let hasToken):
      "accept them on its page" + (hasToken ? "; the token must belong to that account" : ", then set HF_TOKEN")
    case .revisionNotFound: "without @REVISION, the newest revision of main is used"
    case .fileNotFound, .noVocabulary: "is it a DistilBERT model? Its page on the hub lists its files"
    case .noWeights: "other weight formats are not supported; transformers' save_pretrained writes safetensors"
    case .refused: "check HF_TOKEN and HF_ENDPOINT, or try again later; the downloaded part is kept"
    case .busy: "try again later; another attempt continues where this one stopped"
    case .notTheHub: "does the network require a login or a proxy (HTTPS_PROXY)? Is HF_ENDPOINT correct?"
    case .tooManyRedirects: "check HF_ENDPOINT"
    case .wrongSize, .wrongDigest: "deleted the download; retry, then check HTTPS_PROXY and HF_ENDPOINT"
    case .unexpectedDigest:
      "do not trust that source: check HF_ENDPOINT, and MLM_PRESETS if the preset is yours"
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

  /// Whether the hub was not reached, so that an old copy may be used.
  var isOutage: Bool {
    switch self {
    case .unreachable, .insecure, .busy, .notTheHub, .broken, .missingLibrary: true
    default: false
    }
  }

  private static func seconds(_ number: Double) -> String { "\(Int(min(number, 1e9).rounded(.up))) s" }
}
