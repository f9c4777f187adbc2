import Testing

@testable import Model

private func text(_ value: JSONValue, _ style: JSONWriter.Style) -> String {
  String(decoding: value.serialized(style), as: UTF8.self)
}

@Suite struct JSONWriterTests {
  let value = JSONValue.object([
    ("a", .array([.number(1), .number(0.1)])), ("b", .object([])), ("c", .array([])), ("d", .object([("e", .null)])),
  ])

  // As Python 3's json.dumps writes it.
  @Test func styles() {
    #expect(text(value, .compact) == #"{"a":[1,0.1],"b":{},"c":[],"d":{"e":null}}"#)
    #expect(text(value, .spaced) == #"{"a": [1, 0.1], "b": {}, "c": [], "d": {"e": null}}"#)
    #expect(
      text(value, .indented(2)) == """
        {
          "a": [
            1,
            0.1
          ],
          "b": {},
          "c": [],
          "d": {
            "e": null
          }
        }
        """)
  }

  @Test func escapesOnlyWhatMustBe() {
    #expect(
      text(.string("\"\\/\u{8}\t\n\u{C}\r\u{1}\u{1F}\u{7F}é\u{2028}😀"), .compact)
        == "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f\u{7F}é\u{2028}😀\"")
  }

  @Test func floats() {
    var writer = JSONWriter()
    writer.append(Float(0.05292855575680733))
    writer.append(raw: " ")
    writer.append(Float.nan)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "0.0529285558 null")
  }
}
