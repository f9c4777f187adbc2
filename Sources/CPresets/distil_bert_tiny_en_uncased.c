#include "CPresets.h"

// #embed is C23, but clang accepts it in earlier language versions too.
#pragma clang diagnostic ignored "-Wc23-extensions"

_Alignas(4096) static const unsigned char weights[] = {
#embed "distil_bert_tiny_en_uncased/model.safetensors"
};
static const unsigned char vocabulary[] = {
#embed "distil_bert_tiny_en_uncased/vocab.txt"
};

const mlm_file mlm_tiny_weights = {weights, sizeof weights};
const mlm_file mlm_tiny_vocabulary = {vocabulary, sizeof vocabulary};
