// Which few-row product is taken.
#include "few_rows.h"

#if defined(__x86_64__)

size_t mlm_few_rows_scratch(mlm_instruction_set instructions, const mlm_few_rows *product) {
  return instructions == MLM_AVX512 ? mlm_few_rows_scratch_avx512(product->rows, product->inner)
                                    : mlm_few_rows_scratch_avx2(product->rows, product->inner);
}

void mlm_few_rows_product(
    mlm_instruction_set instructions, const mlm_few_rows *product, size_t begin, size_t end, const float *following,
    float *scratch) {
  mlm_few_rows_function *compute = instructions == MLM_AVX512 ? mlm_few_rows_avx512 : mlm_few_rows_avx2;
  compute(product, begin, end, following, scratch);
}

#else

size_t mlm_few_rows_scratch(mlm_instruction_set instructions, const mlm_few_rows *product) { return 0; }
void mlm_few_rows_product(
    mlm_instruction_set instructions, const mlm_few_rows *product, size_t begin, size_t end, const float *following,
    float *scratch) {}

#endif
