import Files

extension Hub {
  /// The hub and its cache as the process's environment defines them: `HF_HOME`, `HF_TOKEN`, `HF_ENDPOINT`,
  /// `HF_HUB_OFFLINE`, proxies and the other variables of `HubEnvironment.variableNames`. The environment is read at
  /// each use. If the downloading task is canceled, the download ends with `HubError.interrupted` and keeps its part.
  public static var fromEnvironment: Hub { Hub(.current, shouldStop: { Task.isCancelled }) }
}

extension HubEnvironment {
  /// The variables of this process.
  public static var current: HubEnvironment { HubEnvironment(reading: environmentVariable) }

  /// The variables of the hub that are set, and those that their values refer to (`$SCRATCH/hub`).
  package init(reading environment: (String) -> String?) {
    var variables: [String: String] = [:]
    for name in Self.variableNames {
      guard let value = environment(name) else { continue }
      variables[name] = value
      for part in value.split(separator: "$", omittingEmptySubsequences: false).dropFirst() {
        let inner = String(part.drop { $0 == "{" }.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) })
        if let text = environment(inner) { variables[inner] = text }
      }
    }
    self.init(variables)
  }
}
