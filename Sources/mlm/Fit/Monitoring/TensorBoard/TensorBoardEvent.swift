/// An event of an event file (TensorFlow's event.proto and summary.proto), and its framing.
struct TensorBoardEvent {
  enum Content {
    /// The first event of a file.
    case fileVersion
    /// A training resumes after a step. TensorBoard discards later steps of the other files in the folder.
    case start
    case scalars([(name: String, value: Double)])
  }

  /// Seconds since 1970.
  let time: Double
  let step: Int
  let content: Content

  /// The Event message.
  var message: [UInt8] {
    var event = ProtobufWriter()
    event.field(1, double: time)
    if step != 0 { event.field(2, varint: step) }
    switch content {
    case .fileVersion: event.field(3, bytes: "brain.Event:2".utf8)
    case .start: event.field(7) { session in session.field(1, varint: 1) }
    case .scalars(let scalars):
      event.field(5) { summary in
        for scalar in scalars {
          summary.field(1) { value in
            value.field(1, bytes: scalar.name.utf8)
            value.field(2, float: Float(scalar.value))
          }
        }
      }
    }
    return event.bytes
  }

  /// The message as a record of a TFRecord file: its length, the checksum of the length, the message, its checksum.
  var record: [UInt8] { Self.record(message) }

  static func record(_ message: [UInt8]) -> [UInt8] {
    var record = ProtobufWriter()
    record.append(littleEndian: UInt64(message.count))
    let length = record.bytes
    record.append(littleEndian: CRC32C.masked(length))
    var rest = ProtobufWriter()
    rest.append(littleEndian: CRC32C.masked(message))
    return record.bytes + message + rest.bytes
  }
}
