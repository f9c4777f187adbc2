import Glibc
import Model

/// Goes on training a model on a file of text, a little, and fills the masks of lines from standard input.
///
///     printf '%s\n' "The [MASK] crashes." "The [MASK] is full." | adapt PRESET TEXT OUTPUT
///
/// PRESET: a name, a directory or hf://OWNER/NAME. OUTPUT: where the model directory is written.
@main
struct Adapt {
  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count == 3 else { return print("usage: adapt PRESET TEXT OUTPUT") }
    let (preset, text, output) = (arguments[1], arguments[2], arguments[3])
    do {
      try adapt(preset, to: text, output)
    } catch {
      // Every error of the library says what is wrong, where, and what to do about it.
      print("adapt: \(error)")
      exit(1)
    }
  }

  static func adapt(_ preset: String, to text: String, _ output: String) throws {
    let maskedLM = try DistilBertMaskedLM.fromPreset(preset)
    print(maskedLM.summary())

    maskedLM.preprocessor?.sequenceLength = 64
    maskedLM.compile(optimizer: .adamW(learningRate: 1e-4, clipNorm: 1), schedule: Schedule(.linear))
    print("before:", try maskedLM.evaluate(files: [text]).loss)

    // A callback sees every step, and can end the training.
    let few = TrainingCallback.onStep { report in report.step < 10 ? .proceed : .stop }
    let outcome = try maskedLM.fit(files: [text], options: TrainingOptions(batchSize: 8), callbacks: [few])
    print("steps:", outcome.state.step)
    print("after:", try maskedLM.evaluate(files: [text]).loss)

    // The head alone, on pairs.
    maskedLM.backbone.isTrainable = false
    try maskedLM.fit(pairs: [("The disk is full.", "The server stops.")])

    try maskedLM.save(to: output, overwrite: true)
    let saved = try DistilBertMaskedLM.fromPreset(output)
    // Lines are read as they are needed, and answered in order.
    try saved.predict(lines: AnySequence { AnyIterator { readLine() } }, topK: 1) { line, answer in
      switch answer {
      case .success(let prediction): print("\(line): \(prediction.filled[0])")
      case .failure(let error): print("\(line): \(error.message)")
      }
    }
  }
}
