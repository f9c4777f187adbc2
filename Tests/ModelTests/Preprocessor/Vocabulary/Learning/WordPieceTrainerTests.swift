import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Model

@Suite struct WordPieceTrainerTests {
  static let text = [
    "The fox and the dog, the fox and the hen.", "A fox is a fox; THE dog is not a fox!", "foxes run and dogs running",
  ]

  func learn(
    _ texts: [String], size: Int = 296, minimum: Int = 2, lowercase: Bool = true,
    specialTokens: SpecialTokenPlaces = .first
  ) throws -> (pieces: [String], WordPieceTrainer.Statistics) {
    var trainer = WordPieceTrainer(pieces: size, minimumFrequency: minimum, options: .init(lowercase: lowercase))
    trainer.specialTokens = specialTokens
    let (vocabulary, statistics) = try trainer.train(texts: texts)
    return ((0..<vocabulary.count).map { vocabulary.piece($0) }, statistics)
  }

  /// [PAD] … [MASK], then the alphabet, then the merged pieces.
  @Test func layout() throws {
    let (pieces, statistics) = try learn(Self.text)
    #expect(Array(pieces[...4]) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    #expect(!pieces.contains { $0.hasPrefix("[unused") })
    // Of 296 pieces, 18 are the first ASCII punctuation characters that are not in the text.
    let letters = "adefghinorstux".map(String.init)
    let alphabet = ##"!"#$%&'()*+,-./:;<=>?@"##.map(String.init) + letters
    #expect(Array(pieces[5..<5 + alphabet.count]) == alphabet)
    // Any letter may continue a word; punctuation never does.
    let continued = letters.map { "##" + $0 }
    #expect(Array(pieces[(5 + alphabet.count)...].prefix(continued.count)) == continued)
    #expect(
      pieces.contains("the") && pieces.contains("fox") && pieces.contains("and") && Set(pieces).count == pieces.count)
    // Fewer than requested: nothing else occurs twice.
    #expect(pieces.count < 301)
    // "The" and "THE", "A" are counted as "the" and "a".
    #expect(
      statistics
        == .init(
          words: 30, distinctWords: 16, distinctSpellings: 19, alphabet: 18, charactersLeftOut: 0, unknownWords: 0))
  }

  /// On request, the special tokens have the ids of another vocabulary.
  @Test func placesOfAnotherVocabulary() throws {
    let bertLike = try Vocabulary(
      pieces: ["[PAD]"] + (0..<99).map { "x\($0)" } + ["[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    let specialTokens = try #require(SpecialTokenPlaces(like: SpecialTokens(bertLike)))
    let (pieces, _) = try learn(Self.text, specialTokens: specialTokens)
    #expect(pieces[0] == "[PAD]" && pieces[1] == "[unused0]" && pieces[99] == "[unused98]")
    #expect(Array(pieces[100...103]) == ["[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    #expect(try Array(pieces[104...]) == Array(learn(Self.text).pieces[5...]))
    let file = try #require(Reference.url("vocab/bert_base_uncased.txt"))
    let bert = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").prefix(104).map(String.init)
    #expect(bert == Array(pieces[..<104]))
  }

  /// Words made equal by lower case and dropped accents, counted as in transformers' normalizer and pre-tokenizer.
  @Test func mergedSpellings() throws {
    let text = ["Polish polish POLISH résumé resume Resume, don't DON'T fine"]
    let lower = try learn(text).1
    // The words polish, resume, don, ', t, fine and the comma of 13.
    #expect(lower.distinctWords == 7 && lower.distinctSpellings == 13)
    #expect(abs(lower.mergedShare - 6.0 / 13) < 1e-12)
    let cased = try learn(text, lowercase: false).1
    #expect(cased.distinctWords == 13 && cased.distinctSpellings == 13 && cased.mergedShare == 0)
    // The result does not depend on the distribution of the text among threads.
    let folder = try TemporaryFolder()
    let path = try folder.write("text.txt", String(repeating: text[0] + "\n", count: 60_000))
    let found = try [1, 3].map { try WordPieceTrainer(pieces: 300, threads: $0).train(files: [path]).statistics }
    #expect(found[0] == found[1] && found[0].distinctSpellings == 13)
  }

  /// The text from which a vocabulary was learned has no [UNK], and consists of whole words if there is room.
  @Test func textOfItsOwn() throws {
    for lowercase in [true, false] {
      let trainer = WordPieceTrainer(pieces: 296, minimumFrequency: 1, options: .init(lowercase: lowercase))
      let (vocabulary, _) = try trainer.train(texts: Self.text + ["Ärger in Zürich 中文"])
      let tokenizer = try WordPieceTokenizer(vocabulary: vocabulary, options: trainer.options)
      let tokens = tokenizer.tokens(tokenizer.encode(Self.text.joined(separator: " ") + " Ärger oxen"))
      #expect(!tokens.contains("[UNK]"))
      #expect(tokens.prefix(4) == [lowercase ? "the" : "The", "fox", "and", "the"])
      #expect(vocabulary.id(of: "Ärger") == nil || !lowercase)
    }
  }

  /// A vocabulary of usual size contains every character of a keyboard, whatever text it was learned from.
  @Test(arguments: [true, false]) func charactersOfNoText(lowercase: Bool) throws {
    let trainer = WordPieceTrainer(pieces: 4096, options: .init(lowercase: lowercase))
    let (vocabulary, statistics) = try trainer.train(texts: Self.text)
    let tokenizer = try WordPieceTokenizer(vocabulary: vocabulary, options: trainer.options)
    let ascii = String((0x21...0x7E).map { Character(Unicode.Scalar($0)) })
    for text in [ascii, "“50 %…” – £3·50 or €4 © R2D2 x86_64 20°"] {
      #expect(!tokenizer.tokens(tokenizer.encode(text)).contains("[UNK]"), "\(text)")
    }
    #expect(vocabulary.id(of: "Q") == nil || !lowercase)
    #expect(statistics.alphabet < 25)
  }

  @Test func onlyAsManyAsWereAskedFor() throws {
    let words = (0..<200).map { "w\($0)ed" }.joined(separator: " ")
    #expect(try learn([words, words], size: 150).pieces.count == 155)
    #expect(try learn(Self.text, minimum: 3).pieces.count < learn(Self.text).pieces.count)
  }

  /// The alphabet takes half of the room. The rarest characters are left out, and words with them are unknown. No
  /// character outside the text displaces one in the text.
  @Test func moreCharactersThanRoom() throws {
    let scalars = (0..<300).compactMap { Unicode.Scalar(0x4E00 + $0) }
    let text = scalars.enumerated().map { String(repeating: String(Character($1)), count: $0 < 52 ? 3 : 1) }
    let (pieces, statistics) = try learn(text, size: 104)
    #expect(statistics.alphabet == 52 && statistics.charactersLeftOut == 248 && statistics.unknownWords == 248)
    #expect(!pieces.contains("%") && pieces.contains("一") && !pieces.contains(String(Character(scalars[299]))))
  }

  @Test func refused() throws {
    #expect(throws: PreprocessorError.vocabularyTooSmall(9, least: 10)) { try learn(Self.text, size: 9) }
    #expect(throws: PreprocessorError.noWords(file: "the text")) { try learn(["", " \n"]) }
    let folder = try TemporaryFolder()
    let path = try folder.write("empty.txt", " \n")
    #expect(throws: PreprocessorError.noWords(file: path)) {
      try WordPieceTrainer(pieces: 300).train(files: [path])
    }
    #expect(throws: FileError.self) { try WordPieceTrainer(pieces: 300).train(files: [folder.path + "/no"]) }
  }

  /// Words too long to have pieces are counted, but not used for learning.
  @Test func wordsTooLong() throws {
    let long = String(repeating: "a", count: 101)
    let (pieces, statistics) = try learn(["the \(long) the \(long) fox"])
    #expect(statistics.unknownWords == 2 && statistics.words == 5 && statistics.distinctWords == 2)
    #expect(!pieces.contains("##aa"))
  }

  /// Files, texts and any number of threads give the same vocabulary.
  @Test func deterministic() throws {
    let folder = try TemporaryFolder()
    let text = (0..<40_000).map { "some words \($0 % 997) and \($0 % 13)th others, re\($0 % 101)ed\n" }.joined()
    #expect(text.utf8.count > 1 << 20)
    let path = try folder.write("text.txt", text)
    let expected = try WordPieceTrainer(pieces: 600).train(texts: [text]).vocabulary.vocabTXT
    for threads in [1, 2, 3] {
      let trainer = WordPieceTrainer(pieces: 600, threads: threads)
      #expect(try trainer.train(files: [path]).vocabulary.vocabTXT == expected)
    }
  }
}
