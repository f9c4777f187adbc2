// y = x·Wᵀ for few rows of x, where OpenBLAS spends its time packing: the weights are read once, in the order they lie in,
// turned panel by panel in the first-level cache, and used for all rows.
//
// Every element is added up as OpenBLAS does it (Goto and van de Geijn 2008): fused multiply-adds in the order of the inner
// dimension, in blocks whose sums are added to y. So a row's result is the same to the last bit whichever of the two
// computes it.

#include "CKernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

enum { PANEL = 16 };

/// The size of the next block where `left` are left: a full one, or the nearer half where that would leave a small rest.
static inline size_t next_block(size_t left, size_t block, size_t multiple) {
  if (left >= 2 * block) return block;
  if (left > block) return (left / 2 + multiple - 1) / multiple * multiple;
  return left;
}

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

static inline void pack_rows(const float *x, size_t stride, size_t rows, size_t inner, float *packed) {
  for (size_t r = 0; r < rows; r++) {
    const float *from = x + r * stride;
    for (size_t k = 0; k < inner; k++) packed[k * rows + r] = from[k];
  }
}

#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")))
#define INLINE static inline __attribute__((always_inline))

// MARK: AVX-512: 16 columns × up to 28 rows in registers

enum { ROWS_512 = 28, STREAMED_512 = 6 };

// 16 × 16 numbers of w are turned at a time: whole cache lines, as rows of some lengths all lie in one set of the first-level cache,
// which does not hold sixteen. In two steps of four parts each, which can be done between other things.

/// quarters[q] = quarter q of the rows i, i + 4, i + 8, i + 12.
TARGET INLINE void turn_rows_512(const float *const w[PANEL], int i, size_t k, __m512 quarters[4]) {
  __m512 a = _mm512_loadu_ps(w[i] + k), b = _mm512_loadu_ps(w[i + 4] + k);
  __m512 c = _mm512_loadu_ps(w[i + 8] + k), d = _mm512_loadu_ps(w[i + 12] + k);
  __m512 ab_low = _mm512_shuffle_f32x4(a, b, 0x44), ab_high = _mm512_shuffle_f32x4(a, b, 0xEE);
  __m512 cd_low = _mm512_shuffle_f32x4(c, d, 0x44), cd_high = _mm512_shuffle_f32x4(c, d, 0xEE);
  quarters[0] = _mm512_shuffle_f32x4(ab_low, cd_low, 0x88);
  quarters[1] = _mm512_shuffle_f32x4(ab_low, cd_low, 0xDD);
  quarters[2] = _mm512_shuffle_f32x4(ab_high, cd_high, 0x88);
  quarters[3] = _mm512_shuffle_f32x4(ab_high, cd_high, 0xDD);
}

/// turned[k] = the 16 rows' number k of a quarter, from that quarter of the rows i, i + 4, … for i = 0 … 3.
TARGET INLINE void turn_quarter_512(__m512 v0, __m512 v1, __m512 v2, __m512 v3, __m512 turned[4]) {
  __m512 a = _mm512_unpacklo_ps(v0, v1), b = _mm512_unpackhi_ps(v0, v1);
  __m512 c = _mm512_unpacklo_ps(v2, v3), d = _mm512_unpackhi_ps(v2, v3);
  turned[0] = _mm512_shuffle_ps(a, c, 0x44);
  turned[1] = _mm512_shuffle_ps(a, c, 0xEE);
  turned[2] = _mm512_shuffle_ps(b, d, 0x44);
  turned[3] = _mm512_shuffle_ps(b, d, 0xEE);
}

TARGET INLINE void turn_block_512(const float *const w[PANEL], size_t k, __m512 turned[16]) {
  __m512 v[4][4];
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) turn_rows_512(w, i, k, v[i]);
#pragma clang loop unroll(full)
  for (int q = 0; q < 4; q++) turn_quarter_512(v[0][q], v[1][q], v[2][q], v[3][q], turned + 4 * q);
}

/// panel[k][16] = w[16 rows][k0 + k] for k from `done` on.
TARGET INLINE void turn_512(const float *const w[PANEL], size_t k0, size_t done, size_t count, float *panel) {
  size_t k = done;
  for (; k + 16 <= count; k += 16) {
    __m512 turned[16];
    turn_block_512(w, k0 + k, turned);
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) _mm512_store_ps(panel + 16 * (k + i), turned[i]);
  }
  for (; k < count; k++)
    for (int i = 0; i < PANEL; i++) panel[16 * k + i] = w[i][k0 + k];
}

