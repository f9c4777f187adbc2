import Testing

@testable import CommandLine

@Suite struct NearestTests {
  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "acb", 1), ("abc", "ab", 1),
    ("kitten", "sitting", 3), ("ca", "abc", 3), ("epcohs", "epochs", 1),
  ])
  func distances(_ a: String, _ b: String, _ expected: Int) {
    #expect(Nearest.distance(Array(a.utf8), Array(b.utf8)) == expected)
    #expect(Nearest.distance(Array(b.utf8), Array(a.utf8)) == expected)
  }

  @Test func findsTheSlip() {
    let names = ["fit", "predict", "evaluate", "tokenize", "presets"]
    #expect(Nearest.name(to: "predcit", in: names) == "predict")
    #expect(Nearest.name(to: "eval", in: names) == "evaluate")
    #expect(Nearest.name(to: "fti", in: names) == "fit")
    #expect(Nearest.name(to: "frobnicate", in: names) == nil)
    #expect(Nearest.name(to: "", in: names) == nil)
    #expect(Nearest.name(to: String(repeating: "x", count: 100_000), in: names) == nil)
  }
}
