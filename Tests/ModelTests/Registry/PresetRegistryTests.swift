import Foundation
import TestSupport
import Testing

@testable import Files
@testable import Hub
@testable import Model
@testable import Text

/// A user's own registry.
@Suite struct PresetRegistryTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func load(_ text: String) throws -> PresetRegistry {
    try PresetRegistry.load(adding: folder.write("own.json", text))
  }

  @Test func noFileIsTheBuiltInOne() throws {
    let registry = try PresetRegistry.load(adding: nil)
    #expect(registry.sources == ["presets.json"] && registry.notes.isEmpty && registry.presets.count == 4)
  }

  @Test func entriesAreAdded() throws {
    let registry = try load(
      """
      {"presets": [
        {"name": "mine", "repository": "me/model"},
        {"name": "here", "directory": "models/x", "languages": ["de"], "case": "kept",
         "parameters": {"backbone": 10, "all": 12}},
        {"name": "there", "directory": "/m"},
        {"name": "full", "repository": "m", "revision": "refs/pr/1", "description": "A model.",
         "config": {"model_type": "distilbert", "dim": 16, "n_heads": 2},
         "files": [{"name": "onnx/vocab.txt", "size": 3, "sha256": "\(String(repeating: "A", count: 64))"},
                   {"name": "config.json", "optional": true}]}
      ]}
      """)
    #expect(registry.sources == ["presets.json", folder.path + "/own.json"] && registry.notes.isEmpty)
    #expect(registry.presets.count == 8)
    let mine = try #require(registry["mine"])
    #expect(mine.address == HubAddress(repository: "me/model", revision: "main"))
    #expect(mine.files.isEmpty && mine.parameterCount == nil && mine.isLowercase == nil && mine.published.isEmpty)
    let here = try #require(registry["here"])
    #expect(here.directory == folder.path + "/models/x" && here.address == nil && here.isLowercase == false)
    #expect(here.backboneParameterCount == 10 && here.parameterCount == 12 && here.languages == ["de"])
    #expect(registry["there"]?.directory == "/m")
    let full = try #require(registry["full"])
    #expect(full.address?.revision == "refs/pr/1" && full.configuration?.hiddenDim == 16)
    #expect(full.parameterCount == full.configuration?.parameterCount && full.size == 3)
    #expect(
      full.files == [
        .init(name: "onnx/vocab.txt", size: 3, sha256: String(repeating: "a", count: 64), isOptional: false),
        .init(name: "config.json", size: nil, sha256: nil, isOptional: true),
      ])
    #expect(full.file("config.json")?.isOptional == true && full.file("no") == nil)
  }

  @Test func anEntryOfANameThatExistsReplacesIt() throws {
    let registry = try load(#"{"presets": [{"name": "distil_bert_base_en", "directory": "/m"}]}"#)
    #expect(registry.presets.count == 4 && registry["distil_bert_base_en"]?.directory == "/m")
    #expect(registry.notes == ["the preset 'distil_bert_base_en' is overridden by \(folder.path)/own.json"])
  }

  @Test func emptyRegistry() throws { #expect(try load(#"{"presets": []}"#).presets.count == 4) }

  @Test func malformedJSONIsNamedByFileAndLine() {
    let error = #expect(throws: JSONError.self) { try load("{\"presets\": [\n  {\"name\": \"a\",}\n]}") }
    #expect(error?.location == DataLocation(file: folder.path + "/own.json", line: 2))
  }

  @Test func missingFile() {
    let error = #expect(throws: PresetError.self) { try PresetRegistry.load(adding: folder.path + "/none") }
    #expect(
      error?.message == "cannot read the presets file: \(folder.path)/none: no such file or directory")
    #expect(error?.hint?.contains("MLM_PRESETS") == true)
  }

  @Test(arguments: [
    ("[]", "missing list 'presets'"), ("{}", "missing list 'presets'"),
    (#"{"presets": [1]}"#, "a preset has no 'name'"), (#"{"presets": [{"name": ""}]}"#, "a preset has no 'name'"),
    (#"{"presets": [{"name": "a"}]}"#, "the preset 'a' has neither 'repository' nor 'directory'"),
    (
      #"{"presets": [{"name": "a", "repository": "o/n", "directory": "d"}]}"#,
      "the preset 'a' has both 'repository' and 'directory'"
    ),
    (
      #"{"presets": [{"name": "a", "directory": "d"}, {"name": "a", "directory": "e"}]}"#,
      "duplicate preset 'a'"
    ),
  ])
  func malformed(_ text: String, _ what: String) {
    let error = #expect(throws: PresetError.self) { try load(text) }
    #expect(error == .malformedRegistry(file: folder.path + "/own.json", what: what))
    #expect(error?.location?.file == folder.path + "/own.json")
  }

  @Test func sizesThatOverflow() throws {
    let file = #"{"name": "x", "size": 9223372036854775807}"#, other = #"{"name": "y", "size": 1, "sha256": null}"#
    let registry = try load(#"{"presets": [{"name": "a", "repository": "o/n", "files": [\#(file), \#(other)]}]}"#)
    #expect(registry["a"]?.size == .max)
    #expect(try load(#"{"presets": [{"name": "a", "repository": "o/n"}]}"#)["a"]?.size == nil)
  }

  /// Each value is invalid for a key of an otherwise valid entry.
  @Test(arguments: [
    ("repository", #""../x""#), ("repository", #""o/n@main""#), ("repository", #""a/b/c""#), ("repository", "1"),
    ("revision", #""a b""#), ("revision", #""../x""#), ("case", #""upper""#), ("languages", #""en""#),
    ("languages", "[1]"), ("description", "1"), ("aliases", "{}"), ("files", "{}"), ("files", "[1]"),
    ("files", #"[{"name": "x", "sha256": 1}]"#),
    ("files", #"[{"name": "x", "optional": "yes"}]"#), ("parameters", "5"),
    ("published", #"[{"text": "[MASK]", "tolerance": "1", "predictions": [{"token": "a", "id": 1}]}]"#),
    ("published", #"[{"text": "[MASK]", "predictions": [{"token": "a", "id": 1, "score": "1"}]}]"#),

    ("files", #"[{"name": "../x"}]"#), ("files", #"[{"name": "/x"}]"#), ("files", #"[{"name": ""}]"#),
    ("files", #"[{"name": "x", "size": -1}]"#), ("files", #"[{"name": "x", "size": "1"}]"#),
    ("files", #"[{"name": "x", "sha256": "abc"}]"#), ("parameters", #"{"all": "1"}"#),
    ("parameters", #"{"backbone": -1}"#), ("published", "1"), ("published", "[{}]"), ("embedded", "true"),
    ("config", "{}"), ("config", #"{"model_type": "distilbert", "dim": 0}"#), ("directory", #""""#),
  ])
  func malformedValues(_ key: String, _ value: String) {
    let repository = ["repository", "directory"].contains(key) ? "" : #""repository": "o/n", "#
    let error = #expect(throws: PresetError.self) {
      try load(#"{"presets": [{"name": "a", \#(repository)"\#(key)": \#(value)}]}"#)
    }
    #expect(error?.message.contains("'\(key)' of the preset 'a'") == true, "\(String(describing: error))")
  }
}
