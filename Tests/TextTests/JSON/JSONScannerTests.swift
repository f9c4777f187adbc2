import Testing

@testable import Text

private func scan<T>(_ text: String, _ body: (inout JSONScanner) throws -> T) throws -> T {
  try Array(text.utf8).withUnsafeBufferPointer { bytes in
    var scanner = JSONScanner(bytes, file: "f", firstLine: 10)
    return try body(&scanner)
  }
}

@Suite struct JSONScannerTests {
  @Test func pullsMembersAndElements() throws {
    let read = try scan(#" {"ids":[1, 2,-30] , "skip":{"a":[{},[]],"b":"]"}, "on":true,"none":null,"x":0.5} "#) {
      scanner in
      var ids: [Int] = []
      var keys: [String] = []
      var key: [UInt8] = []
      try scanner.beginObject()
      while try scanner.nextKey(into: &key) {
        keys.append(String(decoding: key, as: UTF8.self))
        switch keys.last {
        case "ids":
          try scanner.beginArray()
          while try scanner.nextElement() { ids.append(try scanner.integer()) }
        case "on": #expect(try scanner.bool())
        case "none": try scanner.null()
        case "x": #expect(try scanner.number() == 0.5)
        default: try scanner.skipValue()
        }
      }
      try scanner.finish()
      return (ids, keys)
    }
    #expect(read.0 == [1, 2, -30])
    #expect(read.1 == ["ids", "skip", "on", "none", "x"])
  }

  @Test func integers() throws {
    for (text, value) in [
      ("0", 0), ("-0", 0), ("7", 7), ("123456789012345678", 123_456_789_012_345_678), ("9223372036854775807", Int.max),
      ("-9223372036854775808", Int.min), ("1e3", 1000), ("5.0", 5),
    ] {
      #expect(try scan(text) { try $0.integer() } == value, "\(text)")
    }
    for text in ["9223372036854775808", "1.5", "1e300", "\"1\"", "01", "-", "", "1.", "- 1", "0x1"] {
      #expect(throws: JSONError.self, "\(text)") {
        try scan(text) { scanner in
          _ = try scanner.integer()
          try scanner.finish()
        }
      }
    }
  }

  @Test func errorsCarryTheLine() {
    let error = #expect(throws: JSONError.self) {
      try scan("[1,\n2,\nx]") { scanner in
        try scanner.beginArray()
        while try scanner.nextElement() { _ = try scanner.integer() }
      }
    }
    #expect(error?.line == 12)
  }

  @Test func misuseIsAnError() {
    #expect(throws: JSONError.self) { try scan("[1]") { try $0.beginObject() } }
    #expect(throws: JSONError.self) { try scan("{\"a\":1}") { try $0.beginArray() } }
    #expect(throws: JSONError.self) { try scan("1") { try $0.string() } }
    #expect(throws: JSONError.self) { try scan("1") { try $0.bool() } }
    #expect(throws: JSONError.self) { try scan("1") { try $0.null() } }
    #expect(throws: JSONError.self) { try scan("\"a\"") { try $0.number() } }
  }
}
