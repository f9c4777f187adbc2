// 16 columns × up to 24 rows in registers, for processors that multiply 512 bits in two halves (Zen 4): there one fetch of x a
// multiplication costs nothing, and sums need not be put aside within a block. (21 rows: a seventh faster than 32 columns × 7 rows three
// times, where turning costs more; why was not found.)
//
// Included by few_rows_avx512.c, whose helpers it uses.
#ifndef MLM_FEW_ROWS_TALL_AVX512_H
#define MLM_FEW_ROWS_TALL_AVX512_H

enum { TALL = 24 };

/// 16 rows of w from number k on.
typedef struct {
  const float *w[PANEL];
  size_t k;
} lines;

/// A block of the inner dimension, `count` numbers, a multiple of 16. turned[2]: buffers for 16 × 16 numbers; `first` says which holds
/// those of the first lines. Meanwhile the lines after are turned, the next block's first ones at last. Returns which buffer has these.
TARGET INLINE size_t tall_tile(
    const int rows, const float *x, const lines *here, const lines *next, size_t count, float *const turned[2], size_t first,
    float *y, const destination *to, const char *ahead) {
  __m512 sums[TALL];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sums[r] = _mm512_setzero_ps();
#define MULTIPLY(k)                                                                                                       \
  do {                                                                                                                    \
    const __m512 factor = _mm512_load_ps(factors + 16 * (k));                                                             \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++)                                                     \
        sums[r] = _mm512_fmadd_ps(factor, _mm512_set1_ps(x[(k)*rows + r]), sums[r]);                                      \
  } while (0)
  float quarters[4][4][16] __attribute__((aligned(64)));
  for (size_t k = 0; k < count; k += 16, x += 16 * rows, first ^= 1) {
    const int is_last = k + 16 == count;
    const float *const *w = is_last ? next->w : here->w;
    const size_t at = is_last ? next->k : here->k + k + 16;
    const float *factors = turned[first];
    float *coming = turned[first ^ 1];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++, ahead += 128) {
      __m512 v[4];
      turn_rows(w, i, at, v);
      for (int q = 0; q < 4; q++) _mm512_store_ps(quarters[q][i], v[q]);
      _mm_prefetch(ahead, _MM_HINT_T1);
      _mm_prefetch(ahead + 64, _MM_HINT_T1);
      MULTIPLY(2 * i);
      MULTIPLY(2 * i + 1);
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++, ahead += 128) {
      __m512 v[4];
      turn_quarter(
          _mm512_load_ps(quarters[q][0]), _mm512_load_ps(quarters[q][1]), _mm512_load_ps(quarters[q][2]),
          _mm512_load_ps(quarters[q][3]), v);
      for (int i = 0; i < 4; i++) _mm512_store_ps(coming + 16 * (4 * q + i), v[i]);
      _mm_prefetch(ahead, _MM_HINT_T1);
      _mm_prefetch(ahead + 64, _MM_HINT_T1);
      MULTIPLY(8 + 2 * q);
      MULTIPLY(9 + 2 * q);
    }
  }
#undef MULTIPLY
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) finish(sums[r], y + r * to->stride, to, 0);
  return first;
}

/// packed[k][row] = x[row][k]. The last rows first: sixteen numbers are written where fewer are meant, into what comes later.
TARGET static void pack_tall(const mlm_few_rows *p, float *packed) {
  for (size_t from = (p->rows - 1) / PANEL * PANEL + PANEL; from > 0; from -= PANEL) {
    const float *x[PANEL];
    rows_of_panel(p->x, p->x_stride, from - PANEL, p->rows < from ? p->rows : from, x);
    turn(x, 0, 0, p->inner, packed + from - PANEL, p->rows);
  }
}

/// The product of up to TALL packed rows whose blocks are all multiples of 16. buffers: 2 × 16 × 16 numbers.
TARGET static void tall_product(
    const mlm_few_rows *p, size_t begin, size_t end, const float *following, float *buffers, const float *packed,
    float *edges) {
  float *const turned[2] = {buffers, buffers + PANEL * PANEL};
  lines here = {.k = 0}, next;
  rows_of_panel(p->w, p->w_stride, begin, end, here.w);
  turn(here.w, 0, 0, 16, turned[0], PANEL);
  size_t first = 0;
  for (size_t j = begin; j < end; j += PANEL) {
    const char *ahead = (const char *)ahead_of(p, j, PANEL, end, following);
    prefetch_bias(p, j, PANEL);
    for (size_t k = 0, size; k < p->inner; k += size) {
      size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
      const destination to = of_block(p, j, end, k);
      next = here;
      next.k = k + size;
      if (next.k == p->inner) {
        next.k = 0;
        // After the last columns, something that is there.
        rows_of_panel(p->w, p->w_stride, j + PANEL < end ? j + PANEL : j, end, next.w);
      }
      switch (p->rows) {
#define CASE(r) case r: first = tall_tile(r, packed + k * r, &here, &next, size, turned, first, p->y + j, &to, ahead + 64 * k); break;
        CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15) CASE(16) CASE(17) CASE(18) CASE(19)
        CASE(20) CASE(21) CASE(22) CASE(23) CASE(24)
#undef CASE
      }
      here = next;
    }
    mlm_few_rows_edges(p, j, end - j < PANEL ? end : j + PANEL, edges);
  }
}

#endif
