import Foundation
import Testing

/// Tests file names that are not UTF-8, for every path argument. (Foundation cannot pass such names, so a shell does.)
@Suite struct PathTests {
  private let tool: Tool
  private let environment = ["MICRO": Tool.micro]

  init() throws {
    tool = try Tool()
    let result = try tool.shell(
      #"""
      mkdir $'d\xe9r' && for i in 1 2 3 4 5 6; do echo "the old house $i"; done > $'d\xe9r/t\xffxt' &&
        cp $'d\xe9r/t\xffxt' $'v\xf1l'
      """#)
    #expect(result.status == 0, "\(result.messages)")
  }

  private func shell(_ line: String) throws -> Tool.Result { try tool.shell(line, environment: environment) }

  private static let fit =
    #"mlm fit $'d\xe9r/t\xffxt' --preset "$MICRO" --validation $'v\xf1l' --max-steps 2 --batch-size 4 --threads 1 --quiet"#

  @Test func trainingAndWhatItWrites() throws {
    let fit = try shell(Self.fit + #" --output $'m\xf6d' --log $'l\xf6g' --tensorboard $'tb\xfc/r\xfcn'"#)
    #expect(fit.status == 0 && fit.messages.isEmpty, "\(fit.messages)")
    let written = try shell(#"ls $'m\xf6d/model.safetensors' $'l\xf6g' $'tb\xfc/r\xfcn' && ls | wc -l"#)
    #expect(written.status == 0 && written.lines.last == "5", "\(written.messages)")
    // training.json has the names as Python's json and os write them, and they can be read back.
    let file = try shell(#"cat $'m\xf6d/training.json'"#).output
    #expect(file.contains(#""d\udce9r/t\udcffxt""#) && file.contains(#""validation": "v\udcf1l""#))
    let again = try shell(
      #"mlm fit --config $'m\xf6d/training.json' --output $'\xe4gain' --quiet && cmp $'m\xf6d/model.safetensors' $'\xe4gain/model.safetensors'"#
    )
    #expect(again.status == 0 && again.messages.isEmpty, "\(again.messages)")
    // The card's command can be typed, and is plain text.
    let card = try shell(#"cat $'m\xf6d/README.md'"#).stdout
    let text = try #require(String(data: card, encoding: .utf8))
    #expect(text.contains(#"$'d\xe9r/t\xffxt'"#) && text.contains(#"model="m\udcf6d""#))
    #expect(String(data: try shell(#"cat $'m\xf6d/history.svg'"#).stdout, encoding: .utf8) != nil)
  }

  @Test func resumed() throws {
    #expect(try shell(Self.fit + #" --output $'m\xf6d'"#).status == 0)
    let more = try shell(Self.fit + #" --output $'m\xf6d' --max-steps 4 --epochs 9 --resume"#)
    #expect(more.status == 0 && more.messages.isEmpty, "\(more.messages)")
    let other = try shell(Self.fit + #" --output $'m\xf6d' --vocabulary $'m\xf6d/vocab.txt' --resume"#)
    #expect(
      other.messages.contains(#"--vocabulary changed from the preset's to m\xf6d/vocab.txt"#), "\(other.messages)")
  }

  @Test func commandsThatReadAModel() throws {
    #expect(try shell(Self.fit + #" --output $'m\xf6d'"#).status == 0)
    for command in [
      #"predict --preset $'m\xf6d' 'the [MASK]'"#, #"evaluate --preset $'m\xf6d' $'v\xf1l'"#,
      #"tokenize --preset $'m\xf6d' the"#, #"info --preset $'m\xf6d'"#, #"presets --verify $'m\xf6d'"#,
      #"fit $'v\xf1l' --preset $'m\xf6d' --max-steps 1 --output $'m\xf7d'"#,
      #"fit $'v\xf1l' --preset "$MICRO" --vocabulary $'m\xf6d/vocab.txt' --max-steps 1 --output $'m\xf8d'"#,
    ] {
      let result = try shell("mlm \(command) --quiet")
      #expect(result.status == 0 && result.messages.isEmpty, "\(command): \(result.messages)")
    }
    let fromEnvironment = try shell(#"MLM_PRESET=$'m\xf6d' mlm predict 'the [MASK]'"#)
    #expect(fromEnvironment.messages == "mlm: note: the model is m\\xf6d, from MLM_PRESET\n")
    // Its name is passed to another program unchanged.
    let exported = try shell(#"mlm presets --export $'\xe9x' $'m\xf6d' --quiet"#)
    #expect(exported.stdout == Data([0xE9, 0x78, 0x0A]) && exported.messages.isEmpty)
    let samples = try shell(#"mlm evaluate --preset "$MICRO" --per-sample --quiet $'v\xf1l'"#)
    #expect(samples.lines.first?.hasPrefix(#"{"sample":0,"file":"v\udcf1l","line":1,"#) == true)
  }

  @Test func inputsAndErrors() throws {
    let tokens = try shell(#"mlm tokenize --preset "$MICRO" --format tokens --input $'v\xf1l'"#)
    #expect(tokens.status == 0 && tokens.lines.count == 6)
    for (command, name) in [
      (#"predict --preset "$MICRO" --input"#, "cannot open n\\xf8: no such file or directory"),
      (#"evaluate --preset "$MICRO""#, "n\\xf8: no such file or directory"),
      (#"fit --preset "$MICRO""#, "n\\xf8: no such file or directory"),
    ] {
      let result = try shell("mlm \(command) $'n\\xf8'")
      #expect(result.status == 1 && result.messages == "mlm: error: \(name)\n", "\(result.messages)")
    }
    let temporary = try shell(
      #"mkdir $'t\xf8p'; cat $'v\xf1l' | TMPDIR=$'t\xf8p' mlm evaluate --preset "$MICRO" - | head -1"#)
    #expect(temporary.messages.contains("standard input was copied to a temporary file in t\\xf8p"))
  }
}
