// Chooses the instruction set: the widest that the processor supports, or a narrower one for tests and measurements.
#include "rows.h"

#include <stdlib.h>
#include <strings.h>

/// The limit that MLM_MAX_CPU_ISA sets (named after oneDNN's variable); -1 for an invalid value.
static int limit(const char *value) {
  static const struct { const char *name; mlm_instruction_set instructions; } limits[] = {
      {"", MLM_AVX512}, {"avx512", MLM_AVX512}, {"avx2", MLM_AVX2}, {"baseline", MLM_BASELINE}};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    if (strcasecmp(value, limits[i].name) == 0) return (int)limits[i].instructions;
  return -1;
}

int mlm_knows_limit(const char *value) { return limit(value) >= 0; }

#if defined(__x86_64__)

static mlm_instruction_set widest(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    return MLM_AVX512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? MLM_AVX2 : MLM_BASELINE;
}

mlm_instruction_set mlm_instructions(void) {
  const mlm_instruction_set has = widest();
  const char *value = getenv("MLM_MAX_CPU_ISA");
  const int allowed = value ? limit(value) : -1;
  return allowed >= 0 && allowed < (int)has ? (mlm_instruction_set)allowed : has;
}

const mlm_rows *mlm_rows_for(mlm_instruction_set instructions) {
  switch (instructions) {
    case MLM_AVX512: return &mlm_rows_avx512;
    case MLM_AVX2: return &mlm_rows_avx2;
    case MLM_BASELINE: break;
  }
  return &mlm_rows_baseline;
}

#else

mlm_instruction_set mlm_instructions(void) { return MLM_BASELINE; }
const mlm_rows *mlm_rows_for(mlm_instruction_set instructions) { return &mlm_rows_baseline; }

#endif
