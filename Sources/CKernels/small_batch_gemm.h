// y = x·Wᵀ for few rows of x, for which OpenBLAS spends its time packing W: here the weights are read from memory once,
// in the order in which they are stored, and used for all rows.
//
// Each instruction set has a file. All kernels add up every element as OpenBLAS does (Goto and van de Geijn 2008):
// fused multiply-adds in the order of the inner dimension, in blocks whose sums are added to y. So a row's result is
// the same to the last bit whichever of the two computes it. small_batch_gemm_scalar.c defines that order.
#ifndef MLM_SMALL_BATCH_GEMM_H
#define MLM_SMALL_BATCH_GEMM_H

#include "CKernels.h"

/// The parts of a kernel; CKernels.h describes them.
typedef struct {
  void (*multiply)(const mlm_small_batch_gemm *gemm, size_t begin, size_t end, const float *following, float *scratch);
  /// NULL if x is read in place.
  void (*pack)(const mlm_small_batch_gemm *gemm, float *scratch);
  size_t (*scratch)(const mlm_small_batch_gemm *gemm);
  size_t (*unit)(const mlm_small_batch_gemm *gemm);
} mlm_small_batch_kernel;

extern const mlm_small_batch_kernel mlm_scalar_kernel, mlm_avx2_kernel, mlm_avx2_transposed_kernel,
    mlm_avx2_packed_kernel, mlm_avx512_kernel;

/// The most rows for which AVX2 uses the transposed kernel.
enum { TRANSPOSED_ROWS = 4 };

void mlm_pack_weights_avx2(const float *w, size_t w_stride, size_t begin, size_t end, size_t inner, float *packed);

// MARK: edges of OpenBLAS' panels

/// The rows of each 12 that OpenBLAS' Haswell kernel adds up in its other order at column j of n, where j is a multiple
/// of 8: 1 for rows 0 to 5, 2 for rows 6 to 11, 0 for none.
int mlm_edge_rows(size_t j, size_t n);

/// Recomputes the parts of columns [begin, end) at the edges of OpenBLAS' panels in its order there, with AVX2: about a
/// fortieth of all, or nothing if the order has no special edges (mlm_summation_order.splits_edges). begin is a
/// multiple of 8.
void mlm_recompute_edges(const mlm_small_batch_gemm *gemm, size_t begin, size_t end, float *scratch);
/// The floats of scratch memory for it.
enum { EDGES_SCRATCH = 8 * MLM_LARGEST_BLOCK };

// MARK: helpers

#define INLINE static inline __attribute__((always_inline))

/// The bias of the columns from j on in the block of the inner dimension that begins at `block`; NULL except in the
/// first block.
INLINE const float *bias_of_block(const mlm_small_batch_gemm *p, size_t j, size_t block) {
  return block == 0 && p->bias ? p->bias + j : NULL;
}

/// Prefetches the bias of some columns, which is needed at the end of their first block. Otherwise each group of
/// columns waits for memory there (1.5 % of the time of a line).
INLINE void prefetch_bias(const mlm_small_batch_gemm *p, size_t j, size_t columns) {
  if (!p->bias) return;
  const char *end = (const char *)(p->bias + j + columns);
  for (const char *line = (const char *)(p->bias + j); line < end; line += 64) __builtin_prefetch(line);
}

/// The weights to prefetch while `step` columns from j on are computed: the next columns, or `following`. If there are
/// none, the current columns are prefetched again, which costs nothing.
static inline const float *next_columns(
    const mlm_small_batch_gemm *p, size_t j, size_t step, size_t end, const float *following) {
  if (j + step < end) return p->w + (j + step) * p->w_stride;
  return following ? following : p->w + j * p->w_stride;
}

#endif
