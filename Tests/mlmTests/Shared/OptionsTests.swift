import CommandLine
import Model
import Testing

@testable import mlm

/// Tests the conversion of arguments to options.
@Suite struct OptionsTests {
  func parse(_ line: String, _ command: Command) throws -> ParsedArguments {
    try Parser.parse(line.split(separator: " ").map { Argument(String($0)) }, for: command.declaration)
  }

  func conflict(_ line: String, _ command: Command = .fit) -> String? {
    do {
      let parsed = try parse(line, command)
      switch command {
      case .fit: _ = try FitOptions(parsed)
      case .predict: _ = try PredictOptions(parsed)
      case .evaluate: _ = try EvaluateOptions(parsed)
      case .tokenize: _ = try TokenizeOptions(parsed)
      case .info: _ = try InfoOptions(parsed)
      case .presets: _ = try PresetsOptions(parsed)
      case .completions: _ = try CompletionsOptions(parsed)
      case .manual: _ = try ManualOptions(parsed)
      }
      return nil
    } catch {
      return (error as? UsageError)?.message
    }
  }

  @Test func defaultsOfFit() throws {
    let options = try FitOptions(parse("a.txt", .fit))
    #expect(options.epochs == 1 && options.maximumSteps == nil && options.batchSize == 32)
    #expect(options.gradientAccumulation == 1 && options.learningRate == 5e-5 && options.optimizer == .adam)
    #expect(options.weightDecay == 0 && options.beta1 == 0.9 && options.beta2 == 0.999 && options.epsilon == 1e-7)
    #expect(options.schedule == .constant && options.warmup == .steps(0) && options.clipNorm == nil)
    #expect(options.lossReduction == .maskedMean && options.dropout == nil && options.frozen.isEmpty)
    #expect(!options.resumes && options.checkpointInterval == nil && options.keptCheckpoints == 2)
    #expect(options.shuffles && options.validation == .none && options.log == nil && options.output == "./mlm-model")
    #expect(options.logInterval == 100 && options.tensorBoard == nil && !options.isVerbose)
    #expect(options.samples == SampleOptions())
    #expect(options.common == CommonOptions())
  }

  @Test func dependentDefaults() throws {
    #expect(try FitOptions(parse("--optimizer adamw a", .fit)).weightDecay == 0.01)
    #expect(try FitOptions(parse("--optimizer adamw --weight-decay 0 a", .fit)).weightDecay == 0)
    #expect(try FitOptions(parse("--max-steps 10 a", .fit)).epochs == nil)
    #expect(try FitOptions(parse("--max-steps 10 --epochs 2 a", .fit)).epochs == 2)
    #expect(try FitOptions(parse("--seed 18446744073709551615 a", .fit)).common.seed == .max)
    #expect(try FitOptions(parse("--warmup-ratio 0.1 a", .fit)).warmup == .ratio(0.1))
    #expect(try FitOptions(parse("--validation b a", .fit)).validation == .file("b"))
  }

