import Testing

@testable import Files
@testable import Tensor
@testable import Text

private func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8), file: "x.json") }

private func problem(_ bytes: [UInt8]) -> JSONError.Problem? {
  do throws(JSONError) {
    _ = try JSONValue.parse(bytes)
    return nil
  } catch {
    return error.problem
  }
}

private func problem(_ text: String) -> JSONError.Problem? { problem(Array(text.utf8)) }

@Suite struct JSONValueTests {
  @Test func readsEveryKind() throws {
    let value = try parse(#" {"a":[1,-2.50e+3,true,false,null],"b":"x\"\\\/\b\f\n\r\té\ud83d\ude00é"} "#)
    #expect(value["a"]?.array?[0].int == 1)
    #expect(value["a"]?.array?[1] == .number(-2500, literal: "-2.50e+3"))
    #expect(value["a"]?.array?[2].bool == true)
    #expect(value["a"]?.array?[4].isNull == true)
    #expect(value["b"]?.string == "x\"\\/\u{8}\u{C}\n\r\té😀é")
    #expect(value["c"] == nil)
  }

  @Test func keepsOrderAndLiterals() throws {
    let text = #"{"z": 1000000000000000019884624838656, "a": 1e-12, "m": {}, "e": [], "n": [1.0, 1.00]}"#
    #expect(String(decoding: try parse(text).serialized(), as: UTF8.self) == text)
    #expect(try parse(text)["z"]?.int == nil)
    #expect(try parse(text)["z"]?.double == 1e30 + 19884624838656)
  }

  @Test func comparesKeysByBytes() throws {
    // é as one scalar and as two: canonically equivalent, but two keys.
    let value = try parse("{\"\u{E9}\": 1, \"e\u{301}\": 2}")
    #expect(value["\u{E9}"]?.int == 1)
    #expect(value["e\u{301}"]?.int == 2)
  }

  @Test func int() throws {
    #expect(try parse("9007199254740993").int == 9_007_199_254_740_993)
    #expect(try parse("12.0").int == 12)
    #expect(try parse("12.5").int == nil)
    #expect(try parse("1e400").int == nil)
    #expect(try parse("1e400").double == .infinity)
  }

  @Test func set() throws {
    var value = try parse(#"{"a": 1, "b": 2}"#)
    value.set("a", .string("x"))
    value.set("c", .null)
    #expect(String(decoding: value.serialized(), as: UTF8.self) == #"{"a": "x", "b": 2, "c": null}"#)
  }

  @Test(arguments: [
    "", " ", "{", "[", "[1", "[1,", "{\"a\"", "{\"a\":", "{\"a\":1", "\"a", "\"\\", "\"\\u12", "t", "nul", "-",
  ])
  func ends(_ text: String) { #expect(problem(text) != nil) }

  @Test func refuses() {
    #expect(problem("{\"a\":1,\"b\":2,\"\\u0061\":3}") == .duplicateKey("a"))
    #expect(problem("1 2") == .contentAfterEnd)
    #expect(problem("[1,]") == .unexpected(UInt8(ascii: "]"), expected: "a value"))
    #expect(problem("{\"a\":1,}") == .unexpected(UInt8(ascii: "}"), expected: "a key"))
    #expect(problem("[1 2]") == .unexpected(UInt8(ascii: "2"), expected: "',' or ']'"))
    #expect(problem("{1:2}") == .unexpected(UInt8(ascii: "1"), expected: "a key"))
    #expect(problem("[NaN]") == .unexpected(UInt8(ascii: "N"), expected: "a value"))
    #expect(problem("[,1]") != nil)
    #expect(problem("{,\"a\":1}") != nil)
    #expect(problem("01") == .malformedNumber)
    #expect(problem("-x") == .malformedNumber)
    #expect(problem("1.") == .malformedNumber)
    #expect(problem("1e") == .malformedNumber)
    #expect(problem("+1") != nil)
    #expect(problem("\"\\x\"") == .invalidEscape)
    #expect(problem("\"\\u12g4\"") == .invalidEscape)
    #expect(problem("\"\\ud800\"") == .loneSurrogate)
    #expect(problem("\"\\ud800\\u0041\"") == .loneSurrogate)
    #expect(problem("\"\\udc00\"") == .loneSurrogate)
    #expect(problem("\"a\nb\"") == .controlCharacter(0x0A))
    #expect(problem("\u{FEFF}1") != nil)
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82],
      [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
    ] as [[UInt8]])
  func refusesInvalidUTF8(_ bytes: [UInt8]) {
    #expect(problem([UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]) == .invalidUTF8)
  }

  @Test func limitsDepth() {
    let limit = JSONScanner.maximumDepth
    #expect(problem(String(repeating: "[", count: limit) + String(repeating: "]", count: limit)) == nil)
    #expect(problem(String(repeating: "[", count: 1_000_000)) == .tooDeep(limit: limit))
  }

  @Test func saysWhere() throws {
    let error = #expect(throws: JSONError.self) { try parse("{\n\"a\": 1,\n\"b\" 2}") }
    #expect(error?.line == 3)
    #expect(error?.offset == 14)
    #expect(error?.location == DataLocation(file: "x.json", line: 3))
    #expect(error?.message == "invalid JSON: expected ':' but found '2', at byte 14")
  }

  /// Any bytes give a value or an error.
  @Test func survivesMutations() throws {
    let good = Array(#"{"a":[1,-2.5e+3,true,null],"bé":"x\"\u00e9\ud83d\ude00","c":{"d":{}}}"#.utf8)
    var random = RandomStream(seed: 7, purpose: .shuffle)
    var refused = 0
    for _ in 0..<20_000 {
      var bytes = good
      for _ in 0...random.below(3) {
        switch random.below(3) {
        case 0: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next32())
        case 1: bytes.remove(at: random.below(bytes.count))
        default: bytes.removeLast(random.below(bytes.count / 2))
        }
      }
      if let value = try? JSONValue.parse(bytes) {
        #expect(try JSONValue.parse(value.serialized()) == value)
      } else {
        refused += 1
      }
    }
    #expect(refused > 10_000)
  }
}
