// Chooses the kernel of a small-batch GEMM.
#include "small_batch_gemm.h"

static const mlm_small_batch_kernel *kernel_for(mlm_instruction_set instructions, const mlm_small_batch_gemm *gemm) {
#if defined(__x86_64__)
  if (gemm->is_packed) return &mlm_avx2_packed_kernel;
  switch (instructions) {
    case MLM_AVX512: return &mlm_avx512_kernel;
    case MLM_AVX2: return gemm->rows <= TRANSPOSED_ROWS ? &mlm_avx2_transposed_kernel : &mlm_avx2_kernel;
    case MLM_BASELINE: break;
  }
#endif
  return &mlm_scalar_kernel;
}

size_t mlm_small_batch_scratch(mlm_instruction_set instructions, const mlm_small_batch_gemm *gemm) {
  return kernel_for(instructions, gemm)->scratch(gemm);
}

size_t mlm_small_batch_unit(mlm_instruction_set instructions, const mlm_small_batch_gemm *gemm) {
  return kernel_for(instructions, gemm)->unit(gemm);
}

void mlm_small_batch_pack(mlm_instruction_set instructions, const mlm_small_batch_gemm *gemm, float *scratch) {
  const mlm_small_batch_kernel *kernel = kernel_for(instructions, gemm);
  if (kernel->pack) kernel->pack(gemm, scratch);
}

void mlm_small_batch_multiply(
    mlm_instruction_set instructions, const mlm_small_batch_gemm *gemm, size_t begin, size_t end,
    const float *following, float *scratch) {
  kernel_for(instructions, gemm)->multiply(gemm, begin, end, following, scratch);
}

int mlm_supports_packed_weights(mlm_instruction_set instructions) { return instructions == MLM_AVX2; }

void mlm_pack_weights(const float *w, size_t w_stride, size_t begin, size_t end, size_t inner, float *packed) {
#if defined(__x86_64__)
  mlm_pack_weights_avx2(w, w_stride, begin, end, inner, packed);
#endif
}
