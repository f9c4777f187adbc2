import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Files
@testable import Model

@Suite struct TextCorpusTests {
  let folder: TemporaryFolder
  let tokenizer: WordPieceTokenizer

  init() throws {
    folder = try TemporaryFolder()
    tokenizer = try SmallTokenizer.english()
  }

  func corpus(
    _ text: [UInt8], length: Int = 16, masking: MaskingOptions = MaskingOptions(), truncate: Bool = false,
    strict: Bool = false
  ) throws -> TextCorpus {
    let path = try folder.write("text-\(UUID().uuidString).txt", text)
    return try TextCorpus(
      paths: [path], tokenizer: tokenizer,
      options: CorpusOptions(sequenceLength: length, masking: masking, truncates: truncate, isStrict: strict))
  }
  func corpus(
    _ text: String, length: Int = 16, masking: MaskingOptions = MaskingOptions(), truncate: Bool = false
  ) throws -> TextCorpus {
    try corpus(Array(text.utf8), length: length, masking: masking, truncate: truncate)
  }
  func texts(_ corpus: TextCorpus) throws -> [[Int32]] {
    try (0..<corpus.count).map { try corpus.sample($0, epoch: 0).text }
  }
  func ids(_ text: String) -> [Int32] { tokenizer.encode(text) }

  func error(_ body: () throws -> Void) -> PreprocessorError? {
    do {
      try body()
      return nil
    } catch { return error as? PreprocessorError }
  }

  @Test func aLineIsASample() throws {
    let corpus = try corpus("\u{FEFF}The quick fox\r\n\n \t\u{3000}\nbrown\u{2028}fox\u{85}the\u{0C}fox\nfox [MASK]")
    #expect(try texts(corpus) == [ids("the quick fox"), ids("brown\u{2028}fox\u{85}the\u{0C}fox"), ids("fox [MASK]")])
    #expect(ids("[MASK]").count == 6)  // brackets and letters
    #expect(corpus.statistics.lines == 5 && corpus.statistics.blankLines == 2)
    #expect((0..<3).map { corpus.location(of: $0).line } == [1, 4, 5])
    let sample = try corpus.sample(0, epoch: 0)
    #expect(sample.tokenIDs.first == 2 && sample.tokenIDs.last == 3)
    #expect(sample.maskPositions.count == 1 && sample.positionIDs == [0, 1, 2, 3, 4])
    #expect(corpus.notes == ["skipped 2 blank lines"])
  }

  @Test func longLinesGoOn() throws {
    let long = (0..<40).map { _ in "the quick brown fox zzzz" }.joined(separator: " ")
    let corpus = try corpus("fox\n\(long)\nthe\n", length: 12)
    #expect(corpus.count > 20)
    let all = try texts(corpus)
    #expect(all.allSatisfy { $0.count <= 10 && !$0.isEmpty })
    #expect(Array(all.joined()) == ids("fox") + ids(long) + ids("the"))
    #expect(corpus.location(of: 5).line == 2 && corpus.location(of: corpus.count - 1).line == 3)
    #expect(corpus.notes.count == 1 && corpus.notes[0].contains("1 line of more than 10 tokens continued in"))

    let cut = try self.corpus("fox\n\(long)\nthe\n", length: 12, truncate: true)
    #expect(try texts(cut) == [ids("fox"), Array(ids(long).prefix(10)), ids("the")])
    #expect(cut.statistics.droppedTokens == ids(long).count - 10)
    #expect(cut.notes[0].contains("\(ids(long).count - 10) tokens dropped"))
  }

  @Test func aWordLongerThanASampleIsNotLost() throws {
    let word = String(repeating: "z", count: 90)
    for length in [3, 4, 10, 91] {
      let corpus = try corpus("fox \(word) the\nquick\n", length: length)
      #expect(Array(try texts(corpus).joined()) == ids("fox \(word) the quick"), "\(length)")
    }
  }

