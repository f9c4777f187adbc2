import Testing

@testable import Text

@Suite struct EditDistanceTests {
  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "acb", 1), ("abc", "ab", 1),
    ("kitten", "sitting", 3), ("ca", "abc", 3), ("epcohs", "epochs", 1),
  ])
  func distances(_ a: String, _ b: String, _ expected: Int) {
    #expect(EditDistance.distance(Array(a.utf8), Array(b.utf8)) == expected)
    #expect(EditDistance.distance(Array(b.utf8), Array(a.utf8)) == expected)
  }
}
