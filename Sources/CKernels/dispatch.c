// Which instruction set is taken: the widest that the processor has, or a narrower one for tests and measurements.
#include "rows.h"

#include <stdlib.h>
#include <strings.h>

#if defined(__x86_64__)

/// What MLM_MAX_CPU_ISA allows, named after oneDNN's variable.
static mlm_instruction_set most_allowed(void) {
  const char *name = getenv("MLM_MAX_CPU_ISA");
  if (name && strcasecmp(name, "baseline") == 0) return MLM_BASELINE;
  return name && strcasecmp(name, "avx2") == 0 ? MLM_AVX2 : MLM_AVX512;
}

static mlm_instruction_set widest(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    return MLM_AVX512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? MLM_AVX2 : MLM_BASELINE;
}

mlm_instruction_set mlm_instructions(void) {
  const mlm_instruction_set has = widest(), allowed = most_allowed();
  return has < allowed ? has : allowed;
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
