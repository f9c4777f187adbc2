import TestSupport
import Testing

@testable import Files
@testable import Model

@Suite struct PreprocessedCorpusTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func corpus(_ text: String, needsLabels: Bool = true) throws -> PreprocessedCorpus {
    let path = try folder.write("samples.jsonl", text)
    return try PreprocessedCorpus(paths: [path], vocabularySize: 16, maximumLength: 8, needsLabels: needsLabels)
  }

  @Test func reads() throws {
    let corpus = try corpus(
      """
      \u{FEFF}{"token_ids":[2,5,4,3,0,0],"padding_mask":[1,1,1,1,0,0],"mask_positions":[2,0],"labels":[9,0],"sample_weight":[1.0,0.0]}

      {"token_ids": [2, 4, 3], "mask_positions": [1], "labels": [7], "other": {"a": [1, {}]}}\r
      {"token_ids":[0,2,0,4,3],"padding_mask":[false,true,false,true,true],"mask_positions":[3],"mask_ids":[5],"mask_weights":[0.5]}
      {"token_ids":[0,2,3],"padding_mask":[0,1,1],"mask_positions":[],"labels":[]}
      {"input_ids":[2,4,6,3],"attention_mask":[1,1,1,1],"labels":[-100,8,-100,-100]}
      {"token_ids":[2,3],"mask_positions":[],"labels":null,"sample_weight":null}
      """)
    #expect(corpus.count == 6)
    let samples = try (0..<6).map { try corpus.sample($0, epoch: $0) }
    #expect(samples[0] == Sample(tokenIDs: [2, 5, 4, 3], maskPositions: [2], labels: [9], slots: 2))
    #expect(samples[1] == Sample(tokenIDs: [2, 4, 3], maskPositions: [1], labels: [7]))
    #expect(
      samples[2]
        == Sample(tokenIDs: [2, 4, 3], positionIDs: [1, 3, 4], maskPositions: [1], labels: [5], weights: [0.5]))
    #expect(samples[3] == Sample(tokenIDs: [2, 3], positionIDs: [1, 2]))
    #expect(samples[4] == Sample(tokenIDs: [2, 4, 6, 3], maskPositions: [1], labels: [8]))
    #expect(samples[5] == Sample(tokenIDs: [2, 3]))
    #expect((0..<6).map { corpus.location(of: $0).line } == [1, 3, 4, 5, 6, 7])
    #expect(throws: PreprocessorError.noSuchSample(index: 6, count: 6)) { try corpus.sample(6, epoch: 0) }
    let (train, validation) = try corpus.split(validation: 0.5, seed: 1)
    #expect(train.count == 3)
    let indices = try (0..<3).map { try train.place(of: $0) } + (0..<3).map { try validation.place(of: $0) }
    #expect(indices.sorted() == Array(0..<6))
  }

  @Test func severalFiles() throws {
    let line = #"{"token_ids":[2,3],"mask_positions":[]}"#
    let a = try folder.write("a", "\(line)\n\(line)\n")
    let b = try folder.write("b", "\n\(line)")
    let corpus = try PreprocessedCorpus(paths: [a, b], vocabularySize: 16, maximumLength: 8)
    #expect(
      (0..<3).map { corpus.location(of: $0) } == [(a, 1), (a, 2), (b, 2)].map { DataLocation(file: $0, line: $1) })
  }

  /// Each kind of invalid data, in line 2, is rejected with file and line before any sample is returned.
  @Test(arguments: [
    (#"{"token_ids":[2,16],"mask_positions":[],"labels":[]}"#, "token_ids[1] is 16, outside the vocabulary of 16"),
    (#"{"token_ids":[2,-1],"mask_positions":[],"labels":[]}"#, "token_ids[1] is -1, outside the vocabulary of 16"),
    (#"{"token_ids":[2,99999999999],"mask_positions":[]}"#, "outside the vocabulary"),
    (#"{"token_ids":[2,3],"padding_mask":[1],"mask_positions":[]}"#, "padding_mask has 1 entries, but token_ids has 2"),
    (#"{"token_ids":[2,3],"mask_positions":[1],"labels":[1,2]}"#, "labels has 2 entries, but mask_positions has 1"),
    (#"{"token_ids":[2,3],"mask_positions":[1],"labels":[1],"sample_weight":[]}"#, "sample_weight has 0 entries"),
    (
      #"{"token_ids":[2,3],"mask_positions":[2],"labels":[1]}"#,
      "mask_positions[0] is 2, outside the sample of 2 tokens"
    ),
    (#"{"token_ids":[2,3],"padding_mask":[1,0],"mask_positions":[1],"labels":[1]}"#, "which is padding"),
    (#"{"token_ids":[2,3],"mask_positions":[1],"labels":[16]}"#, "labels[0] is 16, outside the vocabulary"),
    (#"{"token_ids":[2,3],"mask_positions":[1]}"#, "no labels"),
    (#"{"token_ids":[1,1,1,1,1,1,1,1,1],"mask_positions":[]}"#, "9 tokens, but the model has 8 positions"),
    (#"{"token_ids":[],"mask_positions":[]}"#, "no tokens other than padding"),
    (#"{"token_ids":[2,3.5],"mask_positions":[]}"#, "not a whole number"),
    (#"{"token_ids":[2,"x"],"mask_positions":[]}"#, "expected a number"),
    (#"{"token_ids":"the fox","mask_positions":[]}"#, "'token_ids' is not an array of numbers"),
    (#"{"token_ids":[2,3],"mask_positions":[1],"labels":[1],"sample_weight":[-1]}"#, "sample_weight[0] is -1.0"),
    (#"{"token_ids":[2,3],"mask_positions":[1],"labels":[1],"sample_weight":[1e99]}"#, "sample_weight[0] is inf"),
    (#"{"token_ids":[2,3],"token_ids":[2,3],"mask_positions":[]}"#, "token_ids"),
    (#"{"token_ids":[2,3]}"#, "missing key 'mask_positions'"),
    (#"{"mask_positions":[]}"#, "missing key 'token_ids'"),
    (#"{"token_ids":[2,3],"mask_positions":[]"#, "the text ends"),
    (#"{"token_ids":[2,3],"mask_positions":[]} x"#, "unexpected text after the value"),
    ("[2,3]", "expected a JSON object"), ("The quick brown fox.", "expected a value"),
  ])
  func refuses(line: String, message: String) {
    let good = #"{"token_ids":[2,3],"mask_positions":[]}"#
    do {
      _ = try corpus("\(good)\n\(line)\n\(good)\n")
      Issue.record("accepted: \(line)")
    } catch let error as any ModelError {
      #expect(error.message.contains(message), "\(error)")
      #expect(error.location?.line == 2 && error.location?.file.hasSuffix("samples.jsonl") == true, "\(error)")
    } catch { Issue.record("\(error)") }
  }

  @Test func labelsAreNotNeededInPrediction() throws {
    let corpus = try corpus(#"{"token_ids":[2,4,3],"mask_positions":[1]}"#, needsLabels: false)
    #expect(try corpus.sample(0, epoch: 0).labels.isEmpty)
    #expect(try corpus.sample(0, epoch: 0).maskPositions == [1])
  }

  @Test func emptyFiles() throws {
    let path = try folder.write("samples.jsonl", "")
    #expect(throws: PreprocessorError.emptyCorpus(file: path, blankLines: 0)) { try corpus("") }
    #expect(throws: PreprocessorError.emptyCorpus(file: path, blankLines: 2)) { try corpus("\n \n") }
    #expect(throws: FileError.self) {
      try PreprocessedCorpus(paths: [folder.path + "/none"], vocabularySize: 16, maximumLength: 8)
    }
  }
}
