// Which few-row product is taken.
#include "few_rows.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdatomic.h>

int mlm_multiplies_in_halves(void) {
  // Asked once: under a hypervisor that takes microseconds.
  static atomic_int known = -1;
  int halves = atomic_load_explicit(&known, memory_order_relaxed);
  if (halves < 0) {
    // AMD's function 8000001A: FP256 (bit 2) without FP512 (bit 3). Others do not have it.
    unsigned eax = 0, ebx, ecx, edx;
    halves = __get_cpuid(0x8000001A, &eax, &ebx, &ecx, &edx) && (eax & 0xC) == 0x4;
    atomic_store_explicit(&known, halves, memory_order_relaxed);
  }
  return halves;
}

size_t mlm_few_rows_scratch(mlm_instruction_set instructions, const mlm_few_rows *product) {
  return instructions == MLM_AVX512 ? mlm_few_rows_scratch_avx512(product->rows, product->inner)
                                    : mlm_few_rows_scratch_avx2(product->rows, product->inner);
}

size_t mlm_few_rows_unit(mlm_instruction_set instructions, const mlm_few_rows *product) {
  return instructions == MLM_AVX512 ? mlm_few_rows_unit_avx512(product) : UNIT_AVX2;
}

void mlm_few_rows_pack(mlm_instruction_set instructions, const mlm_few_rows *product, float *scratch) {
  mlm_few_rows_packer *pack = instructions == MLM_AVX512 ? mlm_few_rows_pack_avx512 : mlm_few_rows_pack_avx2;
  pack(product, scratch);
}

void mlm_few_rows_product(
    mlm_instruction_set instructions, const mlm_few_rows *product, size_t begin, size_t end, const float *following,
    float *scratch) {
  mlm_few_rows_function *compute = instructions == MLM_AVX512 ? mlm_few_rows_avx512 : mlm_few_rows_avx2;
  compute(product, begin, end, following, scratch);
}

#else

size_t mlm_few_rows_scratch(mlm_instruction_set instructions, const mlm_few_rows *product) { return 0; }
size_t mlm_few_rows_unit(mlm_instruction_set instructions, const mlm_few_rows *product) { return 0; }
void mlm_few_rows_pack(mlm_instruction_set instructions, const mlm_few_rows *product, float *scratch) {}
void mlm_few_rows_product(
    mlm_instruction_set instructions, const mlm_few_rows *product, size_t begin, size_t end, const float *following,
    float *scratch) {}

#endif