TARGET INLINE void finish_512(__m512 sum, float *y, const float *bias, __mmask16 mask, int adds) {
  if (adds) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, y), sum);
  if (bias) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, bias));
  _mm512_mask_storeu_ps(y, mask, sum);
}

/// The product of so few rows that the memory's speed decides: what is turned is used at once. count is a multiple of 16.
TARGET INLINE void stream_512(
    const int rows, const float *x, const float *const w[PANEL], size_t k0, size_t count, float *y, size_t stride,
    __mmask16 mask, int adds, const float *bias, const char *ahead) {
  __m512 sums[STREAMED_512];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sums[r] = _mm512_setzero_ps();
  for (size_t k = 0; k < count; k += 16) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) _mm_prefetch(ahead + 64 * (k + i), _MM_HINT_T1);
    __m512 turned[16];
    turn_block_512(w, k0 + k, turned);
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++)
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++)
        sums[r] = _mm512_fmadd_ps(turned[i], _mm512_set1_ps(x[(k + i) * rows + r]), sums[r]);
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) finish_512(sums[r], y + r * stride, bias, mask, adds);
}

/// What is turned while a tile is computed: the block that is next.
typedef struct {
  const float *w[PANEL];
  size_t k, count;
  float *panel;
  size_t done;
} coming_512;

TARGET INLINE void tile_512(
    const int rows, const float *x, const float *panel, size_t count, float *y, size_t stride, __mmask16 mask, int adds,
    const float *bias, const char *ahead, coming_512 *coming) {
  __m512 sums[ROWS_512];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sums[r] = _mm512_setzero_ps();
#define MULTIPLY(k)                                                                                                       \
  do {                                                                                                                    \
    __m512 factor = _mm512_load_ps(panel + 16 * (k));                                                                     \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++)                                                     \
        sums[r] = _mm512_fmadd_ps(factor, _mm512_set1_ps(x[(k)*rows + r]), sums[r]);                                      \
  } while (0)
  size_t k = 0;
  const size_t shared = coming->count < count ? coming->count : count;
  float quarters[4][4][16] __attribute__((aligned(64)));
  for (; k + 16 <= shared; k += 16) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
      _mm_prefetch(ahead + 64 * (k + 4 * i), _MM_HINT_T1);
      _mm_prefetch(ahead + 64 * (k + 4 * i + 1), _MM_HINT_T1);
      _mm_prefetch(ahead + 64 * (k + 4 * i + 2), _MM_HINT_T1);
      _mm_prefetch(ahead + 64 * (k + 4 * i + 3), _MM_HINT_T1);
      __m512 v[4];
      turn_rows_512(coming->w, i, coming->k + k, v);
      for (int q = 0; q < 4; q++) _mm512_store_ps(quarters[q][i], v[q]);
      MULTIPLY(k + 2 * i);
      MULTIPLY(k + 2 * i + 1);
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++) {
      __m512 v[4];
      turn_quarter_512(
          _mm512_load_ps(quarters[q][0]), _mm512_load_ps(quarters[q][1]), _mm512_load_ps(quarters[q][2]),
          _mm512_load_ps(quarters[q][3]), v);
      for (int i = 0; i < 4; i++) _mm512_store_ps(coming->panel + 16 * (k + 4 * q + i), v[i]);
      MULTIPLY(k + 8 + 2 * q);
      MULTIPLY(k + 9 + 2 * q);
    }
  }
  coming->done = k;
  for (; k < count; k++) {
    _mm_prefetch(ahead + 64 * k, _MM_HINT_T1);
    MULTIPLY(k);
  }
#undef MULTIPLY
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) finish_512(sums[r], y + r * stride, bias, mask, adds);
}

INLINE void rows_of_panel(const float *w, size_t stride, size_t j, size_t end, const float *rows[PANEL]) {
  for (size_t i = 0; i < PANEL; i++) rows[i] = w + (j + i < end ? j + i : end - 1) * stride;
}

