/// Reads the names of a file's tensors as those of DistilBertForMaskedLM, whatever tool wrote them.
///
/// Understood: names with and without `distilbert.`; LayerNorm's `gamma` and `beta`; the names that torch's wrappers put between
/// others (`module.`, `_orig_mod.`); and any other prefix that all of the encoder's tensors have (`model.`).
struct TensorNames {
  /// A buffer that old versions saved.
  static let positionIDs = "distilbert.embeddings.position_ids"

  private let known: Set<String>
  /// What stands before the encoder's names, wrappers aside.
  private var prefix = ""

  /// - Parameter names: those of all files of the model.
  init(_ configuration: Configuration, _ names: some Sequence<String>) {
    let table = configuration.parameterTable
    known = Set(table.rows.map(\.name)).union([ParameterTable.projector, Self.positionIDs])
    let backbone = Set(table.backbone.map(\.name))
    var prefixes: Set<String> = []
    for name in names {
      if let prefix = Self.prefix(of: Self.unwrapped(name), before: backbone) { prefixes.insert(prefix) }
    }
    // Of two models in one file, neither can be meant.
    if prefixes.count == 1, let only = prefixes.first { prefix = only }
  }

  /// The name that DistilBertForMaskedLM gives a tensor, and whether a prefix or a wrapper had to go for it; nil for a tensor that it
  /// does not have.
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

  /// What stands before the longest end of a name that is one of `names`; nil where none is.
  private static func prefix(of name: String, before names: Set<String>) -> String? {
    // distilbert.transformer.layer.0.attention.q_lin.weight
    let mostComponents = 7
    var starts: [String.Index] = []
    var place = name.endIndex
    while starts.count < mostComponents, place > name.startIndex {
      let dot = name.utf8[..<place].lastIndex(of: UInt8(ascii: "."))
      starts.append(dot.map { name.utf8.index(after: $0) } ?? name.startIndex)
      place = dot ?? name.startIndex
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