  @Test func severalFiles() throws {
    var paths = [String]()
    for number in 0..<5 {
      let lines = (0..<number * 700).map { "\(number) \($0)\n" }.joined()
      paths.append(try folder.write("\(number).txt", "\u{FEFF}" + lines))
    }
    let corpus = try TextCorpus(paths: paths, tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16))
    #expect(corpus.count == 7000 && corpus.statistics.lines == 7000 && corpus.statistics.files == 5)
    for (index, file, line) in [(0, 1, 1), (699, 1, 700), (700, 2, 1), (2099, 2, 1400), (2100, 3, 1), (6999, 4, 2800)] {
      #expect(corpus.location(of: index) == DataLocation(file: paths[file], line: line))
      #expect(try corpus.sample(index, epoch: 0).text == ids("\(file) \(line - 1)"))
    }
  }

  @Test func invalidUTF8() throws {
    let bytes = Array("the fox\nqu".utf8) + [0xFF, 0xFE] + Array("ick \n".utf8) + [0xE2, 0x82] + Array("\nfox".utf8)
    let corpus = try corpus(bytes)
    #expect(corpus.statistics.invalidSequences == 3)
    #expect(try texts(corpus) == [ids("the fox"), ids("quick"), [], ids("fox")])
    #expect(
      corpus.warnings.count == 1 && corpus.warnings[0].hasPrefix("3 invalid UTF-8 sequences read as U+FFFD, first at "))
    #expect(corpus.warnings[0].hasSuffix(":2"))
    let strict = error { _ = try self.corpus(bytes, strict: true) }
    guard case .invalidUTF8(let location, let byte, let offset)? = strict else {
      Issue.record("\(String(describing: strict))")
      return
    }
    #expect(location.line == 2 && byte == 3 && offset == 10)
    #expect(try self.corpus(Array("the é €\n".utf8), strict: true).count == 1)
    // Long lines are still cut at the right bytes.
    let long = Array("the ".utf8) + [0xFF] + Array("fox q".utf8) + [0xC3] + Array("uick, brown\u{0}fox zzz".utf8)
    #expect(Array(try texts(try self.corpus(long, length: 4)).joined()) == ids("the fox quick, brown\u{0}fox zzz"))
  }

  @Test func whatIsNotText() throws {
    func kind(_ bytes: [UInt8]) -> String? {
      guard case .notText(let file, let kind, _)? = error({ _ = try corpus(bytes) }) else { return nil }
      #expect(file.hasSuffix(".txt"))
      return kind
    }
    let tail = [UInt8](repeating: 0x20, count: 20)
    #expect(kind([0x7F, 0x45, 0x4C, 0x46] + tail) == "a program (ELF)")
    #expect(kind([0x89, 0x50, 0x4E, 0x47] + tail) == "a PNG image")
    #expect(kind([0x1F, 0x8B] + tail) == "gzip-compressed data")
    #expect(kind([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00] + tail) == "xz-compressed data")
    #expect(kind([0x50, 0x4B, 0x03, 0x04] + tail) == "a zip archive")
    #expect(kind([0xFF, 0xFE, 0x41, 0x00]) == "UTF-16 text")
    #expect(kind([0x40, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x22] + tail) == "a safetensors file")
    #expect(kind([0x41, 0x00, 0x42, 0x00]) == "UTF-16LE text")
    #expect(kind([0xFF, 0xFE, 0x00, 0x00, 0x41, 0, 0, 0]) == "UTF-32 text")
    // An occasional NUL is accepted: the tokenizer removes it.
    #expect(try texts(corpus(Array("the qu\u{0}ick brown fox jumped".utf8))) == [ids("the quick brown fox jumped")])
  }

  @Test func missingEmptyAndBlankFiles() throws {
    #expect(throws: FileError.self) {
      try TextCorpus(paths: [folder.path + "/none"], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16))
    }
    #expect(throws: FileError.isDirectory(path: folder.path)) {
      try TextCorpus(paths: [folder.path], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16))
    }
    let empty = try folder.write("empty", "")
    let blank = try folder.write("blank", " \n\t\n")
    #expect(throws: PreprocessorError.emptyCorpus(file: empty, blankLines: 0)) {
      try TextCorpus(paths: [empty], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16))
    }
    #expect(throws: PreprocessorError.emptyCorpus(file: blank, blankLines: 2)) {
      try TextCorpus(paths: [blank], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16))
    }
    #expect(throws: PreprocessorError.noFiles) {
      try TextCorpus(paths: [], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16))
    }
    #expect(throws: PreprocessorError.standardInputTwice) {
      try TextCorpus(paths: ["-", "-"], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16))
    }
    #expect(throws: PreprocessorError.sequenceTooShort(length: 2, needed: 3)) { try corpus("a", length: 2) }
    #expect(throws: PreprocessorError.noSuchSample(index: 1, count: 1)) { try corpus("a").sample(1, epoch: 0) }
    // An empty file next to another is harmless.
    let some = try folder.write("some", "fox")
    let several = try TextCorpus(
      paths: [empty, some, blank], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16))
    #expect(several.count == 1 && several.location(of: 0) == DataLocation(file: some, line: 1))
  }

  @Test func pipesAreSpooledAndLeaveNothingBehind() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let (reading, writing) = (ends[0], ends[1])
    let text = String(repeating: "the quick brown fox\n", count: 20_000)
    let writer = Thread {
      let file = FileHandle(fileDescriptor: writing, closeOnDealloc: true)
      try? file.write(contentsOf: Data(text.utf8))
      try? file.close()
    }
    writer.start()
    let spool = folder.path + "/spool"
    try FileManager.default.createDirectory(atPath: spool, withIntermediateDirectories: true)
    let corpus = try TextCorpus(
      paths: ["-"], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16, temporaryDirectory: spool),
      standardInput: reading)
    close(reading)
    #expect(corpus.count == 20_000)
    #expect(try corpus.sample(19_999, epoch: 1).text == ids("the quick brown fox"))
    #expect(corpus.location(of: 19_999) == DataLocation(file: "standard input", line: 20_000))
    #expect(try FileManager.default.contentsOfDirectory(atPath: spool).isEmpty)
    guard
      case .spoolFailed(let source, _, _)? = error({
        _ = try TextCorpus(
          paths: ["-"], tokenizer: tokenizer, options: CorpusOptions(sequenceLength: 16, temporaryDirectory: spool),
          standardInput: -1)
      })
    else {
      Issue.record("a closed standard input")
      return
    }
    #expect(source == "standard input")
  }

  @Test func masksDependOnNeitherOrderNorThreads() throws {
    let text = (0..<300).map { "the quick brown fox jumped \($0) times, and the fox \($0 * 7)\n" }.joined()
    let corpus = try corpus(text, length: 12, masking: MaskingOptions(seed: 3))
    let forward = try (0..<corpus.count).map { try corpus.sample($0, epoch: 2) }
    let backward = try (0..<corpus.count).reversed().map { try corpus.sample($0, epoch: 2) }
    #expect(forward == backward.reversed())
    let mistakes = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 8) { worker in
      for index in 0..<corpus.count {
        let index = (index * 7 + worker * 131) % corpus.count
        if (try? corpus.sample(index, epoch: 2)) != forward[index] { mistakes.add(1, ordering: .relaxed) }
      }
    }
    #expect(mistakes.load(ordering: .relaxed) == 0)
    #expect(try (0..<corpus.count).map { try corpus.sample($0, epoch: 3) } != forward)
    #expect(try (0..<corpus.count).map { try corpus.sample($0, epoch: 3).text } == forward.map(\.text))
  }

  @Test func wholeWordsAreMaskedWhole() throws {
    let corpus = try corpus(
      "the zzz-fox don't brown\n", length: 32,
      masking: MaskingOptions(selectionRate: 0.5, maskTokenRate: 1, randomTokenRate: 0, wholeWords: true))
    // the | z ##z ##z - fox | d ##o ##n ' t | brown
    let words: [Set<Int32>] = [[1], [2, 3, 4, 5, 6], [7, 8, 9, 10, 11], [12]]
    for epoch in 0..<60 {
      let sample = try corpus.sample(0, epoch: epoch)
      let positions = Set(sample.maskPositions)
      let chosen = words.filter { !$0.isDisjoint(with: positions) }
      #expect(chosen.count == 2 && chosen.allSatisfy { $0.isSubset(of: positions) })
      #expect(sample.maskPositions.allSatisfy { sample.tokenIDs[Int($0)] == 4 })
    }
  }

  func baseIndices(
    _ parts: (train: any SampleSource, validation: any SampleSource)
  ) throws -> (train: [Int], validation: [Int]) {
    func baseIndices(_ part: any SampleSource) throws -> [Int] {
      let subset = try #require(part as? CorpusSubset)
      return try (0..<subset.count).map { try subset.place(of: $0) }
    }
    return (try baseIndices(parts.train), try baseIndices(parts.validation))
  }

  @Test func splitByLine() throws {
    let long = String(repeating: "the quick ", count: 30)
    let text = (0..<100).map { $0 % 10 == 0 ? "\($0) \(long)\n" : "fox \($0)\n" }.joined()
    let corpus = try corpus(text, length: 12)
    let (train, validation) = try baseIndices(corpus.split(validation: 0.2, seed: 5))
    #expect((train + validation).sorted() == Array(0..<corpus.count))
    #expect(train == train.sorted() && validation == validation.sorted())
    func lines(_ part: [Int]) -> Set<Int> { Set(part.compactMap { corpus.location(of: $0).line }) }
    #expect(lines(validation).count == 20 && lines(train).count == 80)
    #expect(lines(validation).isDisjoint(with: lines(train)))
    #expect(try baseIndices(corpus.split(validation: 0.2, seed: 5)) == (train, validation))
    #expect(try baseIndices(corpus.split(validation: 0.2, seed: 6)).validation != validation)
    // Each sample keeps its index, and its masks.
    let part = try corpus.split(validation: 0.2, seed: 5).validation
    for (index, baseIndex) in validation.enumerated() {
      #expect(try part.sample(index, epoch: 1) == corpus.sample(baseIndex, epoch: 1))
    }
    #expect(throws: PreprocessorError.fractionOutOfRange(1)) { try corpus.split(validation: 1, seed: 0) }
    #expect(throws: PreprocessorError.tooFewLinesToSplit(lines: 1)) {
      try self.corpus(long, length: 12).split(validation: 0.5, seed: 0)
    }
    let two = try self.corpus("a\nb\n").split(validation: 0.001, seed: 0)
    #expect(two.train.count == 1 && two.validation.count == 1)
  }
}
