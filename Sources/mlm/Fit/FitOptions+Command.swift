import CommandLine

extension FitOptions {
  static let declaration = CommandDeclaration(
    name: "fit", summary: "train on text, write a model directory", operands: .files,
    options: fields.map(\.declaration) + [CommandDeclaration.help.declaration],
    description: [
      """
      Trains a model to predict masked tokens. Each non-blank line of the FILEs is a sample; some of its tokens are \
      masked, and the model learns to predict them. In the text, [MASK] and [SEP] are ordinary characters. \
      Training computes in float32; MLM_PRECISION has no effect on it.
      """,
      """
      The model directory is written at the end, complete or not at all; until then, it contains only checkpoints. \
      transformers and KerasHub can load it, and 'mlm predict' and 'mlm evaluate' use it by default. Ctrl-C writes a \
      checkpoint after the current step and exits; the same command with --resume continues from there. A second \
      Ctrl-C exits immediately.
      """,
      """
      The directory also contains history.csv and history.svg, the history of the training as a table and as a chart; \
      README.md, a model card with the data, the results and the command that repeats the run; and training.json, all \
      options of the run, for --config. With --overwrite, a README.md that mlm did not write is kept, and the card is \
      MODEL_CARD.md.
      """,
    ],
    examples: [
      .init(
        command: "mlm fit --preset distil_bert_base_en_uncased --epochs 3 novels.txt",
        meaning: "continue training a published model on your own text"),
      .init(
        command: "mlm fit --learn-vocabulary 8000 --learning-rate 1e-3 --epochs 10 letters.txt",
        meaning: "train from scratch, with your own vocabulary and the built-in preset's size"),
      .init(
        command: "zcat corpus.gz | mlm fit --max-steps 1000 --validation held-out.txt -",
        meaning: "read text from a pipe, train 1000 steps, validate on a file"),
      .init(
        command: "mlm fit --schedule linear --warmup-ratio 0.06 --optimizer adamw novels.txt",
        meaning: "use the learning-rate schedule and optimizer of the BERT papers"),
      .init(
        command: "mlm fit --config mlm-model/training.json --seed 1 --output other",
        meaning: "repeat a run with another seed"),
      .init(
        command: "mlm fit --epochs 3 --checkpoint-every 500 novels.txt --resume",
        meaning: "continue a training that was interrupted"),
    ],
    environment: CommonOptions.environment)
}
