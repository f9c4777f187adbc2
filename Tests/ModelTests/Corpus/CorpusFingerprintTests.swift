import TestSupport
import Testing

@testable import Files
@testable import Model

@Suite struct CorpusFingerprintTests {
  private func text(_ text: String, threads: Int = 1) throws -> CorpusFingerprint {
    let folder = try TemporaryFolder()
    let path = try folder.write("text.txt", text)
    let corpus = try TextCorpus(
      paths: [path], tokenizer: SmallTokenizer.english(), options: CorpusOptions(sequenceLength: 16, threads: threads))
    return try CorpusFingerprint(corpus)
  }

  @Test func ofText() throws {
    let lines = "the cat\n\nthe dog\n"
    let fingerprint = try text(lines)
    #expect(fingerprint.samples == 2 && fingerprint.bytes == 17)
    #expect(try text(lines) == fingerprint)
    #expect(try text("the cat\n\nthe fog\n").hash != fingerprint.hash)
    #expect(try text("the cat\nthe dog\n") != fingerprint)
  }

  /// A file of more than one block, with any number of threads.
  @Test func blocks() throws {
    let lines = String(repeating: "the cat sat on the mat\n", count: 200_000)
    let fingerprint = try text(lines)
    #expect(try text(lines, threads: 3) == fingerprint)
    var other = Array(lines.utf8)
    other[3_000_000] = UInt8(ascii: "x")
    #expect(try text(String(decoding: other, as: UTF8.self)).hash != fingerprint.hash)
  }

  @Test func ofSamples() throws {
    func fingerprint(_ samples: [Sample]) throws -> CorpusFingerprint { try CorpusFingerprint(SampleList(samples)) }
    let sample = Sample(tokenIDs: [2, 5, 3], maskPositions: [1], labels: [7])
    let one = try fingerprint([sample, sample])
    #expect(try fingerprint([sample, sample]) == one)
    for change in [\Sample.labels, \.tokenIDs, \.positionIDs] {
      var other = sample
      other[keyPath: change][0] += 1
      #expect(try fingerprint([sample, other]).hash != one.hash)
    }
    var heavier = sample
    heavier.weights = [0.5]
    #expect(try fingerprint([sample, heavier]).hash != one.hash)
    #expect(try fingerprint([sample]) != one)
  }

  /// The parts of a split differ in their counts; the whole is identified by its content.
  @Test func ofParts() throws {
    let samples = (0..<10).map { Sample(tokenIDs: [2, Int32($0), 3], maskPositions: [1], labels: [7]) }
    let whole = SampleList(samples)
    let indices = SpillableArray(temporaryDirectory: "/tmp")
    for index in [1, 4] as [UInt64] { try indices.append(index) }
    let part = CorpusSubset(of: whole, baseIndices: indices)
    let fingerprint = try CorpusFingerprint(part)
    #expect(fingerprint.samples == 2)
    #expect(try fingerprint.hash == CorpusFingerprint(whole).hash)
  }

  /// Every block of a file is hashed once, whatever the size of the file and the split into lines.
  @Test(arguments: [0, 1, 5 << 20, 3 << 30 | 1]) func everyBlockIsHashed(_ bytes: Int) {
    let all = BlockHash.blocks(beginningIn: 0..<bytes)
    #expect(all == 0..<(bytes + BlockHash.blockSize - 1) / BlockHash.blockSize)
    for part in [1 << 20, (1 << 20) + 17, 700_000, 5_000_001] {
      let parts = stride(from: 0, to: bytes, by: part).flatMap {
        BlockHash.blocks(beginningIn: $0..<min($0 + part, bytes))
      }
      #expect(parts == Array(all))
    }
  }

  /// A change of one byte is detected at any offset, in text, in a packed part of it, and in preprocessed samples.
  @Test func everyByteCounts() throws {
    let folder = try TemporaryFolder()
    func fingerprints(_ text: [UInt8], _ samples: [UInt8]) throws -> [UInt64] {
      let paths = (try folder.write("text.txt", text), try folder.write("samples.jsonl", samples))
      let packed = try TextCorpus(
        paths: [paths.0], tokenizer: SmallTokenizer.english(),
        options: CorpusOptions(sequenceLength: 64, layout: .packed, threads: 2))
      let part = try packed.split(validation: 0.1, seed: 1).train
      let preprocessed = try PreprocessedCorpus(paths: [paths.1], vocabularySize: 100, maximumLength: 16)
      return try [packed, part, preprocessed].map { try CorpusFingerprint($0).hash }
    }
    var text = Array(String(repeating: "the cat sat on the mat\n", count: 100_000).utf8)
    let line =
      #"{"token_ids":[2,5,4,7,3],"mask_positions":[2],"labels":[6],"x":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"# + "\n"
    var samples = Array(String(repeating: line, count: 25_000).utf8)
    let before = try fingerprints(text, samples)
    #expect(before[0] == before[1])
    for fraction in [0.0, 0.3, 0.5, 0.7, 1.0] {
      // An "a" or a "t" in a word, and an "a" in an ignored key.
      let (i, j) = (Int(fraction * 99_999) * 23 + 5, Int(fraction * 24_999) * line.utf8.count + line.utf8.count - 10)
      (text[i], samples[j]) = (UInt8(ascii: "x"), UInt8(ascii: "b"))
      let after = try fingerprints(text, samples)
      #expect(zip(before, after).allSatisfy { $0 != $1 }, "\(fraction)")
      (text[i], samples[j]) = (UInt8(ascii: "a"), UInt8(ascii: "a"))
      #expect(try fingerprints(text, samples) == before)
    }
  }
}
