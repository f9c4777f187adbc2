import Text

/// `quantization_config` of config.json: how the weights are stored as integers.
///
/// Read: int8 weights of the package compressed-tensors (format `int-quantized`, which older versions call
/// `naive-quantized`), symmetric, with a scale per output row or per matrix. Activations are always scaled per token,
/// whatever the file says about them. Written: the same, per output row.
struct QuantizationConfiguration {
  static let key = "quantization_config"

  /// Checks that weights with this configuration can be read.
  ///
  /// - Throws: `CheckpointError.unsupportedQuantization` with the first setting that is not supported.
  static func check(_ json: JSONValue, file: String) throws(CheckpointError) {
    if let found = unsupported(json) { throw .unsupportedQuantization(file: file, found: found) }
  }

  /// Returns the first setting that is not supported, in words; nil if there is none.
  private static func unsupported(_ json: JSONValue) -> String? {
    guard json.object != nil else { return "\(key) \(json.kindName)" }
    guard let method = json["quant_method"]?.string else {
      let isBitsAndBytes = json["load_in_8bit"] != nil || json["load_in_4bit"] != nil
      return isBitsAndBytes ? "bitsandbytes" : "\(key) without 'quant_method'"
    }
    guard method == "compressed-tensors" else { return method }
    guard isFormat(json["format"]) else { return "\(method), format \(text(json["format"]))" }
    if let sparsity = json["sparsity_config"]?["format"]?.string, sparsity != "dense" {
      return "\(method), sparsity format '\(sparsity)'"
    }
    if let groups = json["transform_config"]?["config_groups"]?.object, !groups.isEmpty {
      return "\(method), with transforms"
    }
    guard let groups = json["config_groups"]?.object, !groups.isEmpty else {
      return "\(method), without 'config_groups'"
    }
    for (name, group) in groups {
      // The name of a scheme, with a list of modules.
      if group.array != nil, ["W8A8", "INT8"].contains(name) { continue }
      guard group.object != nil else { return "\(method), scheme '\(name)'" }
      if let format = group["format"], !format.isNull, !isFormat(format) {
        return "\(method), format \(text(format))"
      }
      guard let weights = group["weights"], !weights.isNull else { continue }
      if let found = unsupported(weights: weights) { return "\(method), \(found)" }
    }
    return nil
  }

  private static func unsupported(weights: JSONValue) -> String? {
    func value(_ key: String) -> JSONValue? { weights[key].flatMap { $0.isNull ? nil : $0 } }
    let bits = value("num_bits").map { $0.int.map(String.init) ?? text($0) } ?? "8"
    if let type = value("type"), type.string != "int" { return "\(bits)-bit weights of type \(text(type))" }
    guard bits == "8" else { return "\(bits)-bit weights" }
    if let isSymmetric = value("symmetric"), isSymmetric.bool != true { return "asymmetric weights" }
    let hasGroups = value("group_size").map { ($0.int ?? 1) > 0 } ?? false
    let strategy = value("strategy")?.string ?? (hasGroups ? "group" : "tensor")
    guard ["channel", "tensor"].contains(strategy), !hasGroups else { return "weights with scales per \(strategy)" }
    return nil
  }

  private static func isFormat(_ format: JSONValue?) -> Bool {
    ["int-quantized", "naive-quantized"].contains(format?.string)
  }

  private static func text(_ value: JSONValue?) -> String {
    value.map { $0.string.map { "'\($0)'" } ?? $0.kindName } ?? "missing"
  }

  /// The configuration of written int8 weights.
  ///
  /// - Parameter ignoring: the Dense layers that are not in int8.
  static func json(ignoring modules: [String]) -> JSONValue {
    func numbers(_ strategy: String, isDynamic: Bool) -> JSONValue {
      .object([
        ("dynamic", .bool(isDynamic)), ("group_size", .null), ("num_bits", .number(8)),
        ("strategy", .string(strategy)), ("symmetric", .bool(true)), ("type", .string("int")),
      ])
    }
    let group = JSONValue.object([
      ("format", .string("int-quantized")), ("input_activations", numbers("token", isDynamic: true)),
      ("output_activations", .null), ("targets", .array([.string("Linear")])),
      ("weights", numbers("channel", isDynamic: false)),
    ])
    return .object([
      ("config_groups", .object([("group_0", group)])), ("format", .string("int-quantized")),
      ("global_compression_ratio", .null), ("ignore", .array(modules.map { .string($0) })),
      ("kv_cache_scheme", .null), ("quant_method", .string("compressed-tensors")),
      ("quantization_status", .string("compressed")),
    ])
  }
}

extension Configuration {
  /// How the file says that the weights are quantized; nil if they are not.
  var quantization: JSONValue? { source[QuantizationConfiguration.key].flatMap { $0.isNull ? nil : $0 } }
}
