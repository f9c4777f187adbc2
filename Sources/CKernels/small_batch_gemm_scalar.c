// The small-batch GEMM, one number at a time. It defines the order of additions, to which the tests compare the other
// kernels.
#include "small_batch_gemm.h"

#include <math.h>

/// The columns of OpenBLAS' panels.
enum { OPENBLAS_PANEL = 320 };

// The first eight columns of a panel are an edge for rows 0 to 5, the last eight for the half that remains with them.
int mlm_edge_rows(size_t j, size_t n) {
  // All panels but the last two are full.
  const size_t full = n < 2 * OPENBLAS_PANEL ? 0 : (n - 2 * OPENBLAS_PANEL) / OPENBLAS_PANEL + 1;
  size_t start = (j / OPENBLAS_PANEL < full ? j / OPENBLAS_PANEL : full) * OPENBLAS_PANEL, size = 0;
  for (; start < n; start += size) {
    size = mlm_next_block(n - start, OPENBLAS_PANEL, 8);
    if (j < start + size) break;
  }
  if (j < start + 8) return 1;
  return j + 8 < start + size ? 0 : size % 16 == 0 ? 1 : 2;
}

/// Σ x·w over a block. splits: even and odd terms separately, in groups of eight.
static float sum_of_block(const float *x, const float *w, size_t count, int splits) {
  const size_t groups = count / 8 * 8;
  float even = 0, odd = 0;
  for (size_t k = 0; k < count; k++) {
    float *sum = splits && k % 2 && k < groups ? &odd : &even;
    *sum = fmaf(x[k], w[k], *sum);
  }
  return splits ? even + odd : even;
}

static void multiply(const mlm_small_batch_gemm *p, size_t begin, size_t end, const float *following, float *scratch) {
  for (size_t row = 0; row < p->rows; row++)
    for (size_t j = begin; j < end; j++) {
      const int half = row % 12 < 6 ? 1 : 2;
      const int splits = p->order.splits_edges && mlm_edge_rows(j / 8 * 8, p->columns) & half;
      const float *x = p->x + row * p->x_stride, *w = p->w + j * p->w_stride;
      float *y = p->y + row * p->y_stride + j;
      for (size_t k = 0, size; k < p->inner; k += size) {
        size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
        const float sum = sum_of_block(x + k, w + k, size, splits);
        *y = k > 0 ? *y + sum : p->bias ? p->bias[j] + sum : sum;
      }
    }
}

static size_t scratch(const mlm_small_batch_gemm *p) { return 0; }
static size_t unit(const mlm_small_batch_gemm *p) { return 8; }

const mlm_small_batch_kernel mlm_scalar_kernel = {.multiply = multiply, .scratch = scratch, .unit = unit};
