import Testing

@testable import mlm

@Suite struct DefaultPresetTests {
  func choose(
    _ command: Command, given: String? = nil, needsWeights: Bool = true, variable: String? = nil,
    isThere: Bool = false, isTrained: Bool = false
  ) throws -> DefaultPreset {
    try DefaultPreset.choose(
      for: command, given: given, needsWeights: needsWeights, environment: { $0 == "MLM_PRESET" ? variable : nil },
      isModelDirectory: { isThere && $0 == "./mlm-model" }, embedded: ("tiny", isTrained), names: ["tiny", "base"])
  }

  @Test func whatIsSaidComesFirst() throws {
    #expect(try choose(.predict, given: "x", variable: "y", isThere: true) == DefaultPreset(preset: "x", notice: nil))
    #expect(try choose(.fit, variable: "y", isThere: true).preset == "y")
    #expect(try choose(.predict, variable: "y", isThere: true).notice?.contains("MLM_PRESET") == true)
    #expect(try choose(.predict, variable: "", isThere: true).preset == "./mlm-model")
  }

  @Test func fitNeverTakesItsOwnOutput() {
    #expect(throws: UsageError.self) { try choose(.fit, isThere: true) }
  }

  @Test func theEmbeddedPreset() throws {
    #expect(try choose(.evaluate, isTrained: true).preset == "tiny")
    #expect(try choose(.fit, needsWeights: false).preset == "tiny")
    do {
      _ = try choose(.evaluate)
      Issue.record("no error")
    } catch {
      #expect((error as? UsageError)?.hint?.contains("tiny, base") == true)
    }
  }
}
