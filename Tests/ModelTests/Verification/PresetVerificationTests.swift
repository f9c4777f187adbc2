import Foundation
import TestSupport
import Testing

@testable import Hub
@testable import Model

/// Verification from a registry entry and a cache to `ok`. The published figures come from the reference data.
@Suite struct PresetVerificationTests {
  let folder: TemporaryFolder
  let cache: FakeCache
  let hub: Hub

  init() throws {
    folder = try TemporaryFolder()
    cache = FakeCache(path: folder.path)
    hub = Hub(HubEnvironment(["HF_HUB_CACHE": folder.path]), isOffline: true)
  }

  private func registry(_ entry: [String: Any]) throws -> PresetRegistry {
    let data = try JSONSerialization.data(withJSONObject: ["presets": [entry]])
    return try PresetRegistry.load(adding: folder.write("own.json", Array(data)))
  }

  private func verify(
    _ name: String, _ registry: PresetRegistry
  ) throws -> (verdict: PresetVerdict, checks: [PresetCheck]) {
    var checks: [PresetCheck] = []
    let verification = PresetVerification(registry, hub: hub, threads: 2)
    let verdict = try verification.run(verification.locate(name)) { checks.append($0) }
    return (verdict, checks)
  }

  /// Returns an entry with the hashes of all files.
  private func entry(_ repository: String, _ files: [String: Data], published: [[String: Any]]) -> [String: Any] {
    [
      "name": "mine", "repository": repository, "revision": FakeCache.commit,
      "files": files.map { ["name": $0, "size": $1.count, "sha256": Hash.sha256(Array($1))] as [String: Any] },
      "published": published,
    ]
  }

