#compdef mlm
# Completions of mlm for zsh; made by 'mlm completions zsh'.

_mlm_commands() {
  local -a commands=(
    'fit:train on text, write a model directory'
    'predict:fill [MASK] tokens'
    'evaluate:loss, accuracy and perplexity of text'
    'tokenize:text to word pieces and ids'
    'info:what a model is made of'
    'presets:list, download, verify and export presets'
    'completions:completions for bash, zsh or fish'
    'manual:the manual as a man page'
    'help:help on a command or a topic'
  )
  _describe -t commands command commands
}

_mlm_presets() {
  local -a presets=(
    'distil_bert_base_en_uncased:The base model, 6 layers, 768 wide, for lower-cased English'
    'distil_bert_base_en:The base model, 6 layers, 768 wide, for English with its case kept'
    'distil_bert_base_multi:The base model, 6 layers, 768 wide, for 104 languages with case kept'
    'distil_bert_tiny_en_uncased:A tiny model, 4 layers, 256 wide, for lower-cased English, trained on a hundred old novels'
  )
  local result=1
  _describe -t presets preset presets && result=0
  _files -/ && result=0
  return result
}

_mlm() {
  local curcontext=$curcontext state line result=1
  local -A opt_args
  # Options after the command are the command's own.
  _arguments -C -A '-*' : \
    '(- *)-h[show help; -h is short, --help teaches]' \
    '(- *)--help[show help; -h is short, --help teaches]' \
    '(- *)--version[show the version]' \
    '1: :_mlm_commands' \
    '*:: :->arguments' && result=0
  if [[ $state == arguments ]]; then
    case $line[1] in
      fit)
        _arguments -S : \
          '--preset=[name, directory, hf\://OWNER/NAME]:P:_mlm_presets' \
          '--no-load-weights[random weights from --seed]' \
          '--sequence-length=[tokens per sample]:N: ' \
          '--learn-vocabulary=[learn N word pieces from the FILEs]:N: ' \
          '--vocabulary=[take this one, a piece a line]:FILE:_files' \
          '--lowercase[the vocabulary is for lower-cased text]' \
          '--cased[the vocabulary keeps case and accents]' \
          '--min-frequency=[a piece is seen N times at least]:N: ' \
          '--keep-special-ids[special tokens keep the preset'\''s ids]' \
          '--layers=[encoder layers]:N: ' \
          '--hidden-dim=[width of the model]:N: ' \
          '--heads=[attention heads]:N: ' \
          '--intermediate-dim=[width of feed-forward]:N: ' \
          '--samples=[lines or packed]:HOW:(lines packed)' \
          '--truncate[drop what does not fit a sample]' \
          '--pairs[a line is two segments, tab between]' \
          '--strict[invalid UTF-8 is an error]' \
          '--special-tokens-in-text[find \[SEP\], \[CLS\] … in the text]' \
          '--preprocessed[inputs are integer samples, not text]' \
          '--output=[the model directory to write]:DIR:_files -/' \
          '--overwrite[replace a model directory that is there]' \
          '--resume[go on from the newest checkpoint]' \
          '--checkpoint-every=[a checkpoint each N steps]:N: ' \
          '--keep=[keep the newest N checkpoints]:N: ' \
          '--log=[a CSV row per report]:FILE:_files' \
          '--log-every=[steps from row to row of the log]:N: ' \
          '--tensorboard=[event files for TensorBoard]:DIR:_files -/' \
          '--epochs=[passes over the samples]:N: ' \
          '--max-steps=[stop after N optimizer steps]:N: ' \
          '--batch-size=[samples per optimizer step]:N: ' \
          '--gradient-accumulation=[batches per optimizer step]:N: ' \
          '--loss-reduction=[or sum-over-batch-size]:HOW:(masked-mean sum-over-batch-size)' \
          '--dropout=[overrides the model'\''s dropout]:X: ' \
          '--freeze-backbone[train the head alone]' \
          '*--freeze=[keep these parts as they are]:P,P…: ' \
          '--no-shuffle[samples in file order]' \
          '--optimizer=[adam or adamw]:NAME:(adam adamw)' \
          '--learning-rate=[peak learning rate]:X: ' \
          '--change-learning-rate[with --resume\: --learning-rate may differ]' \
          '--weight-decay=[decoupled weight decay]:X: ' \
          '--beta1=[decay of the first moment]:X: ' \
          '--beta2=[decay of the second moment]:X: ' \
          '--epsilon=[added to the root of the second moment]:X: ' \
          '--schedule=[constant, linear or cosine]:NAME:(constant linear cosine)' \
          '--warmup-steps=[steps up to the peak rate]:N: ' \
          '--warmup-ratio=[the same as a share of all steps]:X: ' \
          '--clip-norm=[clip gradients by global norm]:X: ' \
          '--mask-selection-rate=[share of tokens to predict]:X: ' \
          '--mask-selection-length=[at most this many in a sample]:N: ' \
          '--mask-token-rate=[share of those that become \[MASK\]]:X: ' \
          '--random-token-rate=[share that becomes a random token]:X: ' \
          '--mask-sampling=[exact or bernoulli]:HOW:(exact bernoulli)' \
          '--whole-word-masking[select whole words, not pieces]' \
          '--mask-unknown[\[UNK\] may be selected, too]' \
          '--validation=[evaluated after each epoch]:FILE:_files' \
          '--validation-split=[hold out this share instead]:X: ' \
          '--early-stopping=[stop after N evaluations without progress]:N: ' \
          '--config=[options and FILEs from training.json]:FILE:_files' \
          '--verbose[say where the time goes, too]' \
          '--seed=[every random choice comes from it]:N: ' \
          '--threads=[threads to compute with]:N: ' \
          '--offline[never touch the network]' \
          '--quiet[errors only on standard error]' \
          '(- *)-h[show help; -h is short, --help teaches]' \
          '(- *)--help[show help; -h is short, --help teaches]' \
          '*:FILE:_files' \
          && result=0
        ;;
      predict)
        _arguments -S : \
          '--preset=[name, directory, hf\://OWNER/NAME]:P:_mlm_presets' \
          '--no-load-weights[random weights from --seed]' \
          '--sequence-length=[tokens per sample]:N: ' \
          '--allow-untrained-head[predict with a new head, at random]' \
          '--input=[inputs are the lines of FILE]:FILE:_files' \
          '--strict[invalid UTF-8 is an error]' \
          '--special-tokens-in-text[find \[SEP\], \[CLS\] … in the text]' \
          '--preprocessed[inputs are integer samples, not text]' \
          '--top-k=[candidates per mask]:K: ' \
          '*--targets=[score only these words]:W,W...: ' \
          '--joint[fill several masks together]' \
          '--min-score=[leave out what is less probable]:X: ' \
          '--unique-words[no ## pieces]' \
          '--format=[text, json, tsv or fill]:NAME:(text json tsv fill)' \
          '--batch-tokens=[at most this many tokens together]:N: ' \
          '--seed=[every random choice comes from it]:N: ' \
          '--threads=[threads to compute with]:N: ' \
          '--offline[never touch the network]' \
          '--quiet[errors only on standard error]' \
          '(- *)-h[show help; -h is short, --help teaches]' \
          '(- *)--help[show help; -h is short, --help teaches]' \
          '*:TEXT: ' \
          && result=0
        ;;
      evaluate)
        _arguments -S : \
          '--preset=[name, directory, hf\://OWNER/NAME]:P:_mlm_presets' \
          '--no-load-weights[random weights from --seed]' \
          '--sequence-length=[tokens per sample]:N: ' \
          '--samples=[lines or packed]:HOW:(lines packed)' \
          '--truncate[drop what does not fit a sample]' \
          '--pairs[a line is two segments, tab between]' \
          '--strict[invalid UTF-8 is an error]' \
          '--special-tokens-in-text[find \[SEP\], \[CLS\] … in the text]' \
          '--preprocessed[inputs are integer samples, not text]' \
          '--format=[text or json]:NAME:(text json)' \
          '--pseudo-perplexity[mask every token in its turn too]' \
          '--pseudo-variant=[or within-word-l2r]:HOW:(original within-word-l2r)' \
          '--per-sample[one JSON object per sample]' \
          '--mask-selection-rate=[share of tokens to predict]:X: ' \
          '--mask-selection-length=[at most this many in a sample]:N: ' \
          '--mask-token-rate=[share of those that become \[MASK\]]:X: ' \
          '--random-token-rate=[share that becomes a random token]:X: ' \
          '--mask-sampling=[exact or bernoulli]:HOW:(exact bernoulli)' \
          '--whole-word-masking[select whole words, not pieces]' \
          '--mask-unknown[\[UNK\] may be selected, too]' \
          '--batch-size=[accepted; has no effect]:N: ' \
          '--seed=[every random choice comes from it]:N: ' \
          '--threads=[threads to compute with]:N: ' \
          '--offline[never touch the network]' \
          '--quiet[errors only on standard error]' \
          '(- *)-h[show help; -h is short, --help teaches]' \
          '(- *)--help[show help; -h is short, --help teaches]' \
          '*:FILE:_files' \
          && result=0
        ;;
      tokenize)
        _arguments -S : \
          '--preset=[name, directory, hf\://OWNER/NAME]:P:_mlm_presets' \
          '--input=[inputs are the lines of FILE]:FILE:_files' \
          '--special-tokens-in-text[find \[SEP\], \[CLS\] … in the text]' \
          '--decode[turn lines of ids back into text]' \
          '--strict[invalid UTF-8 is an error]' \
          '--format=[json, ids or tokens]:NAME:(json ids tokens)' \
          '--add-special-tokens[put \[CLS\] and \[SEP\] around]' \
          '--offline[never touch the network]' \
          '--quiet[errors only on standard error]' \
          '(- *)-h[show help; -h is short, --help teaches]' \
          '(- *)--help[show help; -h is short, --help teaches]' \
          '*:TEXT: ' \
          && result=0
        ;;
      info)
        _arguments -S : \
          '--preset=[name, directory, hf\://OWNER/NAME]:P:_mlm_presets' \
          '--format=[text or json]:NAME:(text json)' \
          '--offline[never touch the network]' \
          '--quiet[errors only on standard error]' \
          '(- *)-h[show help; -h is short, --help teaches]' \
          '(- *)--help[show help; -h is short, --help teaches]' \
          && result=0
        ;;
      presets)
        _arguments -S : \
          '--download[fetch NAMEs, print their directories]' \
          '--verify[check files and predictions of NAMEs]' \
          '--format=[text or json]:NAME:(text json)' \
          '--export=[write NAME as a model directory]:DIR:_files -/' \
          '--overwrite[replace a model directory that is there]' \
          '--float16[export at half the size]' \
          '--offline[never touch the network]' \
          '--quiet[errors only on standard error]' \
          '(- *)-h[show help; -h is short, --help teaches]' \
          '(- *)--help[show help; -h is short, --help teaches]' \
          '*:NAME:_mlm_presets' \
          && result=0
        ;;
      completions)
        _arguments -S : \
          '(- *)-h[show help; -h is short, --help teaches]' \
          '(- *)--help[show help; -h is short, --help teaches]' \
          '1:SHELL:(bash zsh fish)' \
          && result=0
        ;;
      manual)
        _arguments -S : \
          '(- *)-h[show help; -h is short, --help teaches]' \
          '(- *)--help[show help; -h is short, --help teaches]' \
          && result=0
        ;;
      help)
        _arguments -S : \
          '1::COMMAND|TOPIC:(fit predict evaluate tokenize info presets completions manual training formats machines migrating)' \
          && result=0
        ;;
    esac
  fi
  return result
}

# As a function of fpath it was called for a completion; from ~/.zshrc it is only to be known.
if [[ $funcstack[1] == _mlm ]]; then
  _mlm "$@"
else
  compdef _mlm mlm
fi
