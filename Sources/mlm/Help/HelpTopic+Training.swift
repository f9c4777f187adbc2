import CommandLine

extension HelpTopic {
  static let training = HelpTopic(
    name: "training", title: "vocabularies, checkpoints, repeating a run, what a run writes",
    blocks: [
      .heading("Which learning rate, which samples"),
      .paragraph(
        """
        To continue training a model, start with the defaults: Adam, a constant learning rate of 5e-5, one line per \
        sample. For random weights, use a higher rate with a warm-up, such as --learning-rate 1e-3 --schedule linear \
        --warmup-ratio 0.05.
        """),
      .paragraph(
        """
        With long samples, random weights learn little but word frequencies for a long time. Train an epoch of short \
        samples first, and continue from that model:
        """),
      .code([
        "mlm fit a.txt --no-load-weights --samples packed --sequence-length 32 \\",
        "  --output m1",
        "mlm fit a.txt --preset m1 --samples packed --epochs 5 --output m2",
      ]),

      .heading("A vocabulary of your own"),
      .paragraph(
        """
        --learn-vocabulary N learns N word pieces from the FILEs, as Hugging Face's WordPieceTrainer does, and trains \
        a model with random weights. --vocabulary FILE uses an existing vocab.txt. --layers, --hidden-dim, --heads and \
        --intermediate-dim change the size of the model.
        """),
      .paragraph(
        """
        The five special tokens are added to the N pieces, with the ids 0 to 4; --keep-special-ids gives them the \
        preset's ids. Case and accents are treated as in the preset, unless --cased or --lowercase is given. Every \
        character of the text becomes a piece, as long as the characters take no more than half of the N. The number \
        of threads does not change the vocabulary. Memory grows with the number of different words, not with the text.
        """),
      .paragraph("If more than 1 % of the tokens are [UNK], a warning names the cause."),

      .heading("Training a part of the model"),
      .paragraph(
        """
        --freeze names the parts to leave unchanged: embeddings, layers:0-3, backbone, head. Layers below the lowest \
        trained part cost only their forward pass. A head that no step has changed is not written, so that the next \
        program knows that it is untrained.
        """),

      .heading("Interrupting and resuming"),
      .paragraph(
        """
        A checkpoint is written to DIR/checkpoints after each epoch, every N steps with --checkpoint-every N, and when \
        Ctrl-C or SIGTERM stops the training after the current step. The same command with --resume continues from \
        the newest one. With the same threads, the final model has the same bytes as without the interruption, even \
        after kill -9 or a power cut.
        """),
      .code([
        "mlm fit a.txt --epochs 3 --checkpoint-every 500",
        "mlm fit a.txt --epochs 3 --checkpoint-every 500 --resume",
      ]),
      .paragraph(
        """
        A resumed run must do the same computation. Changed text, batch size, seed or optimizer are errors that name \
        the option. Text is compared by a hash of all its bytes, --preset and --vocabulary by their content; without \
        --preset, the checkpoint's model is used. --epochs and --max-steps may grow unless the learning rate depends \
        on them. Another learning rate needs --change-learning-rate. Other --threads (the last digits may change) and \
        another --early-stopping are noted.
        """),
      .paragraph(
        """
        The two newest checkpoints are kept (--keep N), and the one with the best validation loss. Each is a model \
        directory: 'mlm predict --preset DIR/checkpoints/step-500' works. If the newest is damaged, the error names \
        the file and the command that resumes from the one before. If the loss or the gradient is no longer finite, \
        training stops and names the step, the learning rate and the last good checkpoint.
        """),

      .heading("What a run writes"),
      .table([
        Row("config.json, model.safetensors", "the model, in Hugging Face's layout"),
        Row("vocab.txt, tokenizer.json", "the tokenizer"),
        Row("history.csv", "a row per --log-every steps and per epoch"),
        Row("history.svg", "losses and learning rate as a chart"),
        Row("README.md", "model card: data, results, command"),
        Row("training.json", "all options, for --config"),
        Row("checkpoints/", "for --resume"),
      ]),
      .paragraph(
        """
        The directory appears complete or not at all, and a command that loads it meanwhile gets the old model or the \
        new one. A README.md that you wrote is kept; the card is then MODEL_CARD.md. --log FILE and --tensorboard DIR \
        are written during the training. Losses and accuracies in the history are means over the epoch so far; where \
        no token was masked, they are empty.
        """),

      .heading("Repeating a run"),
      .paragraph(
        """
        --config DIR/training.json repeats a run and gives the same model, byte for byte. Options and FILEs on the \
        command line override those of the file. The file may also be one you wrote: {"files": ["a.txt"], "options": \
        {"epochs": 3}}.
        """),
      .code(["mlm fit --config m1/training.json --seed 1 --output m2"]),
    ])
}
