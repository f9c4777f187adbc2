import Tensor

/// Tensors of a model in int8, in the layout of the package compressed-tensors: the matrices that are computed in int8
/// (`ReducedScheme`) as integers, each with a scale per output row; other matrices and embeddings in bfloat16;
/// everything else in float32, and so are matrices that need float32 columns.
///
/// The integers are those that products in int8 compute when they quantize float32 weights. Matrices that are already
/// int8 are copied.
final class QuantizedTensors {
  private(set) var sources: [TensorSource] = []
  private var memory: [UnsafeMutableRawPointer] = []

  /// - Parameters:
  ///   - tensors: the rows of the model's table to write, and their parameters.
  ///   - int8: the names of the matrices that become integers; those that already are integers remain so.
  ///   - float32: the names of matrices that stay float32.
  /// - Throws: `CheckpointError` if a number is not finite or too large.
  init(
    _ tensors: [(row: ParameterTable.Row, parameter: Parameter)], int8: Set<String>, float32: Set<String>
  ) throws(CheckpointError) {
    for (row, parameter) in tensors {
      if parameter.isStoredInInt8 || (int8.contains(row.name) && !float32.contains(row.name)) {
        try quantize(parameter, row)
      } else if row.shape.count != 2 || float32.contains(row.name) {
        sources.append(TensorSource(name: row.name, shape: row.shape, values: parameter.values))
      } else {
        let numbers = allocate(2 * parameter.count)
        parameter.withValues {
          ReducedFormat.roundToBFloat16($0, parameter.count, to: numbers.assumingMemoryBound(to: UInt16.self))
        }
        sources.append(source(row.name, .bfloat16, row.shape, numbers))
      }
    }
  }

  deinit {
    for pointer in memory { pointer.deallocate() }
  }

  private func quantize(_ parameter: Parameter, _ row: ParameterTable.Row) throws(CheckpointError) {
    let (rows, columns) = (row.shape[0], row.shape[1])
    let scales = allocate(4 * rows).assumingMemoryBound(to: Float.self)
    let numbers = allocate(rows * columns).assumingMemoryBound(to: Int8.self)
    if case .int8(let stored, let own) = parameter.stored {
      numbers.update(from: stored, count: rows * columns)
      for index in 0..<rows { scales[index] = own[index] }
    } else {
      parameter.withValues { values in
        for index in 0..<rows {
          scales[index] = ReducedFormat.quantize(values + index * columns, columns, to: numbers + index * columns)
        }
      }
    }
    for index in 0..<rows {
      guard scales[index].isFinite else { throw .notFinite(tensor: row.name) }
      // Zeros: other programs divide by the scale.
      if scales[index] == 0 { scales[index] = .ulpOfOne }
    }
    sources.append(source(row.name, .int8, row.shape, numbers))
    sources.append(source(Self.scale(of: row.name), .float32, [rows, 1], scales))
  }

  private func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    let pointer = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes), alignment: 64)
    memory.append(pointer)
    return pointer
  }

  private func source(
    _ name: String, _ type: ElementType, _ shape: [Int], _ start: UnsafeRawPointer
  ) -> TensorSource {
    let count = shape.reduce(1, *) * type.size
    return TensorSource(
      name: name, type: type, shape: shape, bytes: UnsafeRawBufferPointer(start: start, count: count))
  }
}

extension QuantizedTensors {
  // MARK: Names

  /// The name of a weight's scales.
  static func scale(of weight: String) -> String { weight + "_scale" }

  /// The name of a weight's zero points.
  static func zeroPoint(of weight: String) -> String { weight + "_zero_point" }

  /// Returns the name of the weight to which a tensor with this name belongs; nil for other tensors.
  static func weight(of name: String) -> String? {
    for suffix in ["_scale", "_zero_point"] where name.hasSuffix(".weight" + suffix) {
      return String(name.dropLast(suffix.utf8.count))
    }
    let activations = name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
    return ofActivations.contains(activations) ? String(name.dropLast(activations.utf8.count)) + "weight" : nil
  }

  /// Whether a tensor contains scales for activations, which are not used: each token has its own.
  static func isOfActivations(_ name: String) -> Bool { ofActivations.contains { name.hasSuffix("." + $0) } }

  private static let ofActivations = [
    "input_scale", "input_zero_point", "output_scale", "output_zero_point",
  ]
}
