import Foundation
import Testing

/// Tests `mlm predict` in a shell: input in pieces, from pipes and with unusual bytes, and output to a terminal.
@Suite struct ShellTests {
  /// The environment with the micro model, for shell commands.
  static let micro = ["MICRO": Tool.micro]
  static let fill = ["predict", "--preset", Tool.micro, "--format", "fill"]

  // MARK: Inputs

  /// Each line of a fifo is answered before the next is written.
  @Test func fifo() throws {
    let result = try Tool().shell(
      """
      mkfifo in out
      exec 4<> out
      mlm predict --preset "$MICRO" --format tsv --top-k 1 --input in > out 4>&- & pid=$!
      exec 3<> in
      for text in 'a [MASK]' 'the [MASK]' 'x [MASK]'; do
        echo "$text" >&3
        read -r -t 20 answer <&4 || exit 9
        echo "$answer"
      done
      exec 3>&-
      wait $pid
      """, environment: Self.micro)
    #expect(result.status == 0 && result.messages.isEmpty, "\(result.messages)")
    #expect(result.lines.map { $0.prefix(6) } == ["0\t0\t1\t", "1\t0\t1\t", "2\t0\t1\t"])
  }

  /// With any pauses, even within a line, the answers are the same as for a file, in order.
  @Test func pausesChangeNothing() throws {
    let tool = try Tool()
    let text = (0..<300).map { "\($0) [MASK] x\n" }.joined()
    let whole = try tool.succeed(Self.fill, input: text)
    #expect(whole.lines.map { $0.prefix { $0 != " " } } == (0..<300).map { "\($0)" })
    try tool.write(text, to: "text")
    let pieces = try tool.shell(
      """
      for part in 0 1 2 3; do tail -c +$((part * 1000 + 1)) text | head -c 1000; sleep 0.1; done |
        cat - <(tail -c +4001 text) | mlm predict --preset "$MICRO" --format fill
      """, environment: Self.micro)
    #expect(pieces.output == whole.output && pieces.messages.isEmpty)
  }

  @Test func anythingIsALine() throws {
    let tool = try Tool()
    // A NUL, a megabyte before the mask, one after it, one without a mask, and one word of a megabyte.
    let words = Data(String(repeating: "a b ", count: 1 << 18).utf8)
    let word = Data(String(repeating: "q", count: 1 << 20).utf8)
    let mask = Data("[MASK]".utf8)
    let lines = [
      Data("x\0y [MASK] \0 and more of it".utf8), words + mask, mask + words, words, mask + word,
      Data("the [MASK]".utf8),
    ]
    let result = try tool.run(Self.fill + ["--quiet"], input: Data(lines.joined(separator: Data("\n".utf8))))
    let answers = result.stdout.split(separator: 0x0A, omittingEmptySubsequences: false).map { Data($0) }
    #expect(result.status == 0 && result.messages.isEmpty && answers.count == 7)
    for (line, answer) in zip(lines, answers) {
      // The text around the mask is unchanged.
      let found = line.range(of: mask)
      let (before, after) = (
        line.prefix(upTo: found?.lowerBound ?? line.endIndex), line.suffix(from: found?.upperBound ?? line.endIndex)
      )
      #expect(answer.starts(with: before) && answer.suffix(after.count) == after)
      #expect(answer.range(of: mask) == nil)
    }
    let json = try tool.run(["predict", "--preset", Tool.micro, "--format", "json", "--top-k", "1"], input: lines[0])
    #expect(json.output.contains("\"sequence\":\"x\\u0000y "))
  }

  // MARK: Outputs

  /// Numbers have a decimal point in every locale.
  @Test func locale() throws {
    let tool = try Tool()
    try tool.write("a b c\nthe cat\n", to: "text")
    for arguments in [
      ["predict", "a [MASK]"], ["predict", "--format", "json", "a [MASK]"], ["predict", "--format", "tsv", "a [MASK]"],
      ["evaluate", "text"], ["evaluate", "--format", "json", "text"], ["predict", "--top-k", "0.5"],
    ] {
      let arguments = arguments + ["--preset", Tool.micro]
      let here = try tool.run(arguments, environment: ["LC_ALL": "C.UTF-8"])
      for locale in ["de_DE.UTF-8", "ar_EG.UTF-8", "nonsense.UTF-8"] {
        let there = try tool.run(arguments, environment: ["LC_ALL": locale, "LANG": locale, "LC_NUMERIC": locale])
        #expect(there.output == here.output && there.messages == here.messages, "\(locale) \(arguments)")
      }
    }
  }

  /// The output on a terminal; nil without the program `script`.
  func onTerminal(_ tool: Tool, _ line: String, _ environment: [String: String]) throws -> String? {
    guard try tool.shell("command -v script > found").status == 0 else { return nil }
    var environment = environment.merging(Self.micro) { mine, _ in mine }
    environment["LINE"] = line
    environment["SHELL"] = "/bin/bash"
    let result = try tool.shell("script -qec \"$LINE\" typescript < /dev/null", environment: environment)
    #expect(result.status == 0, "\(result.messages)")
    return result.output.replacingOccurrences(of: "\r\n", with: "\n")
  }

  @Test func masksStandOutOnATerminal() throws {
    let tool = try Tool()
    let line = "mlm predict --preset \"$MICRO\" --top-k 2 'a [MASK] b[MASK]' 'x [MASK]'"
    let plain = try tool.shell(line, environment: Self.micro).output
    #expect(plain.hasPrefix("a [MASK] b[MASK]\nmask 1\n") && !plain.contains("\u{1B}"))
    guard let colored = try onTerminal(tool, line, ["TERM": "xterm", "NO_COLOR": ""]) else { return }
    let mask = "\u{1B}[1;36m[MASK]\u{1B}[m"
    #expect(colored == plain.replacingOccurrences(of: "[MASK]", with: mask))
    for plainly in [["TERM": "xterm", "NO_COLOR": "1"], ["TERM": "dumb"]] {
      #expect(try onTerminal(tool, line, plainly) == plain, "\(plainly)")
    }
    // Without UTF-8, bars are ASCII.
    let ascii = try onTerminal(tool, line, ["TERM": "xterm", "LC_ALL": "C"])
    #expect(ascii?.utf8.allSatisfy { $0 < 0x80 } == true && ascii?.contains("%  #") == true)
    // Control characters are escaped on a terminal, and unchanged in a pipe.
    let odd = "mlm predict --preset \"$MICRO\" --top-k 1 $'\\e[31mred\\a [MASK]\\t!'"
    let shown = try onTerminal(tool, odd, ["TERM": "xterm", "NO_COLOR": ""]) ?? ""
    #expect(shown.hasPrefix("\\x1b[31mred\\x07 \(mask)\\t!\n"), "\(shown.debugDescription)")
    #expect(try tool.shell(odd, environment: Self.micro).output.hasPrefix("\u{1B}[31mred\u{7} [MASK]\t!\n"))
  }

  @Test func progressNeedsATerminal() throws {
    let tool = try Tool()
    let text = String(repeating: "a b c d e f g h\n", count: 400)
    try tool.write(text, to: "text")
    let line = "mlm fit text --preset \"$MICRO\" --epochs 2 --overwrite --output out"
    let plain = try tool.shell(line, environment: Self.micro)
    #expect(plain.status == 0 && !plain.messages.contains("\u{1B}") && !plain.messages.contains("\r"))
    guard let dumb = try onTerminal(tool, line, ["TERM": "dumb"]) else { return }
    #expect(!dumb.contains("\u{1B}") && !dumb.contains("\r") && dumb.contains("epoch 2/2"))
  }
}
