import CommandLine
import Files
import Glibc
import Model
import Text

/// The README.md of a model that was trained: what it was made from, on what, how, and what was measured, in the form of the
/// hub's model cards.
///
/// Where a person has written a README.md, it is left as it is, and the card stands beside it (`fileName(in:)`).
struct ModelCard {
  /// What is known of the preset that the training began with.
  struct Preset {
    /// The repository on the hub it comes from; nil for another place.
    var repository: String?
    /// The model on the hub that its own card says it comes from.
    var baseModel: String?
    /// Codes, "multilingual" among them; empty where the preset does not say.
    var languages: [String] = []
  }

  /// What the model was trained, or measured, on.
  struct Text {
    var files: [String]
    /// nil where that is not known.
    var lines: Int?
    var samples: Int
  }

  enum Validation {
    case none
    case files(Text)
    /// Samples held out of the text itself.
    case heldOut(samples: Int)
  }

  /// What the model is called: its directory's name.
  var name: String
  var configuration: Configuration
  var origin: TrainingOrigin
  var preset: Preset
  var text: Text
  var validation: Validation
  /// What repeats the training.
  var commandLine: String
  var history: [HistoryCurve.Point]
  /// Steps there should have been; more than the history's last where the training ended before.
  var totalSteps: Int?
  /// The step that the weights are of, where they are not the last ones (early stopping).
  var weightsStep: Int?
  /// Without a head that was trained, it fills no masks.
  var hasHead = true

  /// A line that no reader of the card sees. A file without it is not ours.
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

  /// What the hub reads. No license: only who has the rights to text and model can give one.
  private var frontMatter: String {
    var lines = ["---", "library_name: transformers"] + (hasHead ? ["pipeline_tag: fill-mask"] : [])
    // Random weights know no language, and come from no model.
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
      : "A DistilBERT encoder, trained with `mlm fit` \(CommandLineTool.version). Its masked-language-model head was never trained, "
        + "and is not in the files: it fills no masks."
  }

  private var facts: String {
    let sizes = configuration
    let source = preset.repository.map { "[\(Markdown.code(origin.preset))](https://huggingface.co/\($0))" }
    let from = source ?? Markdown.code(FileName.last(origin.preset))
    var lines = [
      "**Architecture**: \(Count.text(sizes.numLayers, "layer")) of \(sizes.hiddenDim) units, \(Count.text(sizes.numHeads, "head")), "
        + "\(Count.text(sizes.vocabularySize, "word piece")), \(Count.text(sizes.maxSequenceLength, "position")); "
        + "\(Count.text(sizes.parameterCount, "parameter"))",
      "**Began with**: \(origin.text(preset: from) { Markdown.code(FileName.last($0)) })",
      "**Text**: \(described(text))",
    ]
    if let last {
      lines.append(
        "**Training**: \(Count.text(last.step, "optimizer step")) in \(Count.text(last.epoch, "epoch")); "
          + "\(Count.text(last.samples, "sample")) and \(Count.text(last.tokens, "token")) seen, every epoch counted")
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
    var rows = [["figure", "first", "last"], ["---", "---:", "---:"]]
    func add(_ name: String, _ first: HistoryRow, _ last: HistoryRow, _ firstFigure: String, _ lastFigure: String) {
      let isOne = first.step == last.step
      let steps = isOne ? "step \(last.step)" : "step \(first.step) → \(last.step)"
      rows.append(["\(name) (\(steps))", isOne ? "" : firstFigure, lastFigure])
    }
    if let first = history.first?.row, let last {
      add("training loss", first, last, Figure.loss(first.loss), Figure.loss(last.loss))
      add("training accuracy", first, last, Figure.accuracy(first.accuracy), Figure.accuracy(last.accuracy))
      // Where no token of it is masked, no row has a figure.
      let evaluated = isValidated ? (validated.first ?? first, validated.last ?? last) : nil
      if let (first, last) = evaluated {
        add("validation loss", first, last, Figure.loss(first.validationLoss), Figure.loss(last.validationLoss))
        add(
          "validation accuracy", first, last, Figure.accuracy(first.validationAccuracy),
          Figure.accuracy(last.validationAccuracy))
        add("validation perplexity", first, last, perplexity(first.validationLoss), perplexity(last.validationLoss))
      }
    }
    var text = ["## What was measured"]
    if rows.count > 2 { text.append(rows.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")) }
    text.append(
      """
      Losses are nats per masked token, accuracies the share of masked tokens that came out right; training figures are \
      means over the epoch so far, with dropout. Perplexity is exp(loss), per masked token, and not comparable with a \
      left-to-right model's. (–: no token was masked.)
      """)
    let best = validated.filter { $0.validationLoss?.isFinite == true }
      .min { ($0.validationLoss ?? 0) < ($1.validationLoss ?? 0) }
    if let weightsStep {
      text.append("The weights are those after step \(weightsStep), where the validation loss was best.")
    } else if let best, let end = validated.last, best.step != end.step {
      let loss = Figure.loss(best.validationLoss)
      text.append("The best validation loss was \(loss), after step \(best.step); the weights are the last ones.")
    }
    if let totalSteps, let last, last.step < totalSteps {
      text.append("The training was ended after \(last.step) of \(Count.text(totalSteps, "step")).")
    }
    text.append(
      "![Loss and learning rate over the steps](history.svg)\n\nAll figures are in [history.csv](history.csv).")
    return text.joined(separator: "\n\n")
  }

  private var training: String {
    """
    ## How it was trained

    \(Markdown.block(commandLine, language: "sh"))

    What is not said there was left at its default: see `mlm help fit`. All options, defaults included, are in \
    [training.json](training.json), which `mlm fit --config` takes.
    """
  }

  private var use: String {
    let place = Markdown.pythonString(name)
    guard hasHead else {
      let fit = "mlm fit FILE --preset \(ShellText.quoted(name)) --output OTHER"
      return "## How to use it\n\nTrain it first, with its head:\n\n\(Markdown.block(fit, language: "sh"))"
    }
    return """
      ## How to use it

      \(Markdown.block("mlm predict --preset \(ShellText.quoted(name)) 'The capital of France is [MASK].'", language: "sh"))

      \(Markdown.block(
        """
        from transformers import pipeline

        fill = pipeline("fill-mask", model=\(place))
        fill("The capital of France is [MASK].")
        """, language: "python"))
      """
  }

  private var unknown: String {
    var lines = [
      "The license: none was chosen, and the text, or the model it began with, may have conditions of its own.",
      "What the text says: whatever is one-sided, wrong or private in it can come out of the model.",
    ]
    switch validation {
    case .none: lines.append("How well it does on text that it was not trained on: nothing was measured.")
    case .files: lines.append("How well it does on other text than that of the validation.")
    case .heldOut: lines.append("How well it does on text from elsewhere: the validation is of the same text.")
    }
    return "## What is not known\n\n" + lines.map { "- " + $0 }.joined(separator: "\n")
  }

  private func perplexity(_ loss: Double?) -> String {
    guard let perplexity = loss.map({ exp($0) }) else { return Figure.none }
    return perplexity < 1e6 ? Decimal.fixed(perplexity, 1) : FloatText.significant(perplexity, digits: 5)
  }
}

extension ModelCard {
  /// The name of the card's file in a model directory that is to be written there.
  ///
  /// A README.md that is there and is not a card of ours is somebody's: it stays, and the card takes another name. (What a
  /// model directory does not know stays in it when it is overwritten: `ModelDirectory.write`.)
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
    "\(path) was not written by mlm and stays as it is; the model card is MODEL_CARD.md"
  }
}