  @Test(arguments: [
    "--warmup-steps 5 --warmup-ratio 0.1 a", "--validation b --validation-split 0.1 a", "--validation - -", "- -",
    "--mask-token-rate 0.8 --random-token-rate 0.3 a", "--mask-token-rate 0.95 a", "--preprocessed --truncate a",
    "--preprocessed --mask-selection-rate 0.2 a", "--preprocessed --whole-word-masking a", "--preprocessed --strict a",
    "--samples packed --pairs a", "--samples packed --truncate a", "--preprocessed --pairs a",
    "", "--overwrite", "--resume --overwrite a", "--early-stopping 2 a", "--change-learning-rate a",
    "--freeze layer:1 a", "--freeze layers:3-1 a", "--freeze layers:-1 a", "--freeze embeddings, a",
    "--quiet --verbose a", "--log-every 0 a",
    "--learn-vocabulary 500 --vocabulary v a", "--learn-vocabulary 0 a", "--min-frequency 3 a",
    "--keep-special-ids a", "--preprocessed --mask-unknown a",
    "--lowercase --cased --vocabulary v a", "--cased a", "--lowercase a", "--preprocessed --learn-vocabulary 500 a",
    "--layers 3 a", "--hidden-dim 64 a", "--heads 2 a", "--intermediate-dim 64 a", "--layers 0 --no-load-weights a",
  ])
  func fitRefuses(_ line: String) { #expect(conflict(line) != nil) }

  @Test func newModels() throws {
    func options(_ line: String) throws -> NewModelOptions { try FitOptions(parse(line + " a", .fit)).newModel }
    #expect(try !options("").isNew && !options("--no-load-weights").isNew)
    let learned = try options("--learn-vocabulary 500 --cased --layers 2 --hidden-dim 64 --heads 2")
    #expect(learned.vocabulary == .learned(size: 500) && learned.lowercases == false && learned.isNew)
    #expect(learned.layers == 2 && learned.hiddenDim == 64 && learned.heads == 2 && learned.intermediateDim == 256)
    #expect(try options("--vocabulary v --lowercase").vocabulary == .file("v"))
    #expect(try options("--no-load-weights --intermediate-dim 9").intermediateDim == 9)
    #expect(try options("--resume --layers 3").isNew)
  }

  @Test func frozenParts() throws {
    let options = try FitOptions(parse("--freeze embeddings,layers:0-3 --freeze layers:5 --freeze-backbone a", .fit))
    #expect(options.frozen == [.embeddings, .layers(0...3), .layers(5...5), .backbone])
  }

  @Test func roundingIsNoConflict() {
    #expect(conflict("--mask-token-rate 0.7 --random-token-rate 0.3 a") == nil)
    #expect(conflict("--mask-token-rate 0.9 a") == nil)
  }

  @Test func pseudoPerplexity() throws {
    func variant(_ line: String) throws -> PseudoLikelihood.Variant? {
      try EvaluateOptions(parse(line, .evaluate)).pseudoPerplexity
    }
    #expect(try variant("a") == nil && variant("--pseudo-perplexity a") == .original)
    #expect(try variant("--pseudo-perplexity --pseudo-variant within-word-l2r a") == .withinWordLeftToRight)
    #expect(try variant("--pseudo-variant original a") == .original)
  }

  @Test func precisions() throws {
    #expect(try PredictOptions(parse("x", .predict)).computation.precision == nil)
    #expect(try PredictOptions(parse("--precision int8 --no-load-weights x", .predict)).computation.precision == .int8)
    let options = try EvaluateOptions(parse("--precision bfloat16 --against float32 --verbose a", .evaluate))
    #expect(
      options.computation.precision == .bfloat16 && options.reference == .float32 && options.computation.isVerbose)
    #expect(try PresetsOptions(parse("--verify --precision int8 a", .presets)).action == .verify(["a"], .int8))
    #expect(try InfoOptions(parse("--precision int8", .info)).precision == .int8)
  }

  @Test func otherCommandsRefuse() {
    #expect(conflict("--input a text", .predict) != nil)
    #expect(conflict("--preprocessed --format fill", .predict) != nil)
    #expect(conflict("", .evaluate) != nil)
    #expect(conflict("--decode --format ids", .tokenize) != nil)
    #expect(conflict("my-model", .info) == "unexpected argument 'my-model'")
    #expect(conflict("extra", .presets) == "'extra' needs --download, --verify or --export")
    #expect(conflict("--download tiny", .presets) == nil)
    #expect(conflict("--download", .presets) == "--download needs the NAME of a preset")
    #expect(conflict("--download --verify tiny", .presets)?.contains("are mutually exclusive") == true)
    #expect(conflict("--export x --verify tiny", .presets)?.contains("are mutually exclusive") == true)
    #expect(conflict("--export x tiny base", .presets) == "--export takes one NAME")
    #expect(conflict("--export x", .presets) == "--export needs the NAME of a preset")
    #expect(conflict("--export x --float16 --overwrite hf://a/b", .presets) == nil)
    #expect(conflict("--verify --float16 tiny", .presets) == "--float16 needs --export")
    #expect(conflict("--overwrite", .presets) == "--overwrite needs --export")
    #expect(conflict("--verify --format json tiny", .presets)?.contains("are mutually exclusive") == true)
    #expect(conflict("--per-sample --format text a", .evaluate)?.contains("are mutually exclusive") == true)
    #expect(conflict("--per-sample --format json a", .evaluate) == nil)
    #expect(conflict("", .completions) == "no SHELL was given" && conflict("zsh", .completions) == nil)
    #expect(conflict("tcsh", .completions) == "'tcsh' is not bash, zsh or fish")
    #expect(conflict("zsh bash", .completions) == "unexpected argument 'bash'")
    #expect(conflict("fit", .manual) == "unexpected argument 'fit'" && conflict("", .manual) == nil)
  }
}
