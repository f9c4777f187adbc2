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

typedef struct {
  mlm_few_rows_function *product;
  /// NULL where x is read where it lies.
  mlm_few_rows_packer *pack;
  mlm_few_rows_sizer *scratch, *unit;
} kernel;

static kernel kernel_for(mlm_instruction_set instructions, const mlm_few_rows *product) {
  if (product->is_packed)
    return (kernel){
        mlm_few_rows_panels_avx2, mlm_few_rows_panels_pack_avx2, mlm_few_rows_panels_scratch_avx2, mlm_few_rows_panels_unit_avx2};
  if (instructions == MLM_AVX512)
    return (kernel){mlm_few_rows_avx512, mlm_few_rows_pack_avx512, mlm_few_rows_scratch_avx512, mlm_few_rows_unit_avx512};
  if (product->rows <= TURNED_ROWS)
    return (kernel){mlm_few_rows_turned_avx2, NULL, mlm_few_rows_turned_scratch_avx2, mlm_few_rows_unit_avx2};
  return (kernel){mlm_few_rows_avx2, mlm_few_rows_pack_avx2, mlm_few_rows_scratch_avx2, mlm_few_rows_unit_avx2};
}

int mlm_takes_panels(mlm_instruction_set instructions) { return instructions == MLM_AVX2; }

void mlm_pack_panels(
    const float *w, size_t w_stride, size_t begin, size_t end, size_t inner, float *panels) {
  mlm_pack_panels_avx2(w, w_stride, begin, end, inner, panels);
}

size_t mlm_few_rows_scratch(mlm_instruction_set instructions, const mlm_few_rows *product) {
  return kernel_for(instructions, product).scratch(product);
}

size_t mlm_few_rows_unit(mlm_instruction_set instructions, const mlm_few_rows *product) {
  return kernel_for(instructions, product).unit(product);
}

void mlm_few_rows_pack(mlm_instruction_set instructions, const mlm_few_rows *product, float *scratch) {
  mlm_few_rows_packer *pack = kernel_for(instructions, product).pack;
  if (pack) pack(product, scratch);
}

void mlm_few_rows_product(
    mlm_instruction_set instructions, const mlm_few_rows *product, size_t begin, size_t end, const float *following,
    float *scratch) {
  kernel_for(instructions, product).product(product, begin, end, following, scratch);
}

#else

int mlm_takes_panels(mlm_instruction_set instructions) { return 0; }
void mlm_pack_panels(
    const float *w, size_t w_stride, size_t begin, size_t end, size_t inner, float *panels) {}
size_t mlm_few_rows_scratch(mlm_instruction_set instructions, const mlm_few_rows *product) { return 0; }
size_t mlm_few_rows_unit(mlm_instruction_set instructions, const mlm_few_rows *product) { return 0; }
void mlm_few_rows_pack(mlm_instruction_set instructions, const mlm_few_rows *product, float *scratch) {}
void mlm_few_rows_product(
    mlm_instruction_set instructions, const mlm_few_rows *product, size_t begin, size_t end, const float *following,
    float *scratch) {}

#endif
