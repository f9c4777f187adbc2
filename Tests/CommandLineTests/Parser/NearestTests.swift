import Testing

@testable import CommandLine

@Suite struct NearestTests {
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
