import Foundation
import Testing

/// Tests from outside how the text of FILEs becomes samples.
@Suite struct CorpusTests {
  static let evaluate = ["evaluate", "text.txt", "--preset", Tool.micro, "--format", "json"]

  private func samples(_ result: Tool.Result) throws -> Int {
    let object = try JSONSerialization.jsonObject(with: result.stdout) as? [String: Any]
    return try #require(object?["samples"] as? Int)
  }

  @Test func packed() throws {
    let tool = try FitTests.tool()
    let lines = try tool.succeed(Self.evaluate)
    let packed = try tool.succeed(Self.evaluate + ["--samples", "packed"])
    let count = try samples(packed)
    #expect(try samples(lines) == 24 && count < 24)
    #expect(packed.messages.contains("24 lines packed into \(count) samples, no token lost"))
    let alone = try tool.succeed(Self.evaluate + ["--samples=packed", "--threads", "1", "--batch-size", "3"])
    #expect(alone.output == packed.output)
    let words = try tool.succeed(Self.evaluate + ["--samples", "packed", "--whole-word-masking"])
    #expect(try samples(words) == count && words.output != packed.output)

    try tool.succeed(FitTests.fit + ["--samples", "packed", "--validation-split", "0.25", "--epochs", "2"])
    let history = History(try tool.read("mlm-model/history.csv"))
    #expect(history.numbers("samples")[0] < 18 && history.numbers("val_loss").count == 2)
  }

  @Test func pairs() throws {
    let tool = try Tool()
    try tool.write("the cat sat\tthe dog ran\n\na hen\tan owl\n", to: "text.txt")
    #expect(try samples(tool.succeed(Self.evaluate + ["--pairs"])) == 2)
    let cut = try tool.succeed(Self.evaluate + ["--pairs", "--sequence-length", "6"])
    #expect(cut.messages.contains("of more than 3 tokens cut: ") && cut.messages.contains("dropped"))
    try tool.succeed(FitTests.fit + ["--pairs", "--whole-word-masking"])
    try tool.expectError(
      Self.evaluate + ["--pairs", "--sequence-length", "3"],
      "sequence length 3 is too short: the special tokens and the text need at least 4")

    try tool.write("the cat\tsat\nthe dog\n", to: "text.txt")
    let hint = "separated by one tab"
    for command in [Self.evaluate, FitTests.fit + ["--output", "other"]] {
      try tool.expectError(command + ["--pairs"], "the line is not a pair: it has no tab [text.txt:2]", hint: hint)
    }
    try tool.write("a\tb\tc\n", to: "text.txt")
    try tool.expectError(
      Self.evaluate + ["--pairs"], "the line is not a pair: it has 2 tabs [text.txt:1]", hint: hint)
    try tool.expectError(
      Self.evaluate + ["--pairs", "--samples", "packed"],
      "--samples packed and --pairs are mutually exclusive: each pair is one sample", status: 2)
  }

  /// Input that can be read only once is copied, with a note; a file on standard input is not.
  @Test func pipes() throws {
    let tool = try FitTests.tool()
    let note = "mlm: note: standard input was copied to a temporary file in \(tool.path("spool"))"
    let result = try tool.shell(
      """
      mkdir spool; export TMPDIR="$PWD/spool"
      cat text.txt | mlm evaluate - --preset "$MICRO" 2> piped > a && mlm evaluate - --preset "$MICRO" 2> file > b < text.txt
      cmp a b && ls spool
      """, environment: ["MICRO": Tool.micro])
    #expect(result.status == 0 && result.output.isEmpty)
    #expect(String(decoding: try tool.read("piped"), as: UTF8.self).contains(note))
    #expect(!String(decoding: try tool.read("file"), as: UTF8.self).contains("copied"))
  }
}
