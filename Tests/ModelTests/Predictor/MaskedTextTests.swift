import Testing

@testable import Model

@Suite struct MaskedTextTests {
  let tokenizer: WordPieceTokenizer

  init() throws {
    tokenizer = try WordPieceTokenizer(
      vocabulary: try Vocabulary(pieces: [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "fox", "##es", "a", "b", ".",
      ]))
  }

  private func masked(_ text: String, length: Int = 16) throws -> MaskedText {
    try MaskedText(Array(text.utf8), tokenizer: tokenizer, sequenceLength: length)
  }

  @Test func masksInsideWordsAndTheirPlaces() throws {
    let text = try masked("the x[MASK]y [MASK].")
    #expect(text.sample.tokenIDs == [2, 5, 1, 4, 1, 4, 10, 3])
    #expect(text.sample.maskPositions == [3, 5])
    #expect(text.masks == [5..<11, 13..<19])
    #expect(text.notes.isEmpty)
  }

  @Test func otherSpecialNamesAreText() throws {
    #expect(try masked("[SEP] [MASK]").sample.tokenIDs.filter { $0 == 3 }.count == 1)
  }

  @Test func noMask() {
    #expect(throws: MaskedTextError.noMask(maskToken: "[MASK]", written: nil)) { try masked("the fox") }
    #expect(throws: MaskedTextError.noMask(maskToken: "[MASK]", written: "<mask>")) { try masked("the <mask>") }
    #expect(throws: MaskedTextError.noMask(maskToken: "[MASK]", written: "[mask]")) { try masked("[mask]") }
    #expect(throws: MaskedTextError.noMask(maskToken: "[MASK]", written: nil)) { try masked("") }
  }

  @Test func windowAroundTheMask() throws {
    let words = Array(repeating: "a", count: 20) + ["[MASK]"] + Array(repeating: "b", count: 20)
    let text = try masked(words.joined(separator: " "), length: 9)
    #expect(text.sample.tokenIDs == [2, 8, 8, 8, 4, 9, 9, 9, 3])
    #expect(text.sample.maskPositions == [4])
    #expect(text.notes.count == 1)
    // The window does not extend beyond the ends of the text.
    #expect(try masked("[MASK]" + String(repeating: " b", count: 20), length: 5).sample.tokenIDs == [2, 4, 9, 9, 3])
    #expect(try masked(String(repeating: "a ", count: 20) + "[MASK]", length: 5).sample.tokenIDs == [2, 8, 8, 4, 3])
  }

  @Test func masksTooFarApart() throws {
    let text = "[MASK]" + String(repeating: " a", count: 5) + " [MASK]"
    #expect(throws: MaskedTextError.masksTooFarApart(tokens: 9, sequenceLength: 8)) { try masked(text, length: 8) }
    #expect(try masked(text, length: 9).sample.tokenIDs.count == 9)
  }

  @Test func replacingLeavesTheRestAlone() {
    let text = Array("Ä [MASK],\t[MASK]ing".utf8)
    let masks = [3..<9, 11..<17]
    #expect(MaskedText.replacing([masks[0]], with: ["##es"], in: text) == Array("Ä es,\t[MASK]ing".utf8))
    #expect(MaskedText.replacing(masks, with: ["fox", "##"], in: text) == Array("Ä fox,\t##ing".utf8))
  }

  @Test func targets() throws {
    let words = try tokenizer.targetWords(["fox", "##es", "The", "fox", "foxes"])
    #expect(words.map(\.pieces) == [[6], [7], [5], [6, 7]] && words.map(\.text) == ["fox", "##es", "The", "foxes"])
    #expect(throws: ModelUseError.unknownTarget(word: "qq", pieces: ["[UNK]"])) { try tokenizer.targetWords(["qq"]) }
    #expect(throws: ModelUseError.unknownTarget(word: " ", pieces: [])) { try tokenizer.targetWords([" "]) }
  }
}
