import Files
import Text

/// A memory-mapped safetensors file. The whole header is validated before any tensor is returned.
///
/// Layout: 8 bytes with the length N of the header (little-endian), N bytes of JSON, then the tensors' bytes without
/// gaps or overlap. Format: github.com/huggingface/safetensors.
package final class Safetensors: Sendable {
  /// The maximum header length in bytes, as in the reference implementation.
  static let maximumHeaderLength: UInt64 = 100_000_000

  /// The file's path.
  package let path: String
  /// The tensors, in the order of the header.
  package let tensors: [TensorView]
  /// The strings in `__metadata__`.
  package let metadata: [String: String]
  private let indices: [String: Int]

  /// Maps a file and validates its header. Throws `CheckpointError` or `FileError`.
  public convenience init(path: String) throws { try self.init(FileMapping(path: path)) }

  init(_ mapping: FileMapping) throws {
    path = mapping.path
    var header = HeaderReader(mapping: mapping)
    try header.read()
    tensors = header.tensors
    metadata = header.metadata
    var indices: [String: Int] = [:]
    for (index, tensor) in tensors.enumerated() { indices[tensor.name] = index }
    self.indices = indices
  }

  /// Returns the tensor with that name, or nil.
  package subscript(_ name: String) -> TensorView? { indices[name].map { tensors[$0] } }
}

/// Reads and validates the header of one file.
private struct HeaderReader {
  let mapping: FileMapping
  var tensors: [TensorView] = []
  var metadata: [String: String] = [:]

  var file: String { mapping.path }

  mutating func read() throws {
    defer { withExtendedLifetime(mapping) {} }
    let bytes = mapping.bytes
    let start = 8
    let isHeaderThere = bytes.count > start && bytes[start] == UInt8(ascii: "{")
    let isJSON = bytes.first { ![0x20, 0x0A, 0x0D, 0x09].contains($0) } == UInt8(ascii: "{")
    if !isHeaderThere, let format = ForeignFormat(bytes) ?? (isJSON ? .other("JSON text") : nil) {
      throw CheckpointError.otherFormat(file: file, format, expected: "a safetensors file")
    }
    guard bytes.count >= start else { throw CheckpointError.tooShort(file: file, bytes: bytes.count) }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= Safetensors.maximumHeaderLength else {
      throw CheckpointError.headerTooLong(file: file, bytes: length)
    }
    let end = start + Int(length)
    guard end <= bytes.count else {
      throw CheckpointError.headerTruncated(file: file, have: bytes.count, need: end)
    }
    guard length > 0, isHeaderThere else {
      throw CheckpointError.malformedHeader(file: file, what: "does not begin with '{'")
    }
    try parse(UnsafeRawBufferPointer(rebasing: bytes[start..<end]).bindMemory(to: UInt8.self), dataStart: end)
    try checkLayout(dataStart: end)
  }

  mutating func parse(_ text: UnsafeBufferPointer<UInt8>, dataStart: Int) throws {
    do throws(JSONError) {
      try parseHeader(text, dataStart: dataStart)
    } catch {
      throw CheckpointError.malformedHeader(file: file, what: error.message)
    }
    if let failure { throw failure }
  }

  /// The error in a header that is valid JSON.
  var failure: CheckpointError?

  mutating func parseHeader(_ text: UnsafeBufferPointer<UInt8>, dataStart: Int) throws(JSONError) {
    var scanner = JSONScanner(text)
    var seen: Set<[UInt8]> = []
    var key: [UInt8] = []
    try scanner.beginObject()
    while try scanner.nextKey(into: &key) {
      let name = String(decoding: key, as: UTF8.self)
      guard seen.insert(key).inserted else {
        failure = .duplicateTensor(file: file, name: name)
        return
      }
      if name == "__metadata__" {
        try parseMetadata(&scanner)
      } else {
        try parseTensor(name, &scanner, dataStart: dataStart)
      }
      if failure != nil { return }
    }
    try scanner.finish()
  }

