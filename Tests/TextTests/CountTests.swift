import Testing

@testable import Text

@Suite struct CountTests {
  @Test func groupsOfDigits() {
    #expect(
      [0, 12, 123, 1234, 123_456, 66_362_880, -1234, .min].map(Count.grouped)
        == [
          "0", "12", "123", "1,234", "123,456", "66,362,880", "-1,234", "-9,223,372,036,854,775,808",
        ])
    #expect(Count.text(1, "line") == "1 line" && Count.text(2000, "line") == "2,000 lines")
    #expect(plural(1, "line") == "1 line" && plural(2000, "line") == "2000 lines")
  }

  @Test func bytes() {
    #expect(
      [999, 1000, 17_400_000, 267_954_768, 1_249_000_000, 12_345_000_000].map(Count.bytes)
        == ["999 B", "1 kB", "17 MB", "268 MB", "1.2 GB", "12.3 GB"])
  }
}
