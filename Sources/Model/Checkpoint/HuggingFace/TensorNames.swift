/// Maps the names of a file's tensors to those of DistilBertForMaskedLM, whatever tool wrote them.
///
/// Recognized: names with and without `distilbert.`; LayerNorm's `gamma` and `beta`; the components that torch's
/// wrappers insert (`module.`, `_orig_mod.`); and any other prefix that all of the encoder's tensors share (`model.`).
struct TensorNames {
  /// A buffer saved by old versions.
  static let positionIDs = "distilbert.embeddings.position_ids"

  private let known: Set<String>
  /// The prefix of the encoder's names, ignoring wrappers.
  private var prefix = ""

  /// - Parameter names: the tensor names of all files of the model.
  init(_ configuration: Configuration, _ names: some Sequence<String>) {
    let table = configuration.parameterTable
    known = Set(table.rows.map(\.name)).union([ParameterTable.projector, Self.positionIDs])
    let backbone = Set(table.backbone.map(\.name))
    var prefixes: Set<String> = []
    for name in names {
      if let prefix = Self.prefix(of: Self.unwrapped(name), before: backbone) { prefixes.insert(prefix) }
    }
    // With two models in one file, neither is used.
    if prefixes.count == 1, let only = prefixes.first { prefix = only }
  }

  /// Returns the tensor's name in DistilBertForMaskedLM, and whether a prefix or a wrapper was removed; nil for a
  /// tensor that it does not have.
  func canonical(_ name: String) -> (name: String, isWrapped: Bool)? {
    let plain = Self.canonical(name)
    if known.contains(plain) { return (plain, false) }
    var inner = Self.unwrapped(name)
    if inner.hasPrefix(prefix) { inner.removeFirst(prefix.count) }
    inner = Self.canonical(inner)
    return known.contains(inner) ? (inner, true) : nil
  }

  /// `torch.compile`, `DataParallel` and `DistributedDataParallel`, FSDP, activation checkpointing.
  private static let wrappers = ["_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]

  private static func unwrapped(_ name: String) -> String {
    guard wrappers.contains(where: { name.contains($0) }) else { return name }
    return name.split(separator: ".", omittingEmptySubsequences: false).filter { !wrappers.contains(String($0)) }
      .joined(separator: ".")
  }

  /// Returns the prefix of a name before its longest suffix that is in `names`; nil if there is none.
  private static func prefix(of name: String, before names: Set<String>) -> String? {
    // distilbert.transformer.layer.0.attention.q_lin.weight
    let mostComponents = 7
    var starts: [String.Index] = []
    var end = name.endIndex
    while starts.count < mostComponents, end > name.startIndex {
      let dot = name.utf8[..<end].lastIndex(of: UInt8(ascii: "."))
      starts.append(dot.map { name.utf8.index(after: $0) } ?? name.startIndex)
      end = dot ?? name.startIndex
    }
    return starts.last { names.contains(canonical(String(name[$0...]))) }.map { String(name[..<$0]) }
  }

  private static func canonical(_ name: String) -> String {
    var name = name
    if name.hasPrefix("embeddings.") || name.hasPrefix("transformer.") { name = "distilbert." + name }
    for (old, new) in [("gamma", "weight"), ("beta", "bias")] where name.hasSuffix("." + old) {
      let module = name.dropLast(old.utf8.count + 1)
      if module.hasSuffix("LayerNorm") || module.hasSuffix("layer_norm") { name = module + "." + new }
    }
    return name
  }
}