  mutating func parseMetadata(_ scanner: inout JSONScanner) throws(JSONError) {
    // Some tools write null for absent values; the reference implementation accepts it too.
    if try scanner.peek() == .null { return try scanner.skipValue() }
    var key: [UInt8] = []
    try scanner.beginObject()
    while try scanner.nextKey(into: &key) {
      let name = String(decoding: key, as: UTF8.self)
      guard metadata.updateValue(try scanner.string(), forKey: name) == nil else {
        failure = .duplicateTensor(file: file, name: name)
        return
      }
    }
  }

  mutating func parseTensor(_ name: String, _ scanner: inout JSONScanner, dataStart: Int) throws(JSONError) {
    var typeName: [UInt8]?
    var shape: [Int]?
    var offsets: [Int]?
    var key: [UInt8] = []
    try scanner.beginObject()
    while try scanner.nextKey(into: &key) {
      let isAgain: Bool
      switch String(decoding: key, as: UTF8.self) {
      case "dtype":
        isAgain = typeName != nil
        var text: [UInt8] = []
        try scanner.string(into: &text)
        typeName = text
      case "shape":
        isAgain = shape != nil
        shape = try integers(&scanner)
      case "data_offsets":
        isAgain = offsets != nil
        offsets = try integers(&scanner)
      default:
        isAgain = false
        try scanner.skipValue()
      }
      if isAgain { return fail(name, "has duplicate key '\(String(decoding: key, as: UTF8.self))'") }
    }
    guard let typeName else { return fail(name, "is missing key 'dtype'") }
    guard let shape else { return fail(name, "is missing key 'shape'") }
    guard let offsets else { return fail(name, "is missing key 'data_offsets'") }
    guard let type = ElementType(name: typeName) else {
      failure = .unknownDataType(file: file, tensor: name, name: String(decoding: typeName, as: UTF8.self))
      return
    }
    guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0] else {
      return fail(name, "has invalid data_offsets \(offsets)")
    }
    guard let count = Self.product(shape),
      case let (size, overflows) = count.multipliedReportingOverflow(by: type.size),
      !overflows
    else { return fail(name, "has impossible shape \(shape)") }
    guard size == offsets[1] - offsets[0] else {
      return fail(name, "has \(offsets[1] - offsets[0]) bytes, but its shape \(shape) of \(type.name) needs \(size)")
    }
    let (offset, isBeyond) = dataStart.addingReportingOverflow(offsets[0])
    guard !isBeyond, !dataStart.addingReportingOverflow(offsets[1]).overflow else {
      return fail(name, "has invalid data_offsets \(offsets)")
    }
    tensors.append(TensorView(name: name, type: type, shape: shape, count: count, offset: offset, mapping: mapping))
  }

  mutating func fail(_ tensor: String, _ what: String) {
    failure = .malformedTensor(file: file, tensor: tensor, what: what)
  }

  func integers(_ scanner: inout JSONScanner) throws(JSONError) -> [Int] {
    var values: [Int] = []
    try scanner.beginArray()
    while try scanner.nextElement() { values.append(try scanner.integer()) }
    return values
  }

  /// Returns the number of elements; nil if a size is negative or the product overflows.
  static func product(_ shape: [Int]) -> Int? {
    var count = 1
    for size in shape {
      guard size >= 0 else { return nil }
      let (product, overflows) = count.multipliedReportingOverflow(by: size)
      if overflows { return nil }
      count = product
    }
    return count
  }

  /// Checks that the tensors are contiguous and end at the end of the file.
  func checkLayout(dataStart: Int) throws(CheckpointError) {
    func end(_ tensor: TensorView) -> Int { tensor.offset + tensor.count * tensor.type.size }
    var offset = dataStart
    for tensor in tensors.sorted(by: { ($0.offset, end($0)) < ($1.offset, end($1)) }) {
      guard tensor.offset == offset else {
        let what =
          tensor.offset < offset
          ? "overlaps another tensor" : "leaves \(tensor.offset - offset) unused bytes before it"
        throw .malformedTensor(file: file, tensor: tensor.name, what: what)
      }
      offset = end(tensor)
    }
    let have = mapping.bytes.count
    guard offset <= have else { throw .truncated(file: file, have: have, need: offset) }
    guard offset == have else { throw .bytesAfterEnd(file: file, count: have - offset) }
  }
}
