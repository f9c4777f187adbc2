import CommandLine
import Testing

@testable import mlm

@Suite struct ParserTests {
  func fit(_ arguments: String...) throws -> FitOptions {
    try FitOptions(Parser.parse(arguments.map { Argument($0) }, for: FitOptions.declaration))
  }

  func predict(_ arguments: String...) throws -> PredictOptions {
    try PredictOptions(Parser.parse(arguments.map { Argument($0) }, for: PredictOptions.declaration))
  }

  func error(_ body: () throws -> Void) -> UsageError? {
    do {
      try body()
      return nil
    } catch {
      return error as? UsageError
    }
  }

  @Test func bothSpellings() throws {
    #expect(try fit("--epochs", "3", "a").epochs == 3)
    #expect(try fit("--epochs=3", "a").epochs == 3)
    #expect(try fit("a", "--output=x=y").output == "x=y")
  }

  @Test func optionsAndOperandsMix() throws {
    #expect(try fit("a", "--epochs", "3", "-", "b").files == ["a", "-", "b"])
  }

  @Test func twoDashesEndTheOptions() throws {
    #expect(try fit("--", "--epochs", "-h").files == ["--epochs", "-h"])
    #expect(try predict("--", "--").input == .texts([Array("--".utf8)]))
  }

  @Test func theLastValueCounts() throws { #expect(try fit("--epochs", "3", "--epochs", "5", "a").epochs == 5) }

  @Test func listsAddUp() throws {
    #expect(try predict("--targets", "a,b", "--targets=c", "x").targets == ["a", "b", "c"])
    #expect(error { _ = try predict("--targets", "a,,b", "x") } != nil)
    #expect(error { _ = try predict("--targets=", "x") } != nil)
  }

  @Test func missingValue() {
    #expect(error { _ = try fit("a", "--epochs") }?.message == "--epochs needs a value")
    let swallowed = error { _ = try fit("--output", "--overwrite", "a") }
    #expect(swallowed?.message == "--output needs a value, and --overwrite looks like an option")
  }

  @Test func aDashIsAValue() throws { #expect(try predict("--input", "-").input == .lines(file: nil)) }

  @Test func negativeNumbersAreValues() {
    #expect(
      error { _ = try fit("--learning-rate", "-0.5", "a") }?.message
        == "--learning-rate: '-0.5' is not a number above 0")
  }

  @Test func flagWithAValue() {
    #expect(error { _ = try fit("--overwrite=yes", "a") }?.message == "--overwrite takes no value, but 'yes' was given")
  }

  @Test func unknownOptions() {
    #expect(error { _ = try fit("--epcohs", "3", "a") }?.hint == "did you mean --epochs?")
    #expect(error { _ = try fit("--batch_size=3", "a") }?.hint == "did you mean --batch-size?")
    #expect(error { _ = try fit("--lr", "3", "a") }?.hint == "did you mean --learning-rate?")
    #expect(error { _ = try fit("-x", "a") }?.message == "unknown option -x for 'mlm fit'")
    #expect(error { _ = try fit("--mask-token", "1", "a") }?.hint == "did you mean --mask-token-rate?")
    #expect(error { _ = try predict("-5 degrees") }?.hint?.contains("write -- before") == true)
  }

  @Test func bytesOfTextsAreKept() throws {
    let parsed = try Parser.parse([Argument(bytes: [0xFF, 0x41])], for: PredictOptions.declaration)
    #expect(try PredictOptions(parsed).input == .texts([[0xFF, 0x41]]))
  }

  // Each value must be refused with an error that names the option.
  @Test(arguments: [
    ("epochs", "0"), ("epochs", "1.5"), ("epochs", ""), ("epochs", "99999999999999999999"), ("batch-size", "-1"),
    ("seed", "-1"), ("seed", "18446744073709551616"), ("sequence-length", "2"), ("threads", "0"),
    ("learning-rate", "0"), ("learning-rate", "nan"), ("learning-rate", "inf"), ("beta1", "1"), ("dropout", "1"),
    ("mask-selection-rate", "1.01"), ("mask-selection-rate", "0"), ("mask-token-rate", "-0.1"),
    ("validation-split", "1"), ("warmup-ratio", "2"), ("warmup-steps", "-1"), ("clip-norm", "0"), ("optimizer", "sgd"),
    ("schedule", ""), ("output", ""),
  ])
  func refuses(_ name: String, _ value: String) {
    #expect(error { _ = try fit("--\(name)", value, "a") }?.message.hasPrefix("--\(name): '\(value)' is not") == true)
  }

  @Test func choiceSlips() {
    #expect(error { _ = try fit("--optimizer", "adamv", "a") }?.hint?.contains("--optimizer adam") == true)
    #expect(error { _ = try fit("--schedule", "cosin", "a") }?.hint == "did you mean --schedule cosine?")
  }
}
