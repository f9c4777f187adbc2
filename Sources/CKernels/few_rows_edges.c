// What OpenBLAS' Haswell kernel adds up in another order than the rest: the edges of its panels of columns.
#include "few_rows.h"

#if defined(__x86_64__)

#include "eights_avx2.h"

/// PANEL: OpenBLAS' panels of columns.
enum { TILE_ROWS = 6, PANEL = 320 };

int mlm_edge_rows(size_t j, size_t n) {
  // All panels are full ones but the last two.
  const size_t full = n < 2 * PANEL ? 0 : (n - 2 * PANEL) / PANEL + 1;
  size_t start = (j / PANEL < full ? j / PANEL : full) * PANEL, size = 0;
  for (; start < n; start += size) {
    size = mlm_next_block(n - start, PANEL, 8);
    if (j < start + size) break;
  }
  if (j < start + 8) return 1;
  return j + 8 < start + size ? 0 : size % 16 == 0 ? 1 : 2;
}

/// Eight columns as OpenBLAS' Haswell kernel computes them at a panel's edge: even and odd terms apart, in groups of eight.
TARGET INLINE void edge_tile(
    const int rows, const float *x, size_t x_stride, const float *turned, size_t count, float *y, size_t y_stride,
    __m256i mask, int adds, const float *bias) {
  __m256 even[TILE_ROWS], odd[TILE_ROWS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm256_setzero_ps();
  size_t k = 0;
  for (; k + 8 <= count; k += 8)
    for (size_t i = k; i < k + 8; i += 2)
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const float *from = x + r * x_stride + i;
        even[r] = _mm256_fmadd_ps(_mm256_loadu_ps(turned + LANES * i), _mm256_broadcast_ss(from), even[r]);
        odd[r] = _mm256_fmadd_ps(_mm256_loadu_ps(turned + LANES * (i + 1)), _mm256_broadcast_ss(from + 1), odd[r]);
      }
  for (; k < count; k++)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
      even[r] = _mm256_fmadd_ps(_mm256_loadu_ps(turned + LANES * k), _mm256_broadcast_ss(x + r * x_stride + k), even[r]);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    __m256 sum = _mm256_add_ps(even[r], odd[r]);
    if (adds) sum = _mm256_add_ps(_mm256_maskload_ps(y + r * y_stride, mask), sum);
    if (bias) sum = _mm256_add_ps(_mm256_maskload_ps(bias, mask), sum);
    _mm256_maskstore_ps(y + r * y_stride, mask, sum);
  }
}

TARGET void mlm_few_rows_edges(const mlm_few_rows *p, size_t begin, size_t end, float *turned) {
  if (!p->order.splits_edges) return;
  for (size_t j = begin; j < end; j += LANES) {
    const int halves = mlm_edge_rows(j, p->columns);
    if (!halves) continue;
    const size_t columns = end - j < LANES ? end - j : LANES;
    const __m256i mask = first_lanes(columns);
    for (size_t k = 0, size; k < p->inner; k += size) {
      size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
      pack_vector(p->w + j * p->w_stride + k, p->w_stride, columns, size, turned, LANES);
      const float *bias = bias_of_block(p, j, k);
      for (size_t from = 0; from < p->rows; from += TILE_ROWS) {
        if (!(halves & (from % 12 == 0 ? 1 : 2))) continue;
        const float *x = p->x + from * p->x_stride + k;
        float *y = p->y + from * p->y_stride + j;
        switch (p->rows - from) {
#define TILE(r) edge_tile(r, x, p->x_stride, turned, size, y, p->y_stride, mask, k > 0, bias)
          case 1: TILE(1); break;
          case 2: TILE(2); break;
          case 3: TILE(3); break;
          case 4: TILE(4); break;
          case 5: TILE(5); break;
          default: TILE(TILE_ROWS); break;
#undef TILE
        }
      }
    }
  }
}

#endif
