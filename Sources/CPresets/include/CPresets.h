// The files of the presets that are part of the program. Their pages are read on first access.

#ifndef MLM_PRESETS_H
#define MLM_PRESETS_H

#include <stddef.h>

/// A file's bytes.
typedef struct {
  const unsigned char *bytes;
  size_t count;
} mlm_file;

/// distil_bert_tiny_en_uncased: its weights (safetensors), aligned to a page, and its word pieces, one per line.
extern const mlm_file mlm_tiny_weights, mlm_tiny_vocabulary;

#endif