  /// Returns hidden states of a batch with gaps in its padding mask, and probabilities of a mask.
  private func microFigures() throws -> [[String: Any]] {
    let file = try Safetensors(path: try #require(Reference.url("forward/micro_3.safetensors")).path)
    let ids = try #require(file["input_ids"]), mask = try #require(file["attention_mask"]?.integers())
    let hidden = try #require(file["hidden_states.3"]).floats()
    let length = ids.shape[1]
    let tokens = Array(try #require(ids.integers())[..<length]), padding = Array(mask[..<length])
    #expect(padding.contains(0))
    let hole = try #require(padding.firstIndex(of: 0)), real = hole + 1
    let values = (0..<4).map { Double(hidden[real * 32 + 3 + $0]) }
    let positions = try #require(file["mask_positions"]?.integers()).prefix(3)
    let slot = try #require(positions.firstIndex { padding[$0] == 1 })
    let position = positions[slot]
    let logits = try #require(file["masked_logits_head_eps_1e-12"]).floats()[slot * 256..<(slot + 1) * 256]
      .map(Double.init)
    let sum = logits.reduce(0) { $0 + exp($1) }
    let best = logits.indices.sorted { logits[$0] > logits[$1] }.prefix(3)
    return [
      [
        "token_ids": tokens, "padding_mask": padding, "tolerance": 2e-5,
        "hidden_states": ["first_token": real, "first_unit": 3, "values": [values]],
      ],
      [
        "token_ids": tokens, "padding_mask": padding, "mask_position": position, "tolerance": 1e-5,
        "predictions": best.map { ["token": "", "id": $0, "score": exp(logits[$0]) / sum] as [String: Any] },
      ],
    ]
  }

  @Test func microIsWhatWasPublished() throws {
    let files = try FakeCache.files(of: Golden.url("model/micro"))
    let snapshot = try cache.add("o/micro", files)
    var entry = entry("o/micro", files, published: try microFigures())
    entry["parameters"] = ["backbone": 35_424, "all": 36_800]
    let registry = try registry(entry)
    for name in ["mine", "hf://o/micro@\(FakeCache.commit)", snapshot] {
      let (verdict, checks) = try verify(name, registry)
      #expect(verdict == .ok && checks.allSatisfy { $0.outcome == .ok }, "\(checks)")
      #expect(checks.count == files.count + 3)
    }
  }

  @Test func whatDiffersIsNamedWithBothFigures() throws {
    let files = try FakeCache.files(of: Golden.url("model/micro"))
    try cache.add("o/micro", files)
    var figures = try microFigures()
    figures[0]["hidden_states"] = ["first_token": 0, "first_unit": 0, "values": [[100.5]]]
    figures[1]["predictions"] = [["token": "wrong", "id": 0, "score": 0.5]]
    figures.append(
      ["token_ids": [2, 3], "hidden_states": ["first_token": 0, "first_unit": 31, "values": [[0, 0]]]])
    var entry = entry("o/micro", files, published: figures)
    entry["parameters"] = ["backbone": 35_424, "all": 1_000_000]
    let (verdict, checks) = try verify("mine", registry(entry))
    let differing = checks.filter { $0.outcome == .differs }.map(\.details)
    #expect(verdict == .differs && differing.count == 4, "\(checks)")
    #expect(differing[0].hasSuffix("the registry says 35,424 in the backbone, 1,000,000 in all"))
    #expect(differing[1].hasSuffix("not the published 100.5 (tolerance 2e-05)"))
    #expect(differing[2].contains("rank 1 is '") && differing[2].hasSuffix("not the published 'wrong' (0)"))
    #expect(differing[3] == "the model has no hidden states at token 0, units 31 to 32")
  }

  @Test func damagedWeightsAreNotLoaded() throws {
    var files = try FakeCache.files(of: Golden.url("model/micro"))
    let entry = entry("o/micro", files, published: [])
    files["model.safetensors"]?.append(0)
    try cache.add("o/micro", files)
    let (verdict, checks) = try verify("mine", registry(entry))
    #expect(verdict == .differs && checks.filter { $0.outcome == .differs }.map(\.subject) == ["model.safetensors"])
    #expect(!checks.contains { $0.subject == "parameters" })
  }

  @Test func nothingToCompareWith() throws {
    let (verdict, checks) = try verify(Golden.url("model/micro").path, PresetRegistry.builtIn())
    #expect(verdict == .unchecked && checks.allSatisfy { $0.outcome == .unchecked })
    // The embedded preset matches the registry.
    #expect(try verify("distil_bert_tiny_en_uncased", PresetRegistry.builtIn()).verdict == .ok)
  }

  @Test func aCopyIsKnownByTheHashOfItsWeights() throws {
    let files = try FakeCache.files(of: Golden.url("model/micro"))
    let registry = try registry(entry("o/micro", files, published: try microFigures()))
    let (verdict, checks) = try verify(Golden.url("model/micro").path, registry)
    #expect(verdict == .ok && checks.count == files.count + 3)
  }

  @Test func whatIsNotThere() throws {
    let registry = try PresetRegistry.builtIn()
    for name in ["distil_bert_base_en", "hf://o/n"] {
      #expect(throws: PresetError.notDownloaded(name: name, missing: [])) { try verify(name, registry) }
    }
    #expect(throws: PresetError.self) { try verify("o/n", registry) }
  }

  @Test func whatIsThereInPart() throws {
    let snapshot = try cache.add("o/n", ["config.json": Data("{}".utf8), "vocab.txt": Data("a".utf8)])
    let error = #expect(throws: PresetError.self) {
      try verify("hf://o/n@\(FakeCache.commit)", PresetRegistry.builtIn())
    }
    #expect(error?.message.contains("is incomplete in the cache: missing model.safetensors") == true, "\(snapshot)")
  }

  /// Figures in a registry that make no sense for the model do not stop the other checks.
  @Test func figuresThatCannotBeComputed() throws {
    let files = try FakeCache.files(of: Golden.url("model/micro"))
    try cache.add("o/micro", files)
    var figures = try microFigures()
    figures.insert(["text": "no mask", "predictions": [["token": "a", "id": 1]]], at: 0)
    figures.insert(["token_ids": [99999], "hidden_states": ["values": [[0]]]], at: 0)
    var entry = entry("o/micro", files, published: figures)
    entry["parameters"] = ["all": 7]
    let (verdict, checks) = try verify("mine", registry(entry))
    let differing = checks.filter { $0.outcome == .differs }.map(\.details)
    #expect(verdict == .differs && checks.count == files.count + 5 && differing.count == 3, "\(checks)")
    #expect(differing[0].hasSuffix("; the registry says 7 in all"))
    #expect(differing[1...].allSatisfy { $0.hasPrefix("cannot be computed: ") })
  }

  @Test func aModelWithoutATrainedHead() throws {
    var files = try FakeCache.files(of: Golden.url("model/micro"))
    // The head's tensors have unknown names.
    let weights = try #require(files["model.safetensors"])
    let length = Int(weights[0]) | Int(weights[1]) << 8
    let header = String(decoding: weights.dropFirst(8).prefix(length), as: UTF8.self)
      .replacingOccurrences(of: "\"vocab_", with: "\"other_")
    files["model.safetensors"] = weights.prefix(8) + Data(header.utf8) + weights.dropFirst(8 + length)
    let checks = try verify(try cache.add("o/micro", files), PresetRegistry.builtIn()).checks
    #expect(checks.contains { $0.subject == "head" && $0.outcome == .unchecked })
  }

  /// The trained model of the reference data, with transformers' hidden states and probabilities for texts.
  @Test func referenceModel() throws {
    let files = try FakeCache.files(of: try #require(Reference.trainedModel))
    try cache.add("o/tiny", files)
    let url = try #require(Reference.url("forward/tiny_0.json"))
    let json = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    let texts = try #require(json["texts"] as? [String])
    let cases = try #require(json["cases"] as? [[String: Any]])
    let vocabulary = String(decoding: try #require(files["vocab.txt"]), as: UTF8.self).split(separator: "\n")
    var published: [[String: Any]] = []
    for entry in cases where entry["row"] as? Int != 0 {  // the first text has two masks
      let ids = try #require(entry["top_ids"] as? [Int]).prefix(5)
      let scores = try #require(entry["probabilities"] as? [Double])
      published.append([
        "text": texts[try #require(entry["row"] as? Int)], "tolerance": 1e-5,
        "predictions": zip(ids, scores).map {
          ["token": String(vocabulary[$0]), "id": $0, "score": $1] as [String: Any]
        },
      ])
    }
    let arrays = try Safetensors(path: try #require(Reference.url("forward/tiny_0.safetensors")).path)
    let ids = try #require(arrays["input_ids"]), mask = try #require(arrays["attention_mask"]?.integers())
    let hidden = try #require(arrays["final_hidden"]).floats()
    let (length, width) = (ids.shape[1], hidden.count / ids.count)
    for row in 0..<ids.shape[0] {
      let range = row * length..<(row + 1) * length
      published.append([
        "token_ids": Array(try #require(ids.integers())[range]), "padding_mask": Array(mask[range]), "tolerance": 2e-5,
        "hidden_states": [
          "first_token": 1, "first_unit": 0,
          "values": [(0..<width).map { Double(hidden[(row * length + 1) * width + $0]) }],
        ],
      ])
    }
    let (verdict, checks) = try verify("mine", registry(entry("o/tiny", files, published: published)))
    #expect(verdict == .ok && checks.allSatisfy { $0.outcome != .differs }, "\(checks)")
    #expect(checks.count == files.count + 1 + published.count && published.count == 5)
  }
}
