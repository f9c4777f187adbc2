// Chooses the instruction set: the widest that the processor supports, or a narrower one for tests and measurements.
#include "reduced_gemm.h"
#include "rows.h"

#include <stdlib.h>
#include <strings.h>

/// The levels of MLM_MAX_CPU_ISA (named after oneDNN's variable). The first three are mlm_instruction_set's.
typedef enum { LEVEL_BASELINE, LEVEL_AVX2, LEVEL_AVX512, LEVEL_VNNI, LEVEL_AMX } level;

/// The limit that a value sets; -1 for an invalid value.
static int limit(const char *value) {
  static const struct { const char *name; level level; } limits[] = {
      {"", LEVEL_AMX},         {"amx", LEVEL_AMX},   {"vnni", LEVEL_VNNI},
      {"avx512", LEVEL_AVX512}, {"avx2", LEVEL_AVX2}, {"baseline", LEVEL_BASELINE}};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    if (strcasecmp(value, limits[i].name) == 0) return (int)limits[i].level;
  return -1;
}

int mlm_knows_limit(const char *value) { return limit(value) >= 0; }

#if defined(__x86_64__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/// The level that MLM_MAX_CPU_ISA allows.
static level allowed(void) {
  const char *value = getenv("MLM_MAX_CPU_ISA");
  const int found = value ? limit(value) : -1;
  return found >= 0 ? (level)found : LEVEL_AMX;
}

static mlm_instruction_set widest(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    return MLM_AVX512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? MLM_AVX2 : MLM_BASELINE;
}

mlm_instruction_set mlm_instructions(void) {
  const mlm_instruction_set has = widest();
  const level most = allowed();
  return most < (level)has ? (mlm_instruction_set)most : has;
}

const mlm_rows *mlm_rows_for(mlm_instruction_set instructions) {
  switch (instructions) {
    case MLM_AVX512: return &mlm_rows_avx512;
    case MLM_AVX2: return &mlm_rows_avx2;
    case MLM_BASELINE: break;
  }
  return &mlm_rows_baseline;
}

// MARK: reduced precision

/// Whether bit `bit` of register `index` (eax, ebx, ecx, edx) is set in a subleaf of CPUID leaf 7.
static int leaf7(unsigned subleaf, int index, int bit) {
  unsigned r[4];
  if (!__get_cpuid_count(7, 0, &r[0], &r[1], &r[2], &r[3])) return 0;
  if (subleaf > r[0]) return 0;
  if (subleaf && !__get_cpuid_count(7, subleaf, &r[0], &r[1], &r[2], &r[3])) return 0;
  return (int)(r[index] >> bit & 1);
}

static int has_amx(void) { return leaf7(0, 3, 22) && leaf7(0, 3, 24) && leaf7(0, 3, 25); }

/// Asks Linux (5.16 and later) for the tiles' registers, once for all threads.
static int system_allows_amx(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  static int answer = -1;
  if (answer < 0) {
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    answer = (low >> 17 & 3) == 3 && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
  }
  return answer;
}

int mlm_system_refuses_amx(void) {
  return allowed() >= LEVEL_AMX && mlm_instructions() == MLM_AVX512 && has_amx() && !system_allows_amx();
}

int mlm_supports_reduced(mlm_format format, mlm_reduced_instructions instructions) {
  if (!mlm_kernel_of(format, instructions)->tile) return 0;
  const level most = allowed();
  const mlm_instruction_set has = mlm_instructions();
  switch (instructions) {
    case MLM_REDUCED_SCALAR: return 1;
    case MLM_REDUCED_AVX2: return has >= MLM_AVX2;
    case MLM_REDUCED_AVX512: return has >= MLM_AVX512;
    case MLM_REDUCED_AVX_VNNI: return most >= LEVEL_VNNI && has >= MLM_AVX2 && leaf7(1, 0, 4);
    case MLM_REDUCED_AVX512_VNNI:
      return most >= LEVEL_VNNI && has >= MLM_AVX512 && (format == MLM_INT8 ? leaf7(0, 2, 11) : leaf7(1, 0, 5));
    case MLM_REDUCED_AMX: return most >= LEVEL_AMX && has >= MLM_AVX512 && has_amx() && system_allows_amx();
    case MLM_REDUCED_INSTRUCTIONS: break;
  }
  return 0;
}

#else

mlm_instruction_set mlm_instructions(void) { return MLM_BASELINE; }
const mlm_rows *mlm_rows_for(mlm_instruction_set instructions) { return &mlm_rows_baseline; }
int mlm_system_refuses_amx(void) { return 0; }
int mlm_supports_reduced(mlm_format format, mlm_reduced_instructions instructions) {
  return instructions == MLM_REDUCED_SCALAR;
}

#endif

mlm_reduced_instructions mlm_best_reduced(mlm_format format, mlm_reduced_instructions widest) {
  int best = (int)widest;
  while (best > MLM_REDUCED_SCALAR && !mlm_supports_reduced(format, (mlm_reduced_instructions)best)) best--;
  return (mlm_reduced_instructions)best;
}
