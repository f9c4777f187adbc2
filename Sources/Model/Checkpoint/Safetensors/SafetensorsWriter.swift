import Files
import Text

/// A tensor to write: the location of its elements in memory, row-major.
package struct TensorSource {
  /// Its name in the file.
  package let name: String
  /// Its element type.
  package let type: ElementType
  /// Its sizes, outermost first.
  package let shape: [Int]
  /// The elements: as many bytes as the shape needs, valid until the file is written.
  package let bytes: UnsafeRawBufferPointer

  /// Creates a tensor of any type.
  package init(name: String, type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) {
    self.name = name
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// Creates a tensor of 32-bit floats.
  package init(name: String, shape: [Int], values: UnsafePointer<Float>) {
    let count = shape.reduce(1, *)
    self.init(name: name, type: .float32, shape: shape, bytes: UnsafeRawBufferPointer(start: values, count: count * 4))
  }
}

/// Writes safetensors files with the same bytes as the reference writer, so that the same tensors give the same file.
///
/// Tensors are sorted by element type, widest first, and then by the bytes of their names. The header is padded with
/// spaces to a multiple of 8. Only the header is copied.
package enum SafetensorsWriter {
  /// Writes a file atomically.
  /// - Parameter metadata: additional strings for `__metadata__`, written after `format` in this order.
  package static func write(
    _ tensors: [TensorSource], to path: String, metadata: [(key: String, value: String)] = []
  ) throws {
    let file = try AtomicFile(path: path)
    try write(tensors, metadata: metadata) { bytes throws(FileError) in try file.write(bytes) }
    try file.commit()
  }

  static func write(
    _ tensors: [TensorSource], metadata: [(key: String, value: String)],
    output: (UnsafeRawBufferPointer) throws(FileError) -> Void
  ) throws(FileError) {
    let tensors = ordered(tensors)
    let header = header(of: tensors, metadata: metadata)
    let result = header.withUnsafeBytes { bytes in Result { () throws(FileError) in try output(bytes) } }
    try result.get()
    for tensor in tensors { try output(tensor.bytes) }
  }

  static func ordered(_ tensors: [TensorSource]) -> [TensorSource] {
    tensors.sorted { a, b in
      a.type != b.type ? a.type.rank < b.type.rank : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
  }

  /// Returns the first 8 bytes and the header that follows them.
  static func header(of tensors: [TensorSource], metadata: [(key: String, value: String)]) -> [UInt8] {
    var writer = JSONWriter()
    // Other tools reject files without `format`.
    writer.append(raw: #"{"__metadata__":{"format":"pt""#)
    for (key, value) in metadata {
      writer.append(raw: ",")
      writer.append(string: key)
      writer.append(raw: ":")
      writer.append(string: value)
    }
    writer.append(raw: "}")
    var offset = 0
    for tensor in tensors {
      writer.append(raw: ",")
      writer.append(string: tensor.name)
      writer.append(raw: #":{"dtype":"\#(tensor.type.name)","shape":["#)
      writer.append(raw: tensor.shape.map(String.init).joined(separator: ","))
      writer.append(raw: #"],"data_offsets":[\#(offset),\#(offset + tensor.bytes.count)]}"#)
      offset += tensor.bytes.count
    }
    writer.append(raw: "}")
    while writer.bytes.count % 8 != 0 { writer.bytes.append(UInt8(ascii: " ")) }
    return withUnsafeBytes(of: UInt64(writer.bytes.count).littleEndian) { Array($0) } + writer.bytes
  }
}
