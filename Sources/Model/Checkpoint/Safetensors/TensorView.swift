import Files
import Glibc
import Tensor

/// The element types of safetensors.
package enum ElementType: Sendable, Equatable {
  /// Floating-point numbers: IEEE 754, or the upper half of a float32.
  case float64, float32, float16, bfloat16
  /// Signed and unsigned integers, and one-byte booleans.
  case int64, int32, int16, int8, uint64, uint32, uint16, uint8, bool

  /// The types in the order in which the reference writer stores tensors.
  static let names: [(name: String, type: ElementType)] = [
    ("U64", .uint64), ("I64", .int64), ("F64", .float64), ("F32", .float32), ("U32", .uint32), ("I32", .int32),
    ("BF16", .bfloat16), ("F16", .float16), ("U16", .uint16), ("I16", .int16), ("I8", .int8), ("U8", .uint8),
    ("BOOL", .bool),
  ]

  init?(name: [UInt8]) {
    guard let entry = Self.names.first(where: { $0.name.utf8.elementsEqual(name) }) else { return nil }
    self = entry.type
  }

  /// The index in that order.
  var rank: Int { Self.names.firstIndex { $0.type == self } ?? 0 }

  /// The name in safetensors, such as `F32`.
  package var name: String { Self.names.first { $0.type == self }?.name ?? "" }

  /// The size of an element in bytes.
  package var size: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Whether weights can have this type.
  package var isFloatingPoint: Bool {
    switch self {
    case .float64, .float32, .float16, .bfloat16: true
    default: false
    }
  }
}

