import CommandLine
import Files
import Glibc
import Model
import Text

/// The README.md of a trained model, as a model card of the hub: its origin, its data, its training and its results.
///
/// A README.md that a person has written is kept, and the card gets another name (`fileName(in:)`).
struct ModelCard {
  /// The preset that the training began with.
  struct Preset {
    /// Its repository on the hub; nil if it has none.
    var repository: String?
    /// The base model on the hub that its own card names.
    var baseModel: String?
    /// Language codes, or "multilingual"; empty if unknown.
    var languages: [String] = []
  }

  /// The text that the model was trained or validated on.
  struct Text {
    var files: [String]
    /// nil if unknown.
    var lines: Int?
    var samples: Int
  }

  enum Validation {
    case none
    case files(Text)
    /// Samples held out of the text itself.
    case heldOut(samples: Int)
  }

  /// The name of the model's directory.
  var name: String
  var configuration: Configuration
  var origin: TrainingOrigin
  var preset: Preset
  var text: Text
  var validation: Validation
  /// The command that repeats the training.
  var commandLine: String
  var history: [HistoryCurve.Point]
  /// The planned number of steps, which exceeds the last of the history if the training stopped early.
  var totalSteps: Int?
  /// The step of the weights, if they are not the last ones (early stopping).
  var weightsStep: Int?
  /// Whether the head was trained. Without it, the model cannot fill masks.
  var hasHead = true

  /// A comment that identifies a card written by mlm.
  static let mark = "<!-- Written by 'mlm fit', and replaced with the model. To keep this file, delete this line. -->"

  private var last: HistoryRow? { history.last?.row }
  private var validated: [HistoryRow] { history.map(\.row).filter { $0.validationLoss != nil } }
  private var isValidated: Bool { if case .none = validation { false } else { true } }

  var markdown: String {
    let parts = [
      frontMatter, Self.mark, "# \(Markdown.escaped(name))", introduction, facts, results, training, use, unknown,
    ]
    return parts.joined(separator: "\n\n") + "\n"
  }

  // MARK: Parts

  /// The metadata for the hub. It names no license, because only the owners of text and model can choose one.
  private var frontMatter: String {
    var lines = ["---", "library_name: transformers"] + (hasHead ? ["pipeline_tag: fill-mask"] : [])
    // Random weights have no language and no base model.
    if !origin.isRandom {
      if !preset.languages.isEmpty { lines += ["language:"] + preset.languages.map { "- \(Markdown.yaml($0))" } }
      if let base = preset.repository ?? preset.baseModel { lines.append("base_model: \(Markdown.yaml(base))") }
    }
    let tags = (hasHead ? ["fill-mask"] : []) + ["mlm", "distilbert"]
    return (lines + ["tags:"] + tags.map { "- \($0)" } + ["---"]).joined(separator: "\n")
  }

  private var introduction: String {
    hasHead
      ? "A DistilBERT model that fills in masked words, trained with `mlm fit` \(CommandLineTool.version)."
      : "A DistilBERT encoder, trained with `mlm fit` \(CommandLineTool.version). "
        + "Its masked-language-model head was never trained and is not in the files, so the model cannot fill masks."
  }

  private var facts: String {
    let sizes = configuration
    let source = preset.repository.map { "[\(Markdown.code(origin.preset))](https://huggingface.co/\($0))" }
    let from = source ?? Markdown.code(FileName.last(origin.preset))
    var lines = [
      "**Architecture**: \(Count.text(sizes.numLayers, "layer")) of \(sizes.hiddenDim) units, "
        + "\(Count.text(sizes.numHeads, "head")), \(Count.text(sizes.vocabularySize, "word piece")), "
        + "\(Count.text(sizes.maxSequenceLength, "position")); "
        + "\(Count.text(sizes.parameterCount, "parameter"))",
      "**Began with**: \(origin.text(preset: from) { Markdown.code(FileName.last($0)) })",
      "**Text**: \(described(text))",
    ]
    if let last {
      lines.append(
        "**Training**: \(Count.text(last.step, "optimizer step")) in \(Count.text(last.epoch, "epoch")); "
          + "\(Count.text(last.samples, "sample")) and \(Count.text(last.tokens, "token")), counted in every epoch")
    }
    switch validation {
    case .none: break
    case .files(let text): lines.append("**Validation**: \(described(text))")
    case .heldOut(let samples):
      lines.append("**Validation**: \(Count.text(samples, "sample")) of the text, held out of the training")
    }
    return lines.map { "- " + $0 }.joined(separator: "\n")
  }

  private func described(_ text: Text) -> String {
    let names = text.files.map { $0 == "-" ? "standard input" : Markdown.code(FileName.last($0)) }
    let shown = names.count > 12 ? Array(names.prefix(11)) + ["\(names.count - 11) other files"] : names
    let lines = text.lines.map { "\(Count.text($0, "line")), " } ?? ""
    return "\(shown.joined(separator: ", ")); \(lines)\(Count.text(text.samples, "sample"))"
  }

