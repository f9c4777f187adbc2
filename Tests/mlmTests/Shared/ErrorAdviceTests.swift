import Foundation
import Model
import Testing

@testable import mlm

/// The library's errors use the library's terms; the tool adds its options.
@Suite struct ErrorAdviceTests {
  @Test func wordsOfTheCommandLine() {
    let errors: [(any ModelError, String)] = [
      (CheckpointError.outputExists(path: "x", canOverwrite: true), "--overwrite"),
      (CheckpointError.noWeights(path: "x"), "--no-load-weights"),
      (TrainingCheckpointError.none(output: "x"), "--resume"),
      (TrainingCheckpointError.unfinished(output: "x", newest: "y"), "mlm fit … --output x --resume"),
      (TrainingError.updateTooLarge(step: 3, learningRate: 1), "--learning-rate"),
      (PresetError.notDownloaded(name: "x", missing: []), "mlm presets --download x"),
      (
        PreprocessorError.notText(file: "x", looksLike: "gzip-compressed data", remedy: "decompress it: zcat FILE"),
        "zcat FILE | mlm … -"
      ),
      (PreprocessorError.badJSON(DataLocation(file: "x"), reason: ""), "omit --preprocessed"),
      (HubError.busy(host: "x", status: 503, wait: nil), "the same command"),
      (CheckpointError.unsupportedQuantization(file: "x", found: "gptq"), "--weights int8"),
      (ModelUseError.quantizedWeights, "--weights float32"),
      (ModelUseError.unknownTarget(word: "x", pieces: []), "mlm tokenize --format tokens"),
    ]
    for (error, words) in errors { #expect(error.advice?.contains(words) == true, "\(error)") }
  }

  @Test func otherHintsAreTheLibrarys() {
    let inside = CheckpointError.noWeights(path: "x", inside: ["x/y"])
    #expect(inside.advice == inside.hint && inside.hint != nil)
    let error = TrainingError.lossIsNotFinite(step: 1, learningRate: 1)
    #expect(error.advice == error.hint && error.hint != nil)
  }

  /// No string in the library names an option of the tool.
  @Test func theLibraryKnowsNoOptions() throws {
    let sources = Tool.repository.appendingPathComponent("Sources")
    let names = Set(Command.declarations.flatMap(\.options).map(\.spelling))
    var files = 0
    for folder in ["Files", "Text", "Tensor", "Hub", "Model"] {
      let root = sources.appendingPathComponent(folder)
      let paths = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
      for path in paths where path.hasSuffix(".swift") {
        files += 1
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
          let words = line.split { !($0.isLetter || $0.isNumber || $0 == "-") }.map(String.init)
          #expect(names.isDisjoint(with: words), "\(path): \(line)")
        }
      }
    }
    #expect(files > 100)
  }
}
