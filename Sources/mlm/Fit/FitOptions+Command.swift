import CommandLine

extension FitOptions {
  static let declaration = CommandDeclaration(
    name: "fit", summary: "train on text, write a model directory", operands: .files,
    options: fields.map(\.declaration) + [CommandDeclaration.help.declaration],
    description: [
      """
      Trains a model to fill in masked tokens of text. Each non-blank line of the FILEs is a sample: some of its \
      tokens are hidden, and the model learns to predict them. In the text, [MASK] and [SEP] are ordinary characters.
      """,
      """
      The model directory is written at the end and appears whole or not at all. transformers and KerasHub load it; \
      'mlm predict' and 'mlm evaluate' take it without being told. Until then it holds checkpoints. Ctrl-C ends after \
      the step at hand with a checkpoint, from which the same command with --resume goes on; a second one ends at once.
      """,
      """
      Beside the model stand history.csv and history.svg, the course of the training as a table and as a picture, and \
      README.md, a model card with the data, the figures and the command that repeats it; and training.json, all options \
      of the run, for --config. With --overwrite, a README.md \
      that mlm did not write stays, and the card becomes MODEL_CARD.md.
      """,
    ],
    examples: [
      .init(
        command: "mlm fit --preset distil_bert_base_en_uncased --epochs 3 novels.txt",
        meaning: "go on training a published model on your own text"),
      .init(
        command: "mlm fit --learn-vocabulary 8000 --learning-rate 1e-3 --epochs 10 letters.txt",
        meaning: "from nothing: your own word pieces, the tiny preset's size, random weights"),
      .init(
        command: "zcat corpus.gz | mlm fit --max-steps 1000 --validation held-out.txt -",
        meaning: "text from a pipe, 1000 steps, validated on a file"),
      .init(
        command: "mlm fit --schedule linear --warmup-ratio 0.06 --optimizer adamw novels.txt",
        meaning: "the recipe of the BERT papers"),
      .init(
        command: "mlm fit --config mlm-model/training.json --seed 1 --output other",
        meaning: "the same training again, with another seed"),
      .init(
        command: "mlm fit --epochs 3 --checkpoint-every 500 novels.txt --resume",
        meaning: "go on where the same command without --resume was interrupted"),
    ],
    environment: CommonOptions.environment)
}
