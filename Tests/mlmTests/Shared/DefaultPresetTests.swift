import Testing

@testable import mlm

@Suite struct DefaultPresetTests {
  func choose(
    _ command: Command, given: String? = nil, variable: String? = nil, isThere: Bool = false
  ) -> DefaultPreset {
    DefaultPreset.choose(
      for: command, given: given, environment: { $0 == "MLM_PRESET" ? variable : nil },
      isModelDirectory: { isThere && $0 == "./mlm-model" }, embedded: "tiny")
  }

  @Test func whatIsSaidComesFirst() {
    #expect(choose(.predict, given: "x", variable: "y", isThere: true) == DefaultPreset(preset: "x", notice: nil))
    #expect(choose(.fit, variable: "y", isThere: true).preset == "y")
    #expect(choose(.predict, variable: "y", isThere: true).notice?.contains("MLM_PRESET") == true)
    #expect(choose(.predict, variable: "", isThere: true).preset == "./mlm-model")
  }

  @Test func fitNeverTakesItsOwnOutput() {
    #expect(choose(.fit, isThere: true).preset == "tiny")
  }

  /// A note names the preset and a better one.
  @Test func theEmbeddedPreset() {
    for command in [Command.fit, .predict, .evaluate, .tokenize] {
      let choice = choose(command)
      #expect(choice.preset == "tiny")
      #expect(choice.notice?.contains("tiny") == true && choice.notice?.contains("--preset distil_bert_base") == true)
    }
  }

  /// Without its weights, the preset is not called the model.
  @Test func whatIsTakenOfIt() {
    func notice(_ use: DefaultPreset.Use) -> String? {
      DefaultPreset.choose(
        for: .fit, given: nil, use: use, environment: { _ in "p" }, isModelDirectory: { _ in false }, embedded: "tiny"
      ).notice
    }
    #expect(notice(.model) == "the model is p, from MLM_PRESET")
    #expect(notice(.architecture) == "random weights, with the architecture of p, from MLM_PRESET")
    #expect(
      notice(.architectureAndVocabulary)
        == "random weights, with the architecture and vocabulary of p, from MLM_PRESET")
  }
}
