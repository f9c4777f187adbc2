import CommandLine

extension HelpTopic {
  static let migrating = HelpTopic(
    name: "migrating", title: "options of KerasHub and transformers",
    blocks: [
      .paragraph(
        """
        mlm computes the same numbers as KerasHub and transformers, but its options have other names. If you type an \
        option of run_mlm.py, the error names the option to use instead.
        """),

      .heading("From KerasHub"),
      .table([
        Row("from_preset(P)", "--preset P"),
        Row("from_preset(P, load_weights=False)", "--preset P --no-load-weights"),
        Row("DistilBertBackbone(num_layers=N)", "--layers N"),
        Row("  hidden_dim, num_heads", "--hidden-dim, --heads"),
        Row("  intermediate_dim", "--intermediate-dim"),
        Row("compute_word_piece_vocabulary(..., N)", "--learn-vocabulary N-5 (without the special tokens)"),
        Row("sequence_length, truncate", "--sequence-length, --truncate"),
        Row("mask_selection_rate", "--mask-selection-rate"),
        Row("mask_selection_length", "--mask-selection-length"),
        Row("mask_token_rate", "--mask-token-rate"),
        Row("random_token_rate", "--random-token-rate"),
        Row("compile(Adam(X))", "--learning-rate X"),
        Row("AdamW(weight_decay=X)", "--optimizer adamw --weight-decay X"),
        Row("global_clipnorm=X", "--clip-norm X"),
        Row("gradient_accumulation_steps=N", "--gradient-accumulation N"),
        Row("backbone.trainable = False", "--freeze-backbone"),
        Row("fit(batch_size=N, epochs=N)", "--batch-size N --epochs N"),
        Row("fit(validation_data=...)", "--validation FILE"),
        Row("fit(validation_split=X)", "--validation-split X"),
        Row("EarlyStopping(patience=N)", "--early-stopping N (restores the best weights)"),
        Row("ModelCheckpoint", "--checkpoint-every N, --keep N"),
        Row("BackupAndRestore", "--resume"),
        Row("CSVLogger, TensorBoard", "--log FILE, --tensorboard DIR"),
        Row("set_random_seed(N)", "--seed N"),
        Row("save_to_preset(DIR)", "--output DIR"),
      ]),
      .paragraph("These defaults differ:"),
      .table([
        Row(
          "Tokenizer",
          "Hugging Face's, with which the published weights were trained. KerasHub's lowercases and strips "
            + "accents in another way."),
        Row("Long lines", "continue in further samples; --truncate cuts them."),
        Row("[UNK]", "is never selected for masking; --mask-unknown selects it."),
        Row(
          "Training loss",
          "is divided by the masked tokens. For Keras' divisor, all mask slots of the batch: --loss-reduction "
            + "sum-over-batch-size. Reported losses are per masked token."),
        Row(
          "Head",
          "The head of a published checkpoint is loaded. KerasHub loads the backbone and starts with a new "
            + "head."),
        Row("Padding", "There is none; the results are the same."),
      ]),

      .heading("From transformers"),
      .table([
        Row("pipeline(\"fill-mask\", model=P)", "mlm predict --preset P"),
        Row("  top_k=K, targets=[...]", "--top-k K, --targets W,W…"),
        Row("run_mlm.py --model_name_or_path P", "mlm fit --preset P"),
        Row("--config_name P (from scratch)", "--preset P --no-load-weights"),
        Row("--train_file F", "F"),
        Row("--validation_file F", "--validation F"),
        Row("--validation_split_percentage 5", "--validation-split 0.05"),
        Row("--line_by_line", "the default"),
        Row("without --line_by_line", "--samples packed"),
        Row("--max_seq_length N", "--sequence-length N"),
        Row("--mlm_probability X", "--mask-selection-rate X --mask-sampling bernoulli"),
        Row("DataCollatorForWholeWordMask", "--whole-word-masking"),
        Row("--per_device_train_batch_size N", "--batch-size N"),
        Row("--gradient_accumulation_steps N", "--gradient-accumulation N"),
        Row("AdamW, --weight_decay X", "--optimizer adamw --weight-decay X"),
        Row("--adam_epsilon 1e-8", "--epsilon 1e-8"),
        Row("--learning_rate X", "--learning-rate X"),
        Row("--lr_scheduler_type linear", "--schedule linear"),
        Row("--warmup_steps, --warmup_ratio", "--warmup-steps, --warmup-ratio"),
        Row("--max_grad_norm X", "--clip-norm X"),
        Row("--num_train_epochs, --max_steps", "--epochs, --max-steps"),
        Row("--seed N", "--seed N"),
        Row("--save_steps N", "--checkpoint-every N"),
        Row("--save_total_limit N", "--keep N"),
        Row("--resume_from_checkpoint", "--resume"),
        Row("--logging_steps, --logging_dir", "--log-every, --tensorboard"),
        Row("WordPieceTrainer(vocab_size=N)", "--learn-vocabulary N-5 (without the special tokens)"),
        Row("save_pretrained(DIR)", "--output DIR"),
      ]),
      .paragraph("These defaults differ:"),
      .table([
        Row(
          "Masking",
          "selects exactly 15 % of a line's tokens, rounded up. --mask-sampling bernoulli selects each token at "
            + "random."),
        Row(
          "Adam",
          "has Keras' defaults and formula: --epsilon is 1e-7, added to the root of the uncorrected second "
            + "moment."),
        Row("sequence", "in a prediction is your text with the mask replaced, not decoded tokens."),
        Row(
          "Targets",
          "of several word pieces are scored by all their pieces, not only the first. Scores are shares of the "
            + "whole vocabulary, as there."),
        Row(
          "Special tokens",
          "in the text are plain text, except [MASK] in predict; --special-tokens-in-text finds them."),
        Row("Padding", "There is none; the results are the same."),
      ]),
    ])
}
