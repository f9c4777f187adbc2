import Foundation
import Testing

/// Tests model directories with parts that are missing, broken or from different models: every command refuses them in
/// one line.
@Suite struct BadModelTests {
  /// Checks that predict, evaluate and fit with the model fail with this error and write nothing.
  private func expectRefused(
    _ tool: Tool, _ error: String, hint: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try tool.write("some text to read\n", to: "text.txt")
    for arguments in [["predict", "a [MASK]"], ["evaluate", "text.txt"], ["fit", "text.txt", "--output", "out"]] {
      try tool.expectError(arguments + ["--preset", "model"], error, hint: hint, sourceLocation: sourceLocation)
    }
  }

  // MARK: Weights

  private func weights(_ bytes: some Sequence<UInt8>) throws -> Tool {
    let tool = try Tool()
    try tool.copyMicro()
    try tool.write(bytes, to: "model/model.safetensors")
    return tool
  }

  private static let good = FileManager.default.contents(atPath: Tool.micro + "/model.safetensors") ?? Data()

  @Test(arguments: [
    (1000, "truncated in the header: have 1000 of 6320 bytes"),
    (100_000, "truncated: have 100000 of 153520 bytes"), (153_519, "truncated: have 153519 of 153520 bytes"),
    (7, "too short for a safetensors file (7 bytes)"), (0, "too short for a safetensors file (0 bytes)"),
  ])
  func truncatedWeights(_ length: Int, _ error: String) throws {
    let tool = try weights(Self.good.prefix(length))
    try expectRefused(tool, "model/model.safetensors: \(error)", hint: "download the file again")
  }

  @Test func notWeights() throws {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:5e3f\nsize 267954768\n"
    try expectRefused(
      weights(pointer.utf8),
      "model/model.safetensors: this is a Git LFS pointer, not the file itself (oid sha256:5e3f, size 267954768)",
      hint: "git lfs pull")
    try expectRefused(
      weights("<!DOCTYPE html><html><body>404: Not Found</body></html>".utf8),
      "model/model.safetensors: this is a saved web page, not a safetensors file", hint: "download the file again")
  }

