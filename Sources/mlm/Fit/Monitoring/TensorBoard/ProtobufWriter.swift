/// Writes the fields of a Protocol Buffers message that events need.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  private enum WireType: UInt64 { case varint = 0, fixed64 = 1, lengthDelimited = 2, fixed32 = 5 }

  mutating func field(_ number: Int, varint value: Int) {
    key(number, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func field(_ number: Int, double value: Double) {
    key(number, .fixed64)
    append(littleEndian: value.bitPattern)
  }

  mutating func field(_ number: Int, float value: Float) {
    key(number, .fixed32)
    append(littleEndian: value.bitPattern)
  }

  /// Writes a string or an embedded message.
  mutating func field(_ number: Int, bytes value: some Collection<UInt8>) {
    key(number, .lengthDelimited)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func field(_ number: Int, message fill: (inout ProtobufWriter) -> Void) {
    var message = ProtobufWriter()
    fill(&message)
    field(number, bytes: message.bytes)
  }

  /// Appends the bytes of a number in little-endian order.
  mutating func append(littleEndian value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private mutating func key(_ number: Int, _ type: WireType) { varint(UInt64(number) << 3 | type.rawValue) }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }
}