TARGET static void product_512(
    const float *x, size_t x_stride, size_t rows, const float *w, size_t w_stride, size_t inner, const float *bias, float *y,
    size_t y_stride, size_t begin, size_t end, const mlm_order *order, float *scratch) {
  float *panel = scratch, *next_panel = scratch + PANEL * MLM_LARGEST_BLOCK, *packed = next_panel + PANEL * MLM_LARGEST_BLOCK;
  const size_t tiles = (rows + ROWS_512 - 1) / ROWS_512;
  for (size_t t = 0; t < tiles; t++) {
    size_t from = rows * t / tiles, to = rows * (t + 1) / tiles;
    pack_rows(x + from * x_stride, x_stride, to - from, inner, packed + from * inner);
  }
  const int streams = rows <= STREAMED_512 && inner % 16 == 0;
  coming_512 coming = {.done = 0};
  for (size_t j = begin; j < end; j += PANEL) {
    const size_t columns = end - j < PANEL ? end - j : PANEL;
    const __mmask16 mask = (__mmask16)((1u << columns) - 1);
    const float *rows_of_w[PANEL];
    rows_of_panel(w, w_stride, j, end, rows_of_w);
    // The next panel is on its way to the second-level cache while this one is used.
    const char *ahead = (const char *)(w + (j + PANEL < end ? j + PANEL : j) * w_stride);
    for (size_t k = 0, size; k < inner; k += size) {
      size = next_block(inner - k, order->block, order->multiple);
      const float *shift = k + size == inner && bias ? bias + j : NULL;
      if (streams) {
        const float *xs = packed + k * rows;
        switch (rows) {
#define CASE(r) \
  case r: stream_512(r, xs, rows_of_w, k, size, y + j, y_stride, mask, k > 0, shift, ahead + 64 * k); break;
          CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
        }
        continue;
      }
      if (j == begin && k == 0) turn_512(rows_of_w, 0, 0, size, panel);
      // The block after this one, of the same panel or the next, is turned while this one is used.
      coming.k = k + size < inner ? k + size : 0;
      coming.count = 0;
      coming.panel = next_panel;
      if (coming.k > 0 || j + PANEL < end) {
        rows_of_panel(w, w_stride, coming.k > 0 ? j : j + PANEL, end, coming.w);
        coming.count = next_block(inner - coming.k, order->block, order->multiple);
      }
      const size_t to_turn = coming.count;
      for (size_t t = 0; t < tiles; t++) {
        const size_t from = rows * t / tiles, count = rows * (t + 1) / tiles - from;
        const float *xs = packed + from * inner + k * count;
        float *ys = y + from * y_stride + j;
        if (t > 0) coming.count = 0;
        switch (count) {
#define CASE(r) case r: tile_512(r, xs, panel, size, ys, y_stride, mask, k > 0, shift, ahead + 64 * k, &coming); break;
          CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
          CASE(15) CASE(16) CASE(17) CASE(18) CASE(19) CASE(20) CASE(21) CASE(22) CASE(23) CASE(24) CASE(25) CASE(26) CASE(27)
          CASE(28)
#undef CASE
        }
        if (t == 0 && to_turn > coming.done) turn_512(coming.w, coming.k, coming.done, to_turn, next_panel);
      }
      float *turned = next_panel;
      next_panel = panel;
      panel = turned;
    }
  }
}
#undef TARGET

// MARK: AVX2: 16 columns × up to 6 rows in registers

#define TARGET __attribute__((target("avx2,fma")))

enum { ROWS_256 = 6 };

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
TARGET INLINE void turn_256(const float *const w[PANEL], size_t k0, size_t count, float *panel) {
  size_t k = 0;
  for (; k + 16 <= count; k += 16)
    for (int half = 0; half < 2; half++)
#pragma clang loop unroll(full)
      for (size_t i = k; i < k + 16; i += 4) turn_4_by_8(w + 8 * half, k0 + i, panel + 16 * i + 8 * half);
  for (; k < count; k++)
    for (int i = 0; i < PANEL; i++) panel[16 * k + i] = w[i][k0 + k];
}

TARGET INLINE void finish_256(__m256 sum, float *y, const float *bias, __m256i mask, int adds) {
  if (adds) sum = _mm256_add_ps(_mm256_maskload_ps(y, mask), sum);
  if (bias) sum = _mm256_add_ps(sum, _mm256_maskload_ps(bias, mask));
  _mm256_maskstore_ps(y, mask, sum);
}

TARGET INLINE void tile_256(
    const int rows, const float *x, const float *panel, size_t count, float *y, size_t stride, const __m256i mask[2],
    int adds, const float *bias, const char *ahead) {
  __m256 low[ROWS_256], high[ROWS_256];
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
    finish_256(low[r], y + r * stride, bias, mask[0], adds);
    finish_256(high[r], y + r * stride + 8, bias ? bias + 8 : NULL, mask[1], adds);
  }
}

