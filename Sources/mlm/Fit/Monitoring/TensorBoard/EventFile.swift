import Files
import Glibc
import Model

/// An event file of TensorBoard: scalars by step, written at each report.
///
///     tensorboard --logdir DIR
final class EventFile {
  let path: String
  private let descriptor: Int32
  private let clock: () -> Double

  /// Creates a new file in the folder, and the folder if it is missing.
  ///
  /// - Parameters:
  ///   - resumingAt: the step from which a training resumes; nil for a new one.
  ///   - clock: seconds since 1970.
  init(
    folder: String, resumingAt step: Int? = nil, clock: @escaping () -> Double = secondsSince1970
  ) throws(HistoryError) {
    self.clock = clock
    try Self.makeFolder(folder)
    let name = "events.out.tfevents.\(Int(clock())).\(Self.hostName).\(getpid())"
    let start = folder.utf8.last == UInt8(ascii: "/") ? folder + name : folder + "/" + name
    // Two trainings of one process within a second get separate files.
    var number = 0
    var path = start + ".0"
    var descriptor = open(path.cPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    while descriptor < 0, errno == EEXIST, number < 1000 {
      number += 1
      path = start + ".\(number)"
      descriptor = open(path.cPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    }
    guard descriptor >= 0 else { throw .cannotWrite(.events, path: folder, code: errno) }
    (self.path, self.descriptor) = (path, descriptor)
    try write(.fileVersion, step: 0)
    if let step { try write(.start, step: step) }
  }

  deinit { close(descriptor) }

  /// Removes the file, if the training cannot begin.
  func discard() { unlink(path) }

  /// Writes scalars, except those that are nil or not finite.
  func write(_ scalars: [(name: String, value: Double?)], step: Int) throws(HistoryError) {
    let present = scalars.compactMap { scalar in
      scalar.value.flatMap { $0.isFinite ? (name: scalar.name, value: $0) : nil }
    }
    if !present.isEmpty { try write(.scalars(present), step: step) }
  }

  private func write(_ content: TensorBoardEvent.Content, step: Int) throws(HistoryError) {
    let code = writeAll(TensorBoardEvent(time: clock(), step: step, content: content).record, to: descriptor)
    if code != 0 { throw .cannotWrite(.events, path: path, code: code) }
  }

  private static func makeFolder(_ folder: String) throws(HistoryError) {
    do throws(FileError) {
      try Path.makeDirectories(folder)
    } catch {
      throw .cannotWrite(.events, path: folder, code: errno)
    }
  }

  private static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
    let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return name.isEmpty || name.utf8.contains(UInt8(ascii: "/")) ? "localhost" : name
  }
}

/// Seconds since 1970, by the system's clock.
func secondsSince1970() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4), with a table.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
  }

  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }

  /// The checksum as stored in a TFRecord: rotated, plus a constant, because checksums of data that contains its own
  /// checksums are weak.
  static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let checksum = checksum(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
