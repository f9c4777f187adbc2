// The few-row product by AVX2: 16 columns × up to 6 rows in registers.
#include "few_rows.h"

#if defined(__x86_64__)

#include <immintrin.h>

/// Which rows of each 12 OpenBLAS' Haswell kernel adds up in its other order at column j, a multiple of 8: 1 for rows 0 to 5, 2 for rows
/// 6 to 11. It takes the first eight columns of a panel so for the former, and the last eight for whichever half they are left over in.
static inline int edge_rows(size_t j, size_t n) {
  size_t start = 0, size = 0;
  for (; start < n; start += size) {
    size = next_block(n - start, 320, 8);
    if (j < start + size) break;
  }
  if (j < start + 8) return 1;
  return j + 8 < start + size ? 0 : size % 16 == 0 ? 1 : 2;
}

#define TARGET __attribute__((target("avx2,fma")))

enum { ROWS = 6 };

static inline void pack_rows(const float *x, size_t stride, size_t rows, size_t inner, float *packed) {
  for (size_t r = 0; r < rows; r++) {
    const float *from = x + r * stride;
    // Scatter instructions, which the compiler would take, are several times as slow.
#pragma clang loop vectorize(disable)
    for (size_t k = 0; k < inner; k++) packed[k * rows + r] = from[k];
  }
}

TARGET INLINE void turn_4_by_8(const float *const w[8], size_t k, float *to) {
  __m256 v[4];
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++)
    v[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(w[i] + k)), _mm_loadu_ps(w[i + 4] + k), 1);
  __m256 a = _mm256_unpacklo_ps(v[0], v[1]), b = _mm256_unpackhi_ps(v[0], v[1]);
  __m256 c = _mm256_unpacklo_ps(v[2], v[3]), d = _mm256_unpackhi_ps(v[2], v[3]);
  _mm256_store_ps(to, _mm256_shuffle_ps(a, c, 0x44));
  _mm256_store_ps(to + 16, _mm256_shuffle_ps(a, c, 0xEE));
  _mm256_store_ps(to + 32, _mm256_shuffle_ps(b, d, 0x44));
  _mm256_store_ps(to + 48, _mm256_shuffle_ps(b, d, 0xEE));
}

/// panel[k][16] = w[16 rows][k], eight rows' cache lines at a time: rows of some lengths all lie in one set of the first-level
/// cache, which holds eight.
TARGET INLINE void turn(const float *const w[PANEL], size_t k0, size_t count, float *panel) {
  size_t k = 0;
  for (; k + 16 <= count; k += 16)
    for (int half = 0; half < 2; half++)
#pragma clang loop unroll(full)
      for (size_t i = k; i < k + 16; i += 4) turn_4_by_8(w + 8 * half, k0 + i, panel + 16 * i + 8 * half);
  for (; k < count; k++)
    for (int i = 0; i < PANEL; i++) panel[16 * k + i] = w[i][k0 + k];
}

TARGET INLINE void finish(__m256 sum, float *y, const float *bias, __m256i mask, int adds) {
  if (adds) sum = _mm256_add_ps(_mm256_maskload_ps(y, mask), sum);
  if (bias) sum = _mm256_add_ps(sum, _mm256_maskload_ps(bias, mask));
  _mm256_maskstore_ps(y, mask, sum);
}

TARGET INLINE void tile(
    const int rows, const float *x, const float *panel, size_t count, float *y, size_t stride, const __m256i mask[2],
    int adds, const float *bias, const char *ahead) {
  __m256 low[ROWS], high[ROWS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) low[r] = high[r] = _mm256_setzero_ps();
  for (size_t k = 0; k < count; k++) {
    if (ahead) _mm_prefetch(ahead + 64 * k, _MM_HINT_T1);
    __m256 w0 = _mm256_load_ps(panel + 16 * k), w1 = _mm256_load_ps(panel + 16 * k + 8);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      __m256 factor = _mm256_broadcast_ss(x + k * rows + r);
      low[r] = _mm256_fmadd_ps(w0, factor, low[r]);
      high[r] = _mm256_fmadd_ps(w1, factor, high[r]);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    finish(low[r], y + r * stride, bias, mask[0], adds);
    finish(high[r], y + r * stride + 8, bias ? bias + 8 : NULL, mask[1], adds);
  }
}

