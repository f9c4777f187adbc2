import CommandLine

extension HelpTopic {
  static let formats = HelpTopic(
    name: "formats", title: "text, samples, predictions, models and tokenizers, presets",
    blocks: [
      .heading("Text"),
      .paragraph(
        """
        UTF-8, one sample or input per line. A line ends at \\n and nowhere else; one \\r before it is dropped, and so \
        is a byte-order mark at the start. Invalid UTF-8 becomes U+FFFD and is counted in a warning; with --strict it \
        is an error. UTF-16, UTF-32 and binary files are refused. fit and evaluate skip blank lines.
        """),
      .paragraph(
        """
        In fit and evaluate, [MASK], [SEP] and the other special tokens in the text are ordinary characters. In \
        predict, [MASK] is the mask and the others are ordinary characters. --special-tokens-in-text finds all five, \
        as transformers does. Tokens that users added to a vocabulary are always found, by the rules of the \
        tokenizers library.
        """),
      .paragraph(
        """
        File names are bytes. Messages and cards show a name that is not UTF-8 as caf\\xe9.txt, JSON files as \
        "caf\\udce9.txt", which --config and --resume read back.
        """),

      .heading("Preprocessed samples (--preprocessed)"),
      .paragraph("JSON Lines with the arrays of KerasHub's preprocessor, one sample per line:"),
      .code([
        #"{"token_ids":[2,57,4,80,3], "mask_positions":[2], "labels":[61]}"#
      ]),
      .table([
        Row("token_ids", "ids, [CLS] and [SEP] included"),
        Row("mask_positions", "indices of the masked tokens"),
        Row("labels", "their ids; needed by fit and evaluate"),
        Row("padding_mask", "1 for a token, 0 for padding [all 1]"),
        Row("sample_weight", "a weight per masked token [all 1]"),
      ]),

      .heading("Predictions (predict --format)"),
      .table([
        Row("text", "a table for people"),
        Row(
          "json",
          "one line per input, in the schema of transformers' fill-mask pipeline; one array per mask if there are "
            + "several"),
        Row("tsv", "input, mask, rank, score, token, token_str"),
        Row("fill", "the text with the best word in each mask"),
      ]),
      .paragraph(
        """
        In json, a target of several word pieces has "token": null and its ids in "tokens"; an input that failed is \
        {"line": n, "error": "…"}. tsv counts inputs and masks from 0, ranks from 1, and has no header. fill leaves \
        the rest of the text unchanged, byte for byte. Numbers are the same in every locale. Color is used only on \
        terminals, and not with NO_COLOR or TERM=dumb.
        """),

      .heading("Models"),
      .paragraph(
        """
        Directories in Hugging Face's layout: config.json; model.safetensors, in one file or in shards, with tensors \
        in F32 (used in place), F16, BF16 or F64; tokenizer.json, or vocab.txt with tokenizer_config.json. \
        pytorch_model.bin is not read, because a pickle can run code. A prefix that all tensor names share (module., \
        _orig_mod., model.) is removed, with a note.
        """),
      .paragraph(
        """
        presets --export DIR NAME --weights float16, bfloat16 or int8 writes smaller weights. int8 is the layout of the \
        package compressed-tensors (format int-quantized, which transformers loads with that package): the encoder's \
        matrices in I8 with .weight_scale, one scale per output row; embeddings and the head's matrices in BF16; biases \
        and norms in F32. Directories in this layout by other tools are read too, also with one scale per matrix. The \
        weights must be symmetric 8-bit integers; scales of activations in the file are not used, as each token has its \
        own. Other quantized formats (4 bits, FP8, GPTQ, AWQ, bitsandbytes) are refused. fit refuses int8 weights.
        """),
      .paragraph(
        """
        The output matrix is the word embedding, unless config.json says "tie_word_embeddings": false or the file has \
        another vocab_projector.weight. It is then a separate matrix: trained, frozen with the head, and written. A \
        model without a head is loaded with a new one and a warning; predict refuses it unless --allow-untrained-head \
        is given.
        """),
      .paragraph(
        """
        KerasHub's preset directories (config.json, model.weights.h5, task.weights.h5) are read by builds with the \
        trait KerasWeights. KerasHub's official presets have no head, so run fit before predict. fit always writes \
        Hugging Face's layout.
        """),
      .code([
        "Scripts/setup --keras-weights",
        "swift build -c release --product mlm --traits KerasWeights",
      ]),

      .heading("Tokenizers"),
      .paragraph(
        """
        The class in tokenizer_config.json decides. BERT's classes, also the default, use the vocabulary of \
        tokenizer.json and the settings do_lower_case, strip_accents and tokenize_chinese_chars. Others, such as \
        PreTrainedTokenizerFast, follow tokenizer.json. Supported components, alone or in a Sequence: the normalizers \
        BertNormalizer, NFD, NFC, Lowercase, StripAccents, Strip, and Replace with a plain string; the pre-tokenizers \
        BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation and Digits. Others are refused by name. A note \
        says where files disagree and which one is used.
        """),
      .paragraph(
        """
        In vocab.txt, the later of two equal lines counts, blank lines are ids without a piece, and trailing white \
        space is dropped, with a note.
        """),

      .heading("Presets of your own (MLM_PRESETS)"),
      .code([
        #"{"presets": ["#,
        #"  {"name": "letters", "directory": "models/letters"},"#,
        #"  {"name": "medical", "repository": "OWNER/NAME", "revision": "main"}"#,
        #"]}"#,
      ]),
      .paragraph("Sizes, hashes and published predictions are optional; --verify checks those that are there."),
    ])
}
