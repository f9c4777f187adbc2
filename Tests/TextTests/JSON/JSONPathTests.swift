import Testing

@testable import Files
@testable import Text

@Suite struct JSONPathTests {
  /// The format in which Python's `json.dump` writes results of `os.fsdecode`.
  @Test func inJSON() throws {
    let name = String(path: [0x63, 0xE9, 0x22, 0xC3, 0xA9])
    let bytes = JSONValue.object([("files", .array([.string(name)]))]).serialized(.compact, withPaths: true)
    #expect(String(decoding: bytes, as: UTF8.self) == #"{"files":["c\udce9\"é"]}"#)
    let read = try JSONValue.parse(bytes, withPaths: true)
    #expect(read["files"]?.array?.first?.string?.pathBytes == name.pathBytes)
    // Elsewhere, half a surrogate pair is an error, and so is half of another pair.
    #expect(throws: JSONError.self) { try JSONValue.parse(bytes) }
    #expect(throws: JSONError.self) { try JSONValue.parse(Array(#""\udc7f""#.utf8), withPaths: true) }
    #expect(throws: JSONError.self) { try JSONValue.parse(Array(#""\ud8e9""#.utf8), withPaths: true) }
  }
}