  private var results: String {
    var rows = [["metric", "first", "last"], ["---", "---:", "---:"]]
    func add(_ name: String, _ first: HistoryRow, _ last: HistoryRow, _ firstFigure: String, _ lastFigure: String) {
      let isOne = first.step == last.step
      let steps = isOne ? "step \(last.step)" : "step \(first.step) → \(last.step)"
      rows.append(["\(name) (\(steps))", isOne ? "" : firstFigure, lastFigure])
    }
    if let first = history.first?.row, let last {
      add("training loss", first, last, Figure.loss(first.loss), Figure.loss(last.loss))
      add("training accuracy", first, last, Figure.accuracy(first.accuracy), Figure.accuracy(last.accuracy))
      // If no validation token is masked, no row has a value.
      let evaluated = isValidated ? (validated.first ?? first, validated.last ?? last) : nil
      if let (first, last) = evaluated {
        add("validation loss", first, last, Figure.loss(first.validationLoss), Figure.loss(last.validationLoss))
        add(
          "validation accuracy", first, last, Figure.accuracy(first.validationAccuracy),
          Figure.accuracy(last.validationAccuracy))
        add("validation perplexity", first, last, perplexity(first.validationLoss), perplexity(last.validationLoss))
      }
    }
    var text = ["## Results"]
    if rows.count > 2 { text.append(rows.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")) }
    text.append(
      """
      Losses are in nats per masked token. Accuracy is the share of masked tokens predicted correctly. Training values \
      are means over the epoch so far, with dropout. Perplexity is exp(loss), per masked token, and not comparable \
      with that of a left-to-right model. (–: no token was masked.)
      """)
    let best = validated.filter { $0.validationLoss?.isFinite == true }
      .min { ($0.validationLoss ?? 0) < ($1.validationLoss ?? 0) }
    if let weightsStep {
      text.append("The weights are those of step \(weightsStep), which had the lowest validation loss.")
    } else if let best, let end = validated.last, best.step != end.step {
      let loss = Figure.loss(best.validationLoss)
      text.append("The lowest validation loss was \(loss), at step \(best.step); the weights are the last ones.")
    }
    if let totalSteps, let last, last.step < totalSteps {
      text.append("The training stopped after \(last.step) of \(Count.text(totalSteps, "step")).")
    }
    text.append(
      "![Loss and learning rate over the steps](history.svg)\n\nAll values are in [history.csv](history.csv).")
    return text.joined(separator: "\n\n")
  }

  private var training: String {
    """
    ## Training

    \(Markdown.block(commandLine, language: "sh"))

    All other options had their defaults; see `mlm help fit`. [training.json](training.json) holds all options, \
    including the defaults, and `mlm fit --config` reads it.
    """
  }

  private var use: String {
    let directory = Markdown.pythonString(name)
    let command = "mlm predict --preset \(ShellText.quoted(name)) 'The capital of France is [MASK].'"
    guard hasHead else {
      let fit = "mlm fit FILE --preset \(ShellText.quoted(name)) --output OTHER"
      return "## Usage\n\nTrain its head first:\n\n\(Markdown.block(fit, language: "sh"))"
    }
    return """
      ## Usage

      \(Markdown.block(command, language: "sh"))

      \(Markdown.block(
        """
        from transformers import pipeline

        fill = pipeline("fill-mask", model=\(directory))
        fill("The capital of France is [MASK].")
        """, language: "python"))
      """
  }

  private var unknown: String {
    var lines = [
      "License: none was chosen, and the text or the original model may have license terms.",
      "Content: the model can reproduce biased, wrong or private statements of the text.",
    ]
    switch validation {
    case .none: lines.append("Generalization: the model was not evaluated on text that it was not trained on.")
    case .files: lines.append("Generalization: the model was evaluated only on the validation text.")
    case .heldOut: lines.append("Generalization: the validation samples come from the training text.")
    }
    return "## Limitations\n\n" + lines.map { "- " + $0 }.joined(separator: "\n")
  }

  private func perplexity(_ loss: Double?) -> String {
    guard let perplexity = loss.map({ exp($0) }) else { return Figure.none }
    return perplexity < 1e6 ? Decimal.fixed(perplexity, 1) : FloatText.significant(perplexity, digits: 5)
  }
}

extension ModelCard {
  /// The name of the card's file in a model directory to be written.
  ///
  /// An existing README.md that is not a card written by mlm is kept, and the card gets another name.
  /// (`ModelDirectory.write` keeps files that it does not know when it overwrites a directory.)
  static func fileName(in directory: String) -> (name: String, note: String?) {
    let path = directory + "/README.md"
    let bytes: [UInt8]
    do {
      bytes = try FileMapping.contents(of: path)
    } catch .missing {
      return ("README.md", nil)
    } catch {
      return ("MODEL_CARD.md", note(path))
    }
    let isOurs = bytes.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual(mark.utf8) }
    return isOurs ? ("README.md", nil) : ("MODEL_CARD.md", note(path))
  }

  private static func note(_ path: String) -> String {
    "\(path) was not written by mlm and is kept; the model card is MODEL_CARD.md"
  }
}
