import Foundation
import Testing

/// Tests `mlm predict` from outside.
@Suite struct PredictTests {
  static let predict = ["predict", "--preset", Tool.micro]

  // MARK: Formats

  @Test func json() throws {
    let tool = try Tool()
    let one = try tool.succeed(Self.predict + ["--format", "json", "--top-k", "3", "The \u{E9}  [MASK], a"])
    let candidates = try #require(JSONSerialization.jsonObject(with: one.stdout) as? [[String: Any]])
    #expect(candidates.count == 3 && one.lines.count == 1)
    let scores = candidates.compactMap { $0["score"] as? Double }
    #expect(scores == scores.sorted(by: >) && scores.allSatisfy { $0 > 0 && $0 < 1 })
    for candidate in candidates {
      #expect(Set(candidate.keys) == ["score", "token", "token_str", "sequence"])
      // token_str keeps the ## of a continuation, the text does not.
      let word = (candidate["token_str"] as? String ?? "").replacingOccurrences(of: "##", with: "")
      #expect(candidate["sequence"] as? String == "The \u{E9}  \(word), a")
    }
    // Several masks give an array of arrays, with the other masks left in the text.
    let two = try tool.succeed(Self.predict + ["--format", "json", "--top-k", "2", "a [MASK] b [MASK]"])
    let masks = try #require(JSONSerialization.jsonObject(with: two.stdout) as? [[[String: Any]]])
    #expect(masks.map(\.count) == [2, 2])
    let (first, second) = (masks[0][0], masks[1][0])
    func word(_ candidate: [String: Any]) -> String {
      (candidate["token_str"] as? String ?? "").replacingOccurrences(of: "##", with: "")
    }
    #expect(first["sequence"] as? String == "a \(word(first)) b [MASK]")
    #expect(second["sequence"] as? String == "a [MASK] b \(word(second))")
  }