/// Eight columns as OpenBLAS' Haswell kernel computes them at a panel's edge: even and odd terms apart, in groups of eight.
TARGET INLINE void edge_tile_256(
    const int rows, const float *x, const float *panel, size_t count, float *y, size_t stride, __m256i mask, int adds,
    const float *bias) {
  __m256 even[ROWS_256], odd[ROWS_256];
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
  for (int r = 0; r < rows; r++) finish_256(_mm256_add_ps(even[r], odd[r]), y + r * stride, bias, mask, adds);
}

TARGET static void product_256(
    const float *x, size_t x_stride, size_t rows, const float *w, size_t w_stride, size_t n, size_t inner,
    const float *bias, float *y, size_t y_stride, size_t begin, size_t end, const mlm_order *order,
    float *scratch) {
  float *panel = scratch, *packed = scratch + 2 * PANEL * MLM_LARGEST_BLOCK;
  for (size_t from = 0; from < rows; from += ROWS_256) {
    size_t count = rows - from < ROWS_256 ? rows - from : ROWS_256;
    pack_rows(x + from * x_stride, x_stride, count, inner, packed + from * inner);
  }
  for (size_t j = begin; j < end; j += PANEL) {
    size_t columns = end - j < PANEL ? end - j : PANEL;
    __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), width = _mm256_set1_epi32((int)columns);
    const __m256i mask[2] = {
        _mm256_cmpgt_epi32(width, lanes), _mm256_cmpgt_epi32(_mm256_sub_epi32(width, _mm256_set1_epi32(8)), lanes)};
    const int has_edges = order->splits_edges;
    const int edges[2] = {has_edges ? edge_rows(j, n) : 0, has_edges && j + 8 < n ? edge_rows(j + 8, n) : 0};
    const float *rows_of_w[PANEL];
    for (size_t i = 0; i < PANEL; i++) rows_of_w[i] = w + (j + (i < columns ? i : columns - 1)) * w_stride;
    const char *ahead = (const char *)(w + (j + PANEL < end ? j + PANEL : j) * w_stride);
    for (size_t k = 0, size; k < inner; k += size) {
      size = next_block(inner - k, order->block, order->multiple);
      turn_256(rows_of_w, k, size, panel);
      const float *shift = k + size == inner && bias ? bias + j : NULL;
      for (size_t from = 0; from < rows; from += ROWS_256) {
        size_t count = rows - from < ROWS_256 ? rows - from : ROWS_256;
        const float *xs = packed + from * inner + k * count;
        float *ys = y + from * y_stride + j;
        // A panel's edge: its eight columns are computed in the other order, over what the tile writes.
        const int rows_here = from % 12 == 0 ? 1 : 2;
        const int edge[2] = {edges[0] & rows_here, edges[1] & rows_here}, splits = edge[0] || edge[1];
        float kept[2][ROWS_256][8];
        if (splits)
          for (int half = 0; half < 2; half++)
            if (edge[half])
              for (size_t r = 0; r < count; r++)
                _mm256_storeu_ps(kept[half][r], _mm256_maskload_ps(ys + r * y_stride + 8 * half, mask[half]));
        switch (count) {
#define CASE(r) case r: tile_256(r, xs, panel, size, ys, y_stride, mask, k > 0, shift, from ? NULL : ahead + 64 * k); break;
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
#define CASE(r) case r: edge_tile_256(r, xs, panel + 8 * half, size, to, y_stride, mask[half], k > 0, edge_shift); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
          }
        }
      }
    }
  }
}
#undef TARGET

// MARK: the choice

size_t mlm_few_rows_scratch(size_t rows, size_t inner) { return 2 * PANEL * MLM_LARGEST_BLOCK + rows * inner; }

void mlm_few_rows_product(
    mlm_instruction_set instructions, const float *x, size_t x_stride, size_t rows, const float *w, size_t w_stride,
    size_t n, size_t inner, const float *bias, float *y, size_t y_stride, size_t begin, size_t end, mlm_order order,
    float *scratch) {
  // AVX-512 is not written for the order of a kernel for AVX2.
  if (instructions == MLM_AVX512 && !order.splits_edges)
    product_512(x, x_stride, rows, w, w_stride, inner, bias, y, y_stride, begin, end, &order, scratch);
  else
    product_256(x, x_stride, rows, w, w_stride, n, inner, bias, y, y_stride, begin, end, &order, scratch);
}

#else

size_t mlm_few_rows_scratch(size_t rows, size_t inner) { return 0; }
void mlm_few_rows_product(
    mlm_instruction_set instructions, const float *x, size_t x_stride, size_t rows, const float *w, size_t w_stride,
    size_t n, size_t inner, const float *bias, float *y, size_t y_stride, size_t begin, size_t end, mlm_order order,
    float *scratch) {}

#endif