  /// Files of another kind in place of each file of the model.
  @Test(
    arguments: [
      (
        Array("version https://git-lfs.github.com/spec/v1\noid sha256:5e3f\nsize 48\n".utf8), "Git LFS pointer",
        "git lfs pull"
      ),
      ([0xFF, 0xFE, 0x7B, 0x00], "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
      ([0xFE, 0xFF, 0x00, 0x7B], "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
      ([0x7B, 0x00, 0x22, 0x00], "UTF-16LE text", "iconv -f UTF-16LE -t UTF-8"),
      ([0x00, 0x5B, 0x00, 0x50], "UTF-16BE text", "iconv -f UTF-16BE -t UTF-8"),
      ([0xFF, 0xFE, 0x00, 0x00], "UTF-32 text", "iconv -f UTF-32 -t UTF-8"),
      (Array("<!DOCTYPE html>\n".utf8), "saved web page", "download the file again"),
      ([0xEF, 0xBB, 0xBF] + Array("{}".utf8), "byte-order mark", "remove the mark"),
    ] as [([UInt8], String, String)])
  func filesOfAnotherKind(_ bytes: [UInt8], _ what: String, _ hint: String) throws {
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"] {
      // A marked vocab.txt is read.
      if name == "vocab.txt", what == "byte-order mark" { continue }
      let tool = try Tool()
      try tool.copyMicro()
      try tool.write(bytes, to: "model/\(name)")
      let result = try tool.run("predict", "--preset", "model", "a [MASK]")
      #expect(result.status == 1 && result.errors.count == 1 && result.output.isEmpty, "\(name): \(result.messages)")
      #expect(result.errors.first?.contains("model/\(name)") == true, "\(name): \(result.messages)")
      #expect(result.errors.first?.contains("this is ") == true && result.errors.first?.contains(what) == true)
      #expect(result.messageLines.last?.hasPrefix("hint: ") == true && result.messageLines.last?.contains(hint) == true)
    }
  }

  @Test func hostileHeaders() throws {
    try expectRefused(
      weights([UInt8](repeating: 0xFF, count: 8) + Array("{}".utf8)),
      "model/model.safetensors: damaged, or not a safetensors file: the header length is 18446744073709551615 bytes")
    // One error each, with any text: no trap, no endless loop, no allocation of a size in the header.
    let headers = [
      "", "{", "[]", "{}", #"{"a":1}"#, #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
      #"{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,4]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}}"#,
      #"{"a":{"dtype":"Q9","shape":[1],"data_offsets":[0,4]}}"#,
      String(repeating: "[", count: 100_000), #"{"__metadata__":{"format":3}}"#,
    ]
    let tool = try Tool()
    try tool.copyMicro()
    for header in headers {
      let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
      try tool.write(length + Array(header.utf8) + [0, 0, 0, 0], to: "model/model.safetensors")
      let result = try tool.run("predict", "--preset", "model", "a [MASK]")
      #expect(
        result.status == 1 && result.errors.count == 1 && result.output.isEmpty, "\(header.prefix(99)): \(result)")
      #expect(
        result.errors.first?.hasPrefix("model/model.safetensors") == true, "\(header.prefix(99)): \(result.messages)")
    }
  }

  @Test func absentWeights() throws {
    let tool = try Tool()
    try tool.copyMicro()
    try tool.remove("model/model.safetensors")
    try expectRefused(
      tool, "model has no weights: neither model.safetensors nor model.safetensors.index.json",
      hint: "--no-load-weights")
    try tool.write("x", to: "model/pytorch_model.bin")
    try expectRefused(tool, "model has no model.safetensors, only pytorch_model.bin", hint: "convert it to safetensors")
    // Architecture and vocabulary can still be loaded.
    try tool.succeed(["predict", "--preset", "model", "--no-load-weights", "a [MASK]"])
    try tool.remove("model/pytorch_model.bin")
    try tool.write("x", to: "model/model.safetensors/file")
    try expectRefused(tool, "model/model.safetensors is a directory, not a file")
  }

  @Test func missingTensor() throws {
    // An unknown name of the same length.
    let name = "distilbert.transformer.layer.1.ffn.lin1.weight"
    var bytes = Self.good
    let range = try #require(bytes.range(of: Data(name.utf8)))
    bytes.replaceSubrange(range, with: Data(name.replacingOccurrences(of: "lin1", with: "linx").utf8))
    let result = try weights(bytes).run("predict", "--preset", "model", "a [MASK]")
    #expect(result.errors.count == 1 && result.errors.first?.contains("'\(name)'") == true, "\(result.messages)")
    #expect(result.status == 1 && result.output.isEmpty)
  }

  @Test func weightsThatAreNoNumbers() throws {
    // The last values of the file belong to some tensor; all become NaN.
    var bytes = Self.good
    let nan: [UInt8] = [0, 0, 0xC0, 0x7F]
    bytes.replaceSubrange(bytes.count - 4096..<bytes.count, with: (0..<1024).flatMap { _ in nan })
    let tool = try weights(bytes)
    try tool.write("some text to read\nand to write\n", to: "text.txt")
    let predicted = try tool.run("predict", "--preset", "model", "--format", "json", "a [MASK]")
    #expect(predicted.status == 1 && predicted.errors.count == 1 && !predicted.output.contains("nan"), "\(predicted)")
    #expect(predicted.output.hasPrefix(#"{"line":1,"error":"#))
    let joint = try tool.run("predict", "--preset", "model", "--joint", "--format", "json", "a [MASK] [MASK]")
    #expect(joint.status == 1 && joint.output == predicted.output, "\(joint)")
    let evaluated = try tool.run("evaluate", "--preset", "model", "text.txt")
    #expect(evaluated.status == 1 && evaluated.errors.count == 1 && evaluated.output.isEmpty, "\(evaluated)")
    // There is no valid state to keep.
    let before = tool.contents
    let trained = try tool.run("fit", "--preset", "model", "--output", "out", "text.txt")
    #expect(trained.status == 1 && trained.errors.count == 1 && tool.contents == before, "\(trained.messages)")
  }

  // MARK: Configuration

  @Test func absentConfiguration() throws {
    let tool = try Tool()
    try tool.copyMicro()
    try tool.remove("model/config.json")
    try expectRefused(tool, "model is not a model directory: it has no config.json", hint: "model_type")
  }

  @Test(arguments: [
    ("\"dim\": 32", "\"dim\": 33", "model/config.json: dim 33 is not divisible by 4 heads"),
    (
      "\"vocab_size\": 256", "\"vocab_size\": 25600000000",
      "model/config.json: 'vocab_size' is 25600000000, expected a whole number from 1 to 16777216"
    ),
    (
      "\"n_layers\": 3", "\"n_layers\": 1000000000",
      "model/config.json: 'n_layers' is 1000000000, expected a whole number from 1 to 1024"
    ),
    ("\"n_heads\": 4", "\"n_heads\": 0", "model/config.json: 'n_heads' is 0, expected a whole number from 1 to 65536"),
    (
      "\"model_type\": \"distilbert\"", "\"model_type\": \"bert\"",
      "model/config.json: model_type is 'bert', expected 'distilbert'"
    ),
    (
      "\"dim\": 32", "\"dim\": 64",
      "model/model.safetensors: tensor 'distilbert.embeddings.word_embeddings.weight' has shape [256, 32], expected [256, 64]"
    ),
    (
      "\"vocab_size\": 256", "\"vocab_size\": 300",
      "model/model.safetensors: tensor 'distilbert.embeddings.word_embeddings.weight' has shape [256, 32], expected [300, 32]"
    ),
    (
      "\"n_layers\": 3", "\"n_layers\": 4",
      "model/model.safetensors: missing 16 tensors of the encoder, the first is 'distilbert.transformer.layer.3.attention.q_lin.weight'"
    ),
  ])
  func configuration(_ old: String, _ new: String, _ error: String) throws {
    let tool = try Tool()
    try tool.copyMicro()
    try tool.replace(old, by: new, in: "model/config.json")
    try expectRefused(tool, error)
  }

  @Test func configurationIsNoJSON() throws {
    let tool = try Tool()
    try tool.copyMicro()
    for text in ["", "{", "{]", "[1]", "\"x\"", "{\"dim\":1,\"dim\":2}", String(repeating: "[", count: 200_000)] {
      try tool.write(text, to: "model/config.json")
      let result = try tool.run("predict", "--preset", "model", "a [MASK]")
      #expect(result.status == 1 && result.errors.count == 1 && result.output.isEmpty, "\(text.prefix(20)): \(result)")
      #expect(result.errors.first?.contains("model/config.json") == true, "\(text.prefix(20)): \(result.messages)")
    }
  }

  // MARK: Vocabulary

  @Test func vocabularyOfAnotherModel() throws {
    let tool = try Tool()
    try tool.copyMicro()
    let pieces = String(decoding: try tool.read("model/vocab.txt"), as: UTF8.self)
    try tool.write(pieces + "onemore\n", to: "model/vocab.txt")
    try expectRefused(
      tool, "the vocabulary of 'model' has 257 word pieces, but its config.json says vocab_size 256",
      hint: "of one model")
  }

  /// Some models are padded to round numbers of rows. Rows without a piece are never predicted, and a note names them.
  @Test func vocabularySmallerThanTheModel() throws {
    let tool = try Tool()
    try tool.copyMicro()
    let pieces = String(decoding: try tool.read("model/vocab.txt"), as: UTF8.self).split(separator: "\n")
    try tool.write(pieces.prefix(100).joined(separator: "\n") + "\n", to: "model/vocab.txt")
    let result = try tool.succeed(["predict", "--preset", "model", "--format", "tsv", "--top-k", "256", "a [MASK]"])
    #expect(result.lines.count == 100)
    #expect(result.lines.allSatisfy { !$0.hasSuffix("\t") })
    #expect(result.messages.contains("100 word pieces"), "\(result.messages)")
  }

  @Test func brokenVocabulary() throws {
    let tool = try Tool()
    try tool.copyMicro()
    let pieces = String(decoding: try tool.read("model/vocab.txt"), as: UTF8.self).split(separator: "\n").map(
      String.init)
    try tool.write("", to: "model/vocab.txt")
    try expectRefused(tool, "the vocabulary is empty [model/vocab.txt]", hint: "one word piece per line")
    try tool.write(pieces.filter { $0 != "[MASK]" }.joined(separator: "\n"), to: "model/vocab.txt")
    try expectRefused(
      tool, "the vocabulary has no mask token '[MASK]' [model/vocab.txt]", hint: "tokenizer_config.json")
    // The later id of a duplicate piece counts, with one note.
    try tool.write((pieces.prefix(200) + ["a"]).joined(separator: "\n"), to: "model/vocab.txt")
    let twice = try tool.succeed(["tokenize", "--preset", "model", "--format", "ids", "a"])
    #expect(twice.lines == ["200"] && twice.messageLines.count == 1)
    #expect(twice.messages.contains("model/vocab.txt: read as in transformers: 1 duplicate piece"))
    try tool.write(Array("[PAD]\n[UNK]\n".utf8) + [0xFF, 0xFE, 0x0A], to: "model/vocab.txt")
    try expectRefused(tool, "the vocabulary is not UTF-8 text [model/vocab.txt:3]")
    try tool.remove("model/vocab.txt")
    try expectRefused(tool, "model has neither tokenizer.json nor vocab.txt", hint: "vocab.txt")
  }

  /// A log must not replace the model or an input of the training.
  @Test func aLogIsNoFileOfAModel() throws {
    let tool = try Tool()
    try tool.copyMicro()
    try tool.write(Data("the quick fox\n".utf8), to: "text.txt")
    for file in ["model/model.safetensors", "model/vocab.txt", "model/config.json"] {
      let before = tool.contents
      let result = try tool.run(["fit", "text.txt", "--preset", "model", "--max-steps", "1", "--log", file])
      #expect(result.status == 2 && result.errors.first?.contains("--log \(file)") == true, "\(result.messages)")
      #expect(tool.contents == before)
    }
  }

  // MARK: Names

  @Test func unknownPreset() throws {
    let tool = try Tool()
    try tool.write("text\n", to: "text.txt")
    for arguments in [["predict", "a [MASK]"], ["evaluate", "text.txt"], ["fit", "text.txt"], ["tokenize", "a"]] {
      try tool.expectError(
        arguments + ["--preset", "distil_bert_base_eng"],
        "unknown preset 'distil_bert_base_eng': not a directory, and not in presets.json",
        hint: "did you mean 'distil_bert_base_en'?")
      try tool.expectError(arguments + ["--preset", "text.txt"], "text.txt is not a directory")
      let absent = try tool.run(
        arguments + ["--preset", "distil_bert_base_en"], environment: ["HF_HOME": tool.path("hub")])
      #expect(absent.status == 1 && absent.errors.count == 1 && absent.output.isEmpty)
      #expect(absent.errors.first?.hasPrefix("distilbert/distilbert-base-cased at revision") == true)
      #expect(absent.errors.first?.contains("is not in the hub cache, and the network is disabled") == true)
      #expect(absent.messageLines.last?.contains("--offline") == true)
    }
  }
}