/// A tensor in a mapped file: row-major, little-endian. The view keeps the file mapped.
///
/// Keras stores the kernels of Dense layers as [in, out]. A view of such a kernel has the shape [out, in], as used
/// everywhere here, and transposes the elements when copying.
package struct TensorView: Sendable {
  /// Its name in the file.
  package let name: String
  /// The element type in the file.
  package let type: ElementType
  /// The sizes, outermost first; empty for a scalar.
  package let shape: [Int]
  /// The number of elements.
  package let count: Int
  let offset: Int
  let mapping: FileMapping
  /// Whether the file contains the transpose of this matrix.
  var isTransposed = false
  /// The scale of each row of a matrix of integers; nil for other tensors.
  var rowScales: [Float]?

  /// The bytes of the elements in file order, valid while a copy of this view or its file exists. They may be
  /// unaligned.
  package var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: mapping.bytes[offset..<offset + count * type.size])
  }

  /// The elements in the mapped file, if they are aligned 32-bit floats in the order of this tensor. Valid while a copy
  /// of this view or its file exists.
  package var float32InPlace: UnsafePointer<Float>? { isTransposed ? nil : float32Stored }

  /// The matrix in the mapped file, if products in reduced precision can read it there. Valid while a copy of this view
  /// or its file exists.
  var matrixInPlace: MatrixSource? {
    guard !isTransposed, shape.count == 2, let start = bytes.baseAddress else { return nil }
    let isAligned = UInt(bitPattern: start) % UInt(type.size) == 0
    switch type {
    case .int8:
      return rowScales.map { MatrixSource.int8(start.assumingMemoryBound(to: Int8.self), scales: $0) }
    case .bfloat16 where isAligned: return .bfloat16(start.assumingMemoryBound(to: UInt16.self))
    case .float16 where isAligned: return .float16(start.assumingMemoryBound(to: UInt16.self))
    default: return nil
    }
  }

  private var float32Stored: UnsafePointer<Float>? {
    guard type == .float32, let start = bytes.baseAddress, UInt(bitPattern: start) % 4 == 0 else { return nil }
    return start.assumingMemoryBound(to: Float.self)
  }

  /// Copies the elements as 32-bit floats, widened or (F64) narrowed. `target` must have room for `count` floats.
  package func copyFloats(to target: UnsafeMutablePointer<Float>) throws(CheckpointError) {
    guard isTransposed, shape.count == 2 else { return try copyStored(to: target) }
    defer { withExtendedLifetime(mapping) {} }
    if let stored = float32Stored {
      Self.transpose(stored, target, rows: shape[0], columns: shape[1])
      return
    }
    let stored = UnsafeMutablePointer<Float>.allocate(capacity: max(1, count))
    defer { stored.deallocate() }
    try copyStored(to: stored)
    Self.transpose(stored, target, rows: shape[0], columns: shape[1])
  }

  private func copyStored(to target: UnsafeMutablePointer<Float>) throws(CheckpointError) {
    defer { withExtendedLifetime(mapping) {} }
    guard count > 0, let start = bytes.baseAddress else { return }
    switch type {
    case .float32: memcpy(target, start, count * 4)
    case .float16: HalfPrecision.widen(start, to: target, count)
    case .bfloat16: ReducedFormat.widenBFloat16(start, to: target, count)
    case .float64: Self.narrowFloat64(start, target, count)
    case .int8 where rowScales != nil: scaleRows(start, target)
    default: throw .notFloatingPoint(file: mapping.path, tensor: name, type: type.name)
    }
  }

  /// Returns a copy of the elements as 32-bit floats, transposed if the file contains the transpose. Throws for
  /// integers without scales.
  package func floats() throws(CheckpointError) -> [Float] {
    guard type.isFloatingPoint || rowScales != nil else {
      throw .notFloatingPoint(file: mapping.path, tensor: name, type: type.name)
    }
    var values = [Float](repeating: 0, count: count)
    let result = values.withUnsafeMutableBufferPointer { buffer in
      Result { () throws(CheckpointError) in if let start = buffer.baseAddress { try copyFloats(to: start) } }
    }
    try result.get()
    return values
  }

  /// Returns the elements of an integer or boolean tensor; nil for other types.
  package func integers() -> [Int]? {
    defer { withExtendedLifetime(mapping) {} }
    let bytes = self.bytes
    func load<T: FixedWidthInteger>(_: T.Type) -> [Int] {
      (0..<count).map {
        Int(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self))
      }
    }
    switch type {
    case .int64: return load(Int64.self)
    case .int32: return load(Int32.self)
    case .int16: return load(Int16.self)
    case .int8: return load(Int8.self)
    case .uint64: return load(UInt64.self)
    case .uint32: return load(UInt32.self)
    case .uint16: return load(UInt16.self)
    case .uint8, .bool: return load(UInt8.self)
    case .float64, .float32, .float16, .bfloat16: return nil
    }
  }

  /// Returns whether two tensors of the same count contain the same numbers.
  func hasSameValues(as other: TensorView) -> Bool {
    guard count == other.count else { return false }
    defer { withExtendedLifetime((mapping, other.mapping)) {} }
    if type == other.type, isTransposed == other.isTransposed, rowScales == other.rowScales {
      guard let a = bytes.baseAddress, let b = other.bytes.baseAddress else { return true }
      if memcmp(a, b, bytes.count) == 0 { return true }
    }
    // Positive and negative zero are equal.
    if let a = float32InPlace, let b = other.float32InPlace { return (0..<count).allSatisfy { a[$0] == b[$0] } }
    guard let a = try? floats(), let b = try? other.floats() else { return false }
    return a == b
  }

  /// Returns the same elements with another shape, or as the transpose of a matrix in the file. `shape` must have
  /// `count` elements.
  func reshaped(_ shape: [Int], isTransposed: Bool) -> TensorView {
    TensorView(
      name: name, type: type, shape: shape, count: count, offset: offset, mapping: mapping, isTransposed: isTransposed)
  }

  // MARK: Conversion

  /// target[row][column] = scale[row] · source[row][column].
  private func scaleRows(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
    guard let rowScales, shape.count == 2 else { return }
    let matrix = MatrixSource.int8(source.assumingMemoryBound(to: Int8.self), scales: rowScales)
    for row in 0..<shape[0] { matrix.copyRow(row, shape[1], to: target + row * shape[1]) }
  }

  /// Sets target[row][column] = source[column][row], in tiles that stay in the cache.
  static func transpose(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, rows: Int, columns: Int
  ) {
    let tile = 32
    for firstRow in stride(from: 0, to: rows, by: tile) {
      let lastRow = min(firstRow + tile, rows)
      for firstColumn in stride(from: 0, to: columns, by: tile) {
        let lastColumn = min(firstColumn + tile, columns)
        for row in firstRow..<lastRow {
          let line = target + row &* columns
          for column in firstColumn..<lastColumn { line[column] = source[column &* rows &+ row] }
        }
      }
    }
  }

  static func narrowFloat64(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>, _ count: Int) {
    for index in 0..<count {
      target[index] = Float(source.loadUnaligned(fromByteOffset: 8 &* index, as: Double.self))
    }
  }
}
