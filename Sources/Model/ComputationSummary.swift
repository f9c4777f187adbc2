import Tensor

/// The number formats and the instructions of a model's matrix products in inference.
///
///     print(maskedLM.computation)
///     // encoder int8 (avx2), last layer bfloat16 (avx2), head bfloat16 (avx2), attention float32 (avx2)
public struct ComputationSummary: Sendable, Equatable {
  /// The products of a part of the model.
  public struct Part: Sendable, Equatable {
    /// `encoder` (queries, keys, values, outputs and feed-forward layers), `last_layer` (those of the encoder's last
    /// layer that multiply only masked positions), `head` (transform and vocabulary) or `attention` (scores, and sums
    /// of values).
    public let name: String
    /// The format of the products' operands.
    public let format: Precision
    /// The instructions: `amx-int8`, `avx512-vnni`, `avx-vnni`, `amx-bf16`, `avx512-bf16`, `avx512`, `avx2`, `scalar`,
    /// `baseline` (SSE2), or `OpenBLAS` with the name of its kernels.
    public let instructions: String
  }

  /// The precision that the model was loaded with.
  public let precision: Precision
  /// The parts, in the order above.
  public let parts: [Part]
  /// Exceptions and obstacles, one line each: columns of large activations that stay float32, and instructions that
  /// the operating system refuses.
  public let notes: [String]
}

extension ComputationSummary {
  /// Summarizes how models of a precision are computed by this process.
  package init(_ precision: Precision) {
    self.precision = precision
    if let encoder = precision.encoderFormat, let head = precision.headFormat {
      parts = [
        Part(name: "encoder", format: Precision(encoder), instructions: encoder.instructions),
        Part(name: "last_layer", format: Precision(head), instructions: head.instructions),
        Part(name: "head", format: Precision(head), instructions: head.instructions),
        // The loops of `Elementwise`.
        Part(name: "attention", format: .float32, instructions: InstructionSet.name),
      ]
      notes = Self.notes(systemRefusesAMX: ReducedFormat.systemRefusesAMX)
    } else {
      parts = ["encoder", "last_layer", "head", "attention"].map {
        Part(name: $0, format: .float32, instructions: "OpenBLAS " + OpenBLAS.core)
      }
      notes = []
    }
  }

  /// Summarizes how a network is computed, including its exceptions.
  init(_ network: Network) {
    let summary = ComputationSummary(network.precision)
    (precision, parts) = (summary.precision, summary.parts)
    notes = summary.notes + Self.notes(onExactColumnsOf: network.parameters.parameters)
  }

  /// Describes the columns that stay float32, once for neighboring matrices with the same columns.
  private static func notes(onExactColumnsOf parameters: [Parameter]) -> [String] {
    var groups: [(names: [String], columns: [Int], of: Int)] = []
    for parameter in parameters {
      guard let reduced = parameter.reduced, !reduced.exactColumns.isEmpty else { continue }
      var name = parameter.name
      for affix in ["distilbert.transformer.", ".weight"] {
        if name.hasPrefix(affix) { name.removeFirst(affix.count) }
        if name.hasSuffix(affix) { name.removeLast(affix.count) }
      }
      if groups.last?.columns == reduced.exactColumns {
        groups[groups.count - 1].names.append(name)
      } else {
        groups.append(([name], reduced.exactColumns, reduced.columns))
      }
    }
    return groups.map { names, columns, all in
      let shown = columns.prefix(8).map(String.init).joined(separator: ", ") + (columns.count > 8 ? ", …" : "")
      return "\(columns.count) of \(all) columns of \(names.joined(separator: ", ")) in float32: \(shown)"
    }
  }

  static func notes(systemRefusesAMX: Bool) -> [String] {
    guard systemRefusesAMX else { return [] }
    return ["the processor has AMX, but the operating system refuses it (Linux allows it from version 5.16 on)"]
  }
}

extension ComputationSummary: CustomStringConvertible {
  /// The parts in one line.
  public var description: String {
    let parts = parts.map { part in
      let name = String(part.name.map { $0 == "_" ? " " : $0 })
      return "\(name) \(part.format.rawValue) (\(part.instructions))"
    }
    return parts.joined(separator: ", ")
  }
}

extension Precision {
  fileprivate init(_ format: ReducedFormat) {
    self = format == .int8 ? .int8 : .bfloat16
  }
}
