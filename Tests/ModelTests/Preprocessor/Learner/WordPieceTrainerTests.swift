import Foundation
import Testing

@testable import Model

@Suite struct WordPieceTrainerTests {
  static let text = [
    "The fox and the dog, the fox and the hen.", "A fox is a fox; THE dog is not a fox!", "foxes run and dogs running",
  ]

  func learn(_ texts: [String], size: Int = 400, minimum: Int = 2, lowercase: Bool = true) throws -> (
    pieces: [String], WordPieceTrainer.Statistics
  ) {
    let trainer = WordPieceTrainer(
      vocabularySize: size, minimumFrequency: minimum, options: .init(lowercase: lowercase))
    let (vocabulary, statistics) = try trainer.train(texts: texts)
    return ((0..<vocabulary.count).map { vocabulary.piece($0) }, statistics)
  }

  /// [PAD] … [MASK] as in BERT's own vocabulary, then the alphabet, then what was merged.
  @Test func layout() throws {
    let (pieces, statistics) = try learn(Self.text)
    #expect(pieces[0] == "[PAD]" && pieces[1] == "[unused0]" && pieces[99] == "[unused98]")
    #expect(Array(pieces[100...103]) == ["[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    // Of 296 places 18 are for the first signs of ASCII that are not in the text.
    let letters = "adefghinorstux".map(String.init)
    let alphabet = ##"!"#$%&'()*+,-./:;<=>?@"##.map(String.init) + letters
    #expect(Array(pieces[104..<104 + alphabet.count]) == alphabet)
    // Any letter may go on with a word; punctuation never does.
    let continued = letters.map { "##" + $0 }
    #expect(Array(pieces[(104 + alphabet.count)...].prefix(continued.count)) == continued)
    #expect(
      pieces.contains("the") && pieces.contains("fox") && pieces.contains("and") && Set(pieces).count == pieces.count)
    // Fewer than were asked for: nothing else is seen twice.
    #expect(pieces.count < 400)
    #expect(statistics == .init(words: 30, distinctWords: 16, alphabet: 18, charactersLeftOut: 0, unknownWords: 0))
    let file = try #require(Reference.url("vocab/bert_base_uncased.txt"))
    let bert = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").prefix(104).map(String.init)
    #expect(bert == Array(pieces[..<104]))
  }

  /// What the tokenizer makes of the text it was learned from has no [UNK], and ends in whole words where there is room.
  @Test func textOfItsOwn() throws {
    for lowercase in [true, false] {
      let trainer = WordPieceTrainer(vocabularySize: 400, minimumFrequency: 1, options: .init(lowercase: lowercase))
      let (vocabulary, _) = try trainer.train(texts: Self.text + ["Ärger in Zürich 中文"])
      let tokenizer = try WordPieceTokenizer(vocabulary: vocabulary, options: trainer.options)
      let tokens = tokenizer.tokens(tokenizer.encode(Self.text.joined(separator: " ") + " Ärger oxen"))
      #expect(!tokens.contains("[UNK]"))
      #expect(tokens.prefix(4) == [lowercase ? "the" : "The", "fox", "and", "the"])
      #expect(vocabulary.id(of: "Ärger") == nil || !lowercase)
    }
  }

  /// A vocabulary of usual size knows every character of a keyboard, in whatever text it was learned from.
  @Test(arguments: [true, false]) func charactersOfNoText(lowercase: Bool) throws {
    let trainer = WordPieceTrainer(vocabularySize: 4096, options: .init(lowercase: lowercase))
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
    #expect(try learn([words, words], size: 250).pieces.count == 250)
    #expect(try learn(Self.text, size: 400, minimum: 3).pieces.count < learn(Self.text, size: 400).pieces.count)
  }

  /// The alphabet takes half of the room; the rarest characters are left out, and words with them are unknown. None that is not in
  /// the text takes the place of one that is.
  @Test func moreCharactersThanRoom() throws {
    let scalars = (0..<300).compactMap { Unicode.Scalar(0x4E00 + $0) }
    let text = scalars.enumerated().map { String(repeating: String(Character($1)), count: $0 < 52 ? 3 : 1) }
    let (pieces, statistics) = try learn(text, size: WordPieceTrainer.minimumSize)
    #expect(statistics.alphabet == 52 && statistics.charactersLeftOut == 248 && statistics.unknownWords == 248)
    #expect(!pieces.contains("%") && pieces.contains("一") && !pieces.contains(String(Character(scalars[299]))))
  }

  @Test func refused() throws {
    #expect(throws: VocabularyError.tooSmall(207, least: 208)) { try learn(Self.text, size: 207) }
    #expect(throws: VocabularyError.noWords(file: "the text")) { try learn(["", " \n"]) }
    let folder = try TemporaryFolder()
    let path = try folder.write("empty.txt", " \n")
    #expect(throws: VocabularyError.noWords(file: path)) {
      try WordPieceTrainer(vocabularySize: 300).train(files: [path])
    }
    #expect(throws: FileError.self) { try WordPieceTrainer(vocabularySize: 300).train(files: [folder.path + "/no"]) }
  }

  /// Files, texts and any number of threads: the same vocabulary.
  @Test func deterministic() throws {
    let folder = try TemporaryFolder()
    let text = (0..<40_000).map { "some words \($0 % 997) and \($0 % 13)th others, re\($0 % 101)ed\n" }.joined()
    #expect(text.utf8.count > 1 << 20)
    let path = try folder.write("text.txt", text)
    let expected = try WordPieceTrainer(vocabularySize: 600).train(texts: [text]).vocabulary.vocabTXT
    for threads in [1, 2, 3] {
      let trainer = WordPieceTrainer(vocabularySize: 600, threads: threads)
      #expect(try trainer.train(files: [path]).vocabulary.vocabTXT == expected)
    }
  }
}
