import Foundation
import Testing

@testable import mlm

/// Tests TensorBoard's files against published checksums and records that its package wrote (tensorboard 2.21's
/// RecordWriter and protobufs).
@Suite struct TensorBoardTests {
  /// RFC 3720, appendix B.4, and the check value in the catalog of CRCs.
  @Test func checksums() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(0..<32) == 0x46DD_794E)
    #expect(CRC32C.checksum((0..<32).reversed()) == 0x113F_DB5C)
    #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.checksum([]) == 0)
  }

  func hexadecimal(_ event: TensorBoardEvent) -> String {
    event.record.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test func records() {
    #expect(
      hexadecimal(TensorBoardEvent(time: 1.5, step: 0, content: .fileVersion))
        == "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c")
    #expect(
      hexadecimal(
        TensorBoardEvent(time: 2.5, step: 300, content: .scalars([("loss", 2.25), ("learning_rate", 0.001)])))
          == """
          31000000000000009d8383e909000000000000044010ac022a230a0b0a046c6f737315000010400a140a0d6c6561726e696e675f72617465\
          156f12833ac49954d2
          """)
    #expect(
      hexadecimal(TensorBoardEvent(time: 3.5, step: 1 << 40, content: .start))
        == "14000000000000005e3d2915090000000000000c40108080808080203a02080153ec1863")
  }

  /// The messages in a file, with all checksums verified.
  func records(_ data: Data) -> [Data]? {
    var records: [Data] = []
    var rest = Data(data)
    func number(_ bytes: Data) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    while !rest.isEmpty {
      guard rest.count >= 16 else { return nil }
      let length = Int(number(rest.prefix(8)))
      guard rest.count >= length + 16 else { return nil }
      let message = Data(rest.dropFirst(12).prefix(length))
      guard number(Data(rest.dropFirst(8).prefix(4))) == UInt64(CRC32C.masked(rest.prefix(8))),
        number(Data(rest.dropFirst(12 + length).prefix(4))) == UInt64(CRC32C.masked(message))
      else { return nil }
      records.append(message)
      rest = Data(rest.dropFirst(length + 16))
    }
    return records
  }

  @Test func file() throws {
    let tool = try Tool()
    do {
      let file = try EventFile(folder: tool.path("a/b/"), clock: { 1_234_567_890.25 })
      try file.write([("loss", 2.25), ("val_loss", nil), ("accuracy", .nan)], step: 300)
      // Events are written immediately, because another program may be reading them.
      #expect(try records(tool.read("a/b/" + #require(tool.names(in: "a/b").first)))?.count == 2)
      try file.write([("val_loss", nil)], step: 301)
    }
    let names = tool.names(in: "a/b")
    #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents.1234567890."), "\(names)")
    let events = try records(tool.read("a/b/\(names[0])"))
    #expect(events?.count == 2)
    let expected = TensorBoardEvent(time: 1_234_567_890.25, step: 300, content: .scalars([("loss", 2.25)]))
    #expect(events?.last.map(Array.init) == expected.message)
  }

  /// A resumed training has a separate file, which names its first step.
  @Test func filesOfOneSecond() throws {
    let tool = try Tool()
    for step in [nil, 7] { _ = try EventFile(folder: tool.path("a"), resumingAt: step, clock: { 5 }) }
    let names = tool.names(in: "a")
    #expect(names.count == 2)
    let counts = try names.map { try records(tool.read("a/\($0)"))?.count }
    #expect(counts == [1, 2])
  }

  @Test func placesThatCannotBe() throws {
    let tool = try Tool()
    try tool.write("x", to: "file")
    for folder in ["file", "file/a", "/proc/no"] {
      #expect(throws: HistoryError.self) { try EventFile(folder: folder.hasPrefix("/") ? folder : tool.path(folder)) }
    }
    #expect(tool.names() == ["file"])
  }
}
