import Hub
import Model

/// The environment variables that the hub's client is to know. The library does not read the environment itself.
enum HubVariables {
  /// Those that are set, and those that are named in them (`$SCRATCH/hub`).
  static func read(_ environment: (String) -> String?) -> [String: String] {
    var variables: [String: String] = [:]
    for name in HubEnvironment.variableNames {
      guard let value = environment(name) else { continue }
      variables[name] = value
      for part in value.split(separator: "$", omittingEmptySubsequences: false).dropFirst() {
        let inner = String(part.drop { $0 == "{" }.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) })
        if let text = environment(inner) { variables[inner] = text }
      }
    }
    return variables
  }
}
