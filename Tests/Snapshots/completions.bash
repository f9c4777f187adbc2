# Completions of mlm for bash; made by 'mlm completions bash'.

# What the value of option $2 of command $1 may be: sets the words, and the paths besides them (file or directory).
# Fails where the option takes no value.
_mlm_value() {
  case "$1 $2" in
    'fit --preset' | \
    'predict --preset' | \
    'evaluate --preset' | \
    'tokenize --preset' | \
    'info --preset')
      words='distil_bert_base_en_uncased distil_bert_base_en distil_bert_base_multi distil_bert_tiny_en_uncased' paths=directory
      ;;
    'fit --sequence-length' | \
    'fit --learn-vocabulary' | \
    'fit --min-frequency' | \
    'fit --layers' | \
    'fit --hidden-dim' | \
    'fit --heads' | \
    'fit --intermediate-dim' | \
    'fit --checkpoint-every' | \
    'fit --keep' | \
    'fit --log-every' | \
    'fit --epochs' | \
    'fit --max-steps' | \
    'fit --batch-size' | \
    'fit --gradient-accumulation' | \
    'fit --dropout' | \
    'fit --freeze' | \
    'fit --learning-rate' | \
    'fit --weight-decay' | \
    'fit --beta1' | \
    'fit --beta2' | \
    'fit --epsilon' | \
    'fit --warmup-steps' | \
    'fit --warmup-ratio' | \
    'fit --clip-norm' | \
    'fit --mask-selection-rate' | \
    'fit --mask-selection-length' | \
    'fit --mask-token-rate' | \
    'fit --random-token-rate' | \
    'fit --validation-split' | \
    'fit --early-stopping' | \
    'fit --seed' | \
    'fit --threads' | \
    'predict --sequence-length' | \
    'predict --top-k' | \
    'predict --targets' | \
    'predict --min-score' | \
    'predict --batch-tokens' | \
    'predict --seed' | \
    'predict --threads' | \
    'evaluate --sequence-length' | \
    'evaluate --mask-selection-rate' | \
    'evaluate --mask-selection-length' | \
    'evaluate --mask-token-rate' | \
    'evaluate --random-token-rate' | \
    'evaluate --batch-size' | \
    'evaluate --seed' | \
    'evaluate --threads')
      :
      ;;
    'fit --vocabulary' | \
    'fit --log' | \
    'fit --validation' | \
    'fit --config' | \
    'predict --input' | \
    'tokenize --input')
      paths=file
      ;;
    'fit --samples' | \
    'evaluate --samples')
      words='lines packed'
      ;;
    'fit --output' | \
    'fit --tensorboard' | \
    'presets --export')
      paths=directory
      ;;
    'fit --loss-reduction')
      words='masked-mean sum-over-batch-size'
      ;;
    'fit --optimizer')
      words='adam adamw'
      ;;
    'fit --schedule')
      words='constant linear cosine'
      ;;
    'fit --mask-sampling' | \
    'evaluate --mask-sampling')
      words='exact bernoulli'
      ;;
    'predict --format')
      words='text json tsv fill'
      ;;
    'evaluate --format' | \
    'info --format' | \
    'presets --format')
      words='text json'
      ;;
    'evaluate --pseudo-variant')
      words='original within-word-l2r'
      ;;
    'tokenize --format')
      words='json ids tokens'
      ;;
    *) return 1 ;;
  esac
}

# The same for what may stand beside the options of command $1.
_mlm_operand() {
  case "$1" in
    fit) paths=file ;;
    predict) : ;;
    evaluate) paths=file ;;
    tokenize) : ;;
    info) : ;;
    presets) words='distil_bert_base_en_uncased distil_bert_base_en distil_bert_base_multi distil_bert_tiny_en_uncased' paths=directory ;;
    completions) words='bash zsh fish' ;;
    manual) : ;;
    help) words='fit predict evaluate tokenize info presets completions manual training formats machines migrating' ;;
  esac
}

# The options of command $1.
_mlm_option() {
  case "$1" in
    fit) words='--preset --no-load-weights --sequence-length --learn-vocabulary --vocabulary --lowercase --cased --min-frequency --keep-special-ids --layers --hidden-dim --heads --intermediate-dim --samples --truncate --pairs --strict --special-tokens-in-text --preprocessed --output --overwrite --resume --checkpoint-every --keep --log --log-every --tensorboard --epochs --max-steps --batch-size --gradient-accumulation --loss-reduction --dropout --freeze-backbone --freeze --no-shuffle --optimizer --learning-rate --change-learning-rate --weight-decay --beta1 --beta2 --epsilon --schedule --warmup-steps --warmup-ratio --clip-norm --mask-selection-rate --mask-selection-length --mask-token-rate --random-token-rate --mask-sampling --whole-word-masking --mask-unknown --validation --validation-split --early-stopping --config --verbose --seed --threads --offline --quiet -h --help' ;;
    predict) words='--preset --no-load-weights --sequence-length --allow-untrained-head --input --strict --special-tokens-in-text --preprocessed --top-k --targets --joint --min-score --unique-words --format --batch-tokens --seed --threads --offline --quiet -h --help' ;;
    evaluate) words='--preset --no-load-weights --sequence-length --samples --truncate --pairs --strict --special-tokens-in-text --preprocessed --format --pseudo-perplexity --pseudo-variant --per-sample --mask-selection-rate --mask-selection-length --mask-token-rate --random-token-rate --mask-sampling --whole-word-masking --mask-unknown --batch-size --seed --threads --offline --quiet -h --help' ;;
    tokenize) words='--preset --input --special-tokens-in-text --decode --strict --format --add-special-tokens --offline --quiet -h --help' ;;
    info) words='--preset --format --offline --quiet -h --help' ;;
    presets) words='--download --verify --format --export --overwrite --float16 --offline --quiet -h --help' ;;
    completions) words='-h --help' ;;
    manual) words='-h --help' ;;
    help) words='' ;;
  esac
}

_mlm() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  local index prefix= words= paths= word only_operands=
  for ((index = 2; index < COMP_CWORD; index++)); do
    [[ ${COMP_WORDS[index]} == -- ]] && only_operands=1
  done
  # --name=value is three words to bash, or one where COMP_WORDBREAKS was changed.
  if [[ $current == = ]]; then
    current=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $current == --*=* ]]; then
    before=${current%%=*} prefix=$before= current=${current#*=}
  fi

  if ((COMP_CWORD == 1)); then
    words='fit predict evaluate tokenize info presets completions manual help -h --help --version'
  elif [[ $only_operands ]]; then
    _mlm_operand "$command"
  elif [[ $before == -* ]] && _mlm_value "$command" "$before"; then
    :
  elif [[ $current == -* ]]; then
    _mlm_option "$command"
  else
    _mlm_operand "$command"
  fi

  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$prefix$word")
  done < <(
    compgen -W "$words" -- "$current"
    # Paths are best left to the shell, which knows how to quote them; but it knows nothing of a prefix.
    if [[ $prefix && $paths ]]; then compgen -A "$paths" -- "$current"; fi
  )
  if [[ ! $prefix ]]; then
    case $paths in
      file) compopt -o default ;;
      directory) compopt -o plusdirs ;;
    esac
  fi
}

complete -F _mlm mlm