/// Eight columns as OpenBLAS' Haswell kernel computes them at a panel's edge: even and odd terms apart, in groups of eight.
TARGET INLINE void edge_tile(
    const int rows, const float *x, const float *panel, size_t count, float *y, size_t stride, __m256i mask, int adds,
    const float *bias) {
  __m256 even[ROWS], odd[ROWS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm256_setzero_ps();
  size_t k = 0;
  for (; k + 8 <= count; k += 8)
    for (size_t i = k; i < k + 8; i += 2)
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        even[r] = _mm256_fmadd_ps(_mm256_load_ps(panel + 16 * i), _mm256_broadcast_ss(x + i * rows + r), even[r]);
        odd[r] = _mm256_fmadd_ps(_mm256_load_ps(panel + 16 * i + 16), _mm256_broadcast_ss(x + (i + 1) * rows + r), odd[r]);
      }
  for (; k < count; k++)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
      even[r] = _mm256_fmadd_ps(_mm256_load_ps(panel + 16 * k), _mm256_broadcast_ss(x + k * rows + r), even[r]);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) finish(_mm256_add_ps(even[r], odd[r]), y + r * stride, bias, mask, adds);
}

size_t mlm_few_rows_scratch_avx2(size_t rows, size_t inner) { return PANEL * MLM_LARGEST_BLOCK + rows * inner; }

TARGET void mlm_few_rows_avx2(
    const mlm_few_rows *p, size_t begin, size_t end, const float *following, float *scratch) {
  const size_t rows = p->rows, inner = p->inner, n = p->columns, y_stride = p->y_stride;
  const float *bias = p->bias;
  float *panel = scratch, *packed = scratch + PANEL * MLM_LARGEST_BLOCK;
  for (size_t from = 0; from < rows; from += ROWS) {
    size_t count = rows - from < ROWS ? rows - from : ROWS;
    pack_rows(p->x + from * p->x_stride, p->x_stride, count, inner, packed + from * inner);
  }
  for (size_t j = begin; j < end; j += PANEL) {
    size_t columns = end - j < PANEL ? end - j : PANEL;
    __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), width = _mm256_set1_epi32((int)columns);
    const __m256i mask[2] = {
        _mm256_cmpgt_epi32(width, lanes), _mm256_cmpgt_epi32(_mm256_sub_epi32(width, _mm256_set1_epi32(8)), lanes)};
    const int has_edges = p->order.splits_edges;
    const int edges[2] = {has_edges ? edge_rows(j, n) : 0, has_edges && j + 8 < n ? edge_rows(j + 8, n) : 0};
    const float *rows_of_w[PANEL];
    rows_of_panel(p->w, p->w_stride, j, end, rows_of_w);
    const char *ahead = (const char *)ahead_of(p, j, PANEL, end, following);
    for (size_t k = 0, size; k < inner; k += size) {
      size = next_block(inner - k, p->order.block, p->order.multiple);
      turn(rows_of_w, k, size, panel);
      const float *shift = k + size == inner && bias ? bias + j : NULL;
      for (size_t from = 0; from < rows; from += ROWS) {
        size_t count = rows - from < ROWS ? rows - from : ROWS;
        const float *xs = packed + from * inner + k * count;
        float *ys = p->y + from * y_stride + j;
        // A panel's edge: its eight columns are computed in the other order, over what the tile writes.
        const int rows_here = from % 12 == 0 ? 1 : 2;
        const int edge[2] = {edges[0] & rows_here, edges[1] & rows_here}, splits = edge[0] || edge[1];
        float kept[2][ROWS][8];
        if (splits)
          for (int half = 0; half < 2; half++)
            if (edge[half])
              for (size_t r = 0; r < count; r++)
                _mm256_storeu_ps(kept[half][r], _mm256_maskload_ps(ys + r * y_stride + 8 * half, mask[half]));
        switch (count) {
#define CASE(r) case r: tile(r, xs, panel, size, ys, y_stride, mask, k > 0, shift, from ? NULL : ahead + 64 * k); break;
          CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
        }
        if (!splits) continue;
        for (int half = 0; half < 2; half++) {
          if (!edge[half]) continue;
          float *to = ys + 8 * half;
          const float *edge_shift = shift ? shift + 8 * half : NULL;
          for (size_t r = 0; r < count; r++) _mm256_maskstore_ps(to + r * y_stride, mask[half], _mm256_loadu_ps(kept[half][r]));
          switch (count) {
#define CASE(r) case r: edge_tile(r, xs, panel + 8 * half, size, to, y_stride, mask[half], k > 0, edge_shift); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
          }
        }
      }
    }
  }
}

#endif