  @Test func tsv() throws {
    let tool = try Tool()
    let result = try tool.run(
      Self.predict + ["--format", "tsv", "--top-k", "2", "a [MASK] b [MASK]", "none", "[MASK]"])
    #expect(result.status == 1 && result.errors == ["there is no [MASK] in the text [TEXT:2]"])
    let rows = result.lines.map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    #expect(
      rows.map { Array($0.prefix(3)) } == [
        ["0", "0", "1"], ["0", "0", "2"], ["0", "1", "1"], ["0", "1", "2"], ["2", "0", "1"], ["2", "0", "2"],
      ])
    #expect(rows.allSatisfy { $0.count == 6 && Double($0[3]) != nil })
    // The same scores as in JSON, digit for digit.
    let json = try tool.succeed(Self.predict + ["--format", "json", "--top-k", "1", "[MASK]"])
    #expect(json.output.hasPrefix("[{\"score\":\(rows[4][3]),\"token\":\(rows[4][4]),\"token_str\":\"\(rows[4][5])\""))
    let pipe = try tool.shell(
      "printf '%s\\n' 'a [MASK]' 'b [MASK]' | mlm predict --preset \(Tool.micro) --format tsv --top-k 1 | cut -f6")
    #expect(pipe.status == 0 && pipe.lines.count == 2 && pipe.messages.isEmpty)
  }

  @Test func fill() throws {
    let tool = try Tool()
    let best = try tool.succeed(Self.predict + ["--format", "tsv", "--top-k", "1", "a [MASK]"])
    let word = try #require(best.lines.first?.split(separator: "\t").last).replacingOccurrences(of: "##", with: "")
    // Invalid UTF-8, spaces and blank lines are unchanged; a CR is dropped only before LF.
    let input = Data("a [MASK]\r\nplain \t line\n\n".utf8) + [0xFF, 0xFE, 0x0A] + Data("x\ry\nlast\r".utf8)
    let expected = Data("a \(word)\r\nplain \t line\n\n".utf8) + [0xFF, 0xFE, 0x0A] + Data("x\ry\nlast\r\n".utf8)
    let result = try tool.run(Self.predict + ["--format", "fill"], input: input)
    #expect(result.stdout == expected && result.status == 0)
    let strict = try tool.run(Self.predict + ["--format", "fill", "--strict"], input: input)
    #expect(strict.stdout == expected && strict.status == 1)
    #expect(strict.errors == ["invalid UTF-8 at byte 1 of the line [standard input:4]"])
  }

  @Test func text() throws {
    let result = try Tool().succeed(Self.predict + ["--top-k", "2", "a [MASK] b [MASK]"])
    #expect(result.lines.count == 7 && result.lines.first == "a [MASK] b [MASK]")
    #expect(result.lines.filter { $0.contains(" % ") }.count == 4)
    #expect(!result.output.contains("\u{1B}"))
  }

  // MARK: Options

  @Test func targets() throws {
    let tool = try Tool()
    let all = try tool.succeed(Self.predict + ["--format", "tsv", "--top-k", "256", "x [MASK]"])
    #expect(all.lines.count == 256)
    let some = try tool.succeed(Self.predict + ["--format", "tsv", "--targets", "a,the", "x [MASK]"])
    // Scores remain probabilities over the whole vocabulary.
    func tail(_ line: String) -> String { line.split(separator: "\t").dropFirst(3).joined(separator: "\t") }
    #expect(some.lines.count == 2)
    for line in some.lines { #expect(all.lines.map(tail).contains(tail(line))) }
    let total = all.lines.compactMap { Double($0.split(separator: "\t")[3]) }.reduce(0, +)
    #expect(abs(total - 1) < 1e-5)
    try tool.expectError(
      Self.predict + ["--targets", "a,ß", "x [MASK]"],
      "the target 'ß' has a part that is not in the vocabulary: [UNK]", hint: "mlm tokenize", status: 2)
    try tool.expectError(
      Self.predict + ["--targets", "", "x"], "--targets: '' is not a list of words separated by commas", status: 2)
  }

  /// A word of several pieces takes as many masks, and has one score.
  @Test func targetsOfSeveralPieces() throws {
    let tool = try Tool()
    let arguments = Self.predict + ["--targets", "zebra,a", "x [MASK] y"]
    let json = try tool.succeed(arguments + ["--format", "json"])
    let list = try #require(JSONSerialization.jsonObject(with: json.stdout) as? [[String: Any]])
    #expect(list.map { $0["token_str"] as? String } == ["a", "zebra"])
    // "token" is a number or null; several pieces are in "tokens".
    #expect(list[0]["token"] is Int && list[0]["tokens"] == nil)
    #expect(list[1]["token"] is NSNull && (list[1]["tokens"] as? [Int])?.count == 5)
    #expect(list[1]["sequence"] as? String == "x zebra y")
    let (a, zebra) = (list[0]["score"] as? Double ?? 0, list[1]["score"] as? Double ?? 0)
    #expect(a > zebra && zebra > 0)
    let alone = try tool.succeed(Self.predict + ["--targets", "a", "--format", "tsv", "x [MASK] y"])
    #expect(Double(alone.output.split(separator: "\t")[3]) == a)
    let rows = try tool.succeed(arguments + ["--format", "tsv"]).lines.map { $0.split(separator: "\t") }
    #expect(rows.count == 2 && rows[1][4].split(separator: " ").count == 5 && rows[1][5] == "zebra")
    #expect(
      try tool.succeed(Self.predict + ["--targets", "zebra", "--format", "fill", "x [MASK]"]).output == "x zebra\n")
    for option in [["--joint"], ["--preprocessed"]] {
      let result = try tool.run(Self.predict + ["--targets", "zebra", "x [MASK]"] + option)
      #expect(result.status == 2 && result.errors.count == 1 && result.errors[0].contains("z ##e ##b ##r ##a"))
    }
  }

  /// Pieces that continue a word are omitted also among targets of several pieces.
  @Test func uniqueWordsAmongTargetsOfSeveralPieces() throws {
    let tool = try Tool()
    func words(_ options: String...) throws -> [String] {
      let result = try tool.succeed(
        Self.predict + ["--format", "tsv", "--targets", "zebra,##e,a", "x [MASK]"] + options)
      return result.lines.map { String($0.split(separator: "\t")[5]) }.sorted()
    }
    #expect(try words() == ["##e", "a", "zebra"] && words("--unique-words") == ["a", "zebra"])
  }

  /// Word pieces may contain any characters; none of them controls a terminal or breaks a row.
  @Test func piecesWithControlCharacters() throws {
    let tool = try Tool()
    let model = try tool.copyMicro()
    let best = try tool.succeed(Self.predict + ["--format", "tsv", "--top-k", "1", "a [MASK]"])
    let fields = try #require(best.lines.first?.split(separator: "\t").map(String.init))
    var pieces = String(decoding: try tool.read("model/vocab.txt"), as: UTF8.self).split(separator: "\n").map(
      String.init)
    let id = try #require(Int(fields[4]))
    pieces[id] = "\u{1B}]0;x\u{7}a\tb\u{9B}c"
    try tool.write(pieces.joined(separator: "\n") + "\n", to: "model/vocab.txt")
    let shown = #"\x1b]0;x\x07a\tb\x9bc"#
    let predict = ["predict", "--preset", model, "--top-k", "1", "a [MASK]", "--format"]
    func output(_ format: String, _ more: String...) throws -> String {
      let result = try tool.succeed(predict + [format] + more)
      #expect(
        !result.output.unicodeScalars.contains {
          $0.value < 0x20 && $0 != "\n" && $0 != "\t" || 0x7F..<0xA0 ~= $0.value
        })
      return result.output
    }
    let target = "--targets=" + pieces[id]
    for more in [[], ["--joint"], [target]] {
      let row = try output("tsv", more.first ?? "--strict").split(separator: "\t", omittingEmptySubsequences: false)
      #expect(row.count == 6 && row[5] == shown + "\n" && row[4] == fields[4])
      #expect(try output("text", more.first ?? "--strict").contains("  \(shown)  "))
      #expect(try output("fill", more.first ?? "--strict") == "a \(shown)\n")
      // JSON escapes preserve the piece.
      let json = try output("json", more.first ?? "--strict")
      #expect(json.contains(#"\u001b]0;x\u0007a\tb\u009bc"#))
      let list = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
      #expect(list[0]["sequence"] as? String == "a " + pieces[id])
    }
    let tokens = ["tokenize", "--preset", model]
    #expect(try tool.succeed(tokens + ["--decode", "\(id)"]).output == shown + "\n")
  }

  @Test func joint() throws {
    let tool = try Tool()
    let text = "the [MASK] and [MASK]"
    let json = try tool.succeed(Self.predict + ["--joint", "--top-k", "3", "--format", "json", text])
    let list = try #require(JSONSerialization.jsonObject(with: json.stdout) as? [[String: Any]])
    #expect(list.count == 3 && Set(list.flatMap(\.keys)) == ["score", "tokens", "token_strs", "sequence"])
    let scores = list.compactMap { $0["score"] as? Double }
    #expect(scores == scores.sorted(by: >) && scores[0] > 0)
    let best = try #require(list[0]["sequence"] as? String)
    let words = try #require(list[0]["token_strs"] as? [String])
    #expect(best == "the \(words[0].trimmingPrefix("##")) and \(words[1].trimmingPrefix("##"))")
    #expect(try tool.succeed(Self.predict + ["--joint", "--format", "fill", text]).output == best + "\n")
    let rows = try tool.succeed(Self.predict + ["--joint", "--top-k", "3", "--format", "tsv", text]).lines
    #expect(rows.count == 6 && rows[1].hasPrefix("0\t1\t1\t"))
    let people = try tool.succeed(Self.predict + ["--joint", "--top-k", "3", text])
    #expect(people.lines.count == 4 && people.lines[1].contains(" … ") && people.lines[1].contains(" % "))
    try tool.expectError(Self.predict + ["--joint", "no mask"], "there is no [MASK] in the text [TEXT:1]")
  }

  @Test func leftOut() throws {
    let tool = try Tool()
    let all = try tool.succeed(Self.predict + ["--format", "tsv", "--top-k", "256", "x [MASK]"]).lines
    let whole = try tool.succeed(Self.predict + ["--format", "tsv", "--top-k", "256", "--unique-words", "x [MASK]"])
      .lines
    func piece(_ line: String) -> Substring { line.split(separator: "\t")[5] }
    #expect(whole.map(piece) == all.map(piece).filter { !$0.hasPrefix("##") } && whole.count < all.count)
    let third = try #require(Double(all[2].split(separator: "\t")[3]))
    let good = try tool.succeed(
      Self.predict + ["--format", "tsv", "--top-k", "9", "--min-score", "\(third)", "x [MASK]"])
    #expect(good.lines.count == 2 || good.lines.count == 3)  // the figure is rounded
    // No candidate has the minimum score, so the text is unchanged.
    for options in [[], ["--joint"]] {
      let none = try tool.succeed(Self.predict + ["--format", "fill", "--min-score", "1", "x [MASK] y"] + options)
      #expect(none.output == "x [MASK] y\n")
    }
    #expect(try tool.succeed(Self.predict + ["--min-score", "1", "x [MASK]"]).output == "x [MASK]\n")
  }

  @Test func batchesAndThreadsChangeNothing() throws {
    let tool = try Tool()
    let words = ["a", "the", "cat it", "it is", "hello world again and again", "x"]
    let text = (0..<60).map { "\(words[$0 % 6]) [MASK] \(words[($0 * 5 + $0 / 6) % 6])\n" }.joined()
    let plain = try tool.succeed(Self.predict + ["--format", "json"], input: text)
    #expect(plain.lines.count == 60)
    for options in [["--threads", "1"], ["--threads", "3"], ["--batch-tokens", "1"], ["--batch-tokens", "100000"]] {
      #expect(
        try tool.succeed(Self.predict + ["--format", "json"] + options, input: text).output == plain.output,
        "\(options)")
    }
  }

  @Test func windows() throws {
    let tool = try Tool()
    let long = String(repeating: "a b ", count: 100)
    let arguments = Self.predict + ["--format", "tsv", "--top-k", "1"]
    let middle = try tool.succeed(arguments + ["\(long)[MASK] \(long)"])
    #expect(middle.lines.count == 1)
    #expect(middle.messages == "mlm: note: a text of 403 tokens was cut to the 48 around its mask [TEXT:1]\n")
    #expect(try tool.succeed(arguments + ["--quiet", "\(long)[MASK] \(long)"]).messages.isEmpty)
    let apart = try tool.run(arguments + ["[MASK] \(long)[MASK]", "a [MASK]"])
    #expect(apart.status == 1 && apart.errors.count == 1 && apart.lines.count == 1)
    #expect(apart.errors.first?.hasSuffix("but a sample has at most 48 [TEXT:1]") == true)
    let narrow = try tool.run(arguments + ["--sequence-length", "5", "a b [MASK] c d"])
    #expect(narrow.status == 0 && narrow.messages.contains("was cut to the 5 around its mask"))
    try tool.expectError(
      arguments + ["--sequence-length", "99", "[MASK]"],
      "--sequence-length 99 exceeds the model's 48 positions",
      status: 2)
  }

  // MARK: Inputs

  @Test func noMask() throws {
    let tool = try Tool()
    let result = try tool.run(
      Self.predict + ["--format", "json", "--top-k", "1"], input: Data("one\n[mask]\n\n[MASK]".utf8))
    #expect(result.status == 1 && result.lines.count == 4)
    let error = "there is no [MASK] in the text"
    #expect(result.lines.prefix(3) == (1...3).map { "{\"line\":\($0),\"error\":\"\(error)\"}" }[...])
    #expect(result.errors == (1...3).map { "\(error) [standard input:\($0)]" })
    #expect(result.lines[3].hasPrefix("[{\"score\":"))
  }

  @Test func nothing() throws {
    for format in ["text", "json", "tsv", "fill"] {
      let result = try Tool().succeed(Self.predict + ["--format", format])
      #expect(result.output.isEmpty && result.messages.isEmpty)
    }
  }

  @Test func otherSpecialNamesAreText() throws {
    let tool = try Tool()
    let arguments = Self.predict + ["--format", "tsv"]
    let brackets = try tool.succeed(arguments + ["a [SEP] [MASK]"])
    // [SEP] is three or more pieces, not the separator: the answer is the same with the brackets separated.
    #expect(brackets.output == (try tool.succeed(arguments + ["a [ SEP ] [MASK]"]).output))
  }

  @Test func oneLineAnsweredAtOnce() throws {
    let result = try Tool().shell(
      """
      coproc mlm predict --preset "$MICRO" --format tsv --top-k 1
      for text in 'a [MASK]' 'the [MASK]'; do
        echo "$text" >&${COPROC[1]}
        read -r -t 20 answer <&${COPROC[0]} || exit 9
        echo "$answer"
      done
      pid=$COPROC_PID
      exec {COPROC[1]}>&-
      wait $pid
      """, environment: ["MICRO": Tool.micro])
    #expect(result.status == 0 && result.messages.isEmpty, "\(result.messages)")
    #expect(result.lines.count == 2 && result.lines[0].hasPrefix("0\t0\t1\t") && result.lines[1].hasPrefix("1\t0\t1\t"))
  }

  @Test func readerThatLeaves() throws {
    // Independent of the signal mask of this test's thread.
    var (pipe, before) = (sigset_t(), sigset_t())
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let result = try Tool().shell(
      "yes 'a [MASK]' 2>/dev/null | mlm predict --preset \"$MICRO\" --format tsv | head -1",
      environment: ["MICRO": Tool.micro])
    #expect(result.lines.count == 1 && result.messages.isEmpty, "\(result.messages)")
  }

  @Test func fullDisk() throws {
    let result = try Tool().shell(
      "mlm predict --preset \"$MICRO\" 'a [MASK]' > /dev/full", environment: ["MICRO": Tool.micro])
    result.expectError("cannot write to standard output: no space left on device")
  }
}
