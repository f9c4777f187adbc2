// Which instruction set the processor has.
#include "rows.h"

#if defined(__x86_64__)

mlm_instruction_set mlm_instructions(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    return MLM_AVX512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? MLM_AVX2 : MLM_BASELINE;
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
