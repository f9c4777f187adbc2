import Files
import Text

/// A tensor to be written: where its elements lie in memory, row-major.
package struct TensorSource {
  /// Its name in the file.
  package let name: String
  /// What its elements are.
  package let type: ElementType
  /// Its sizes, the outermost first.
  package let shape: [Int]
  /// Must stay valid until the file is written; as long as the shape needs.
  package let bytes: UnsafeRawBufferPointer

  /// A tensor of any type.
  package init(name: String, type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer) {
    self.name = name
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// 32-bit floats.
  package init(name: String, shape: [Int], values: UnsafePointer<Float>) {
    let count = shape.reduce(1, *)
    self.init(name: name, type: .float32, shape: shape, bytes: UnsafeRawBufferPointer(start: values, count: count * 4))
  }
}

/// Writes safetensors, byte for byte as the reference writer lays a file out: the same tensors give the same file.
///
/// Elements of wide types come first, then names in order of their bytes; the header is padded with spaces to a multiple of 8.
/// Nothing but the header is copied.
package enum SafetensorsWriter {
  /// Writes a file that appears whole or not at all.
  /// - Parameter metadata: more strings for `__metadata__`, after `format`, in that order.
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

  /// The first 8 bytes and the header that follows them.
  static func header(of tensors: [TensorSource], metadata: [(key: String, value: String)]) -> [UInt8] {
    var writer = JSONWriter()
    // Other tools refuse files without `format`.
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
