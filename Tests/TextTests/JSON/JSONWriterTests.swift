import Testing

@testable import Text

private func text(_ value: JSONValue, _ style: JSONWriter.Style) -> String {
  String(decoding: value.serialized(style), as: UTF8.self)
}

@Suite struct JSONWriterTests {
  let value = JSONValue.object([
    ("a", .array([.number(1), .number(0.1)])), ("b", .object([])), ("c", .array([])), ("d", .object([("e", .null)])),
  ])

  // The output of Python 3's json.dumps.
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

  /// In lines for a terminal, no character of a string controls it.
  @Test func escapesAllControls() {
    var writer = JSONWriter(escapesAllControls: true)
    writer.append(string: "\u{1B}a\u{7F}\u{80}\u{9B}\u{9F}\u{A0}\u{2028}\u{202E}\u{2066}\u{206A}é\u{C2}中")
    #expect(
      String(decoding: writer.bytes, as: UTF8.self)
        == "\"\\u001ba\\u007f\\u0080\\u009b\\u009f\u{A0}\\u2028\\u202e\\u2066\u{206A}é\u{C2}中\"")
  }

  @Test func floats() {
    var writer = JSONWriter()
    writer.append(Float(0.05292855575680733))
    writer.append(raw: " ")
    writer.append(Float.nan)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == "0.0529285558 null")
  }
}
