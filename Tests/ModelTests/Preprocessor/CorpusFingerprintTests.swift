import Testing

@testable import Model

@Suite struct CorpusFingerprintTests {
  private func text(_ text: String, threads: Int = 1) throws -> CorpusFingerprint {
    let folder = try TemporaryFolder()
    let path = try folder.write("text.txt", text)
    let corpus = try TextCorpus(paths: [path], tokenizer: SmallTokenizer.english(), sequenceLength: 16)
    return try CorpusFingerprint(corpus, threads: threads)
  }

  @Test func ofText() throws {
    let lines = "the cat\n\nthe dog\n"
    let fingerprint = try text(lines)
    #expect(fingerprint.samples == 2 && fingerprint.bytes == 17)
    #expect(try text(lines) == fingerprint)
    #expect(try text("the cat\n\nthe fog\n").hash != fingerprint.hash)
    #expect(try text("the cat\nthe dog\n") != fingerprint)
  }

  /// Of more than one block, by any number of threads.
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

  /// The parts of a split are told from each other by their counts, and their whole by its content.
  @Test func ofParts() throws {
    let samples = (0..<10).map { Sample(tokenIDs: [2, Int32($0), 3], maskPositions: [1], labels: [7]) }
    let whole = SampleList(samples)
    let places = IntegerList(temporaryDirectory: "/tmp")
    for place in [1, 4] as [UInt64] { try places.append(place) }
    let part = CorpusSubset(of: whole, places: places)
    let fingerprint = try CorpusFingerprint(part)
    #expect(fingerprint.samples == 2)
    #expect(try fingerprint.hash == CorpusFingerprint(whole).hash)
  }

  @Test func largeFilesAreSampled() {
    let small = FileBlocks(count: 5 << 20)
    #expect(small.indices == [0, 1, 2, 3, 4])
    let large = FileBlocks(count: 3 << 30 | 1).indices
    #expect(large.count == 1024 && large.first == 0 && large.last == 3072 && large == large.sorted())
    #expect(Set(large).count == 1024 && FileBlocks(count: 0).indices.isEmpty)
  }
}
