// The few-row product by AVX2 for up to TURNED_ROWS rows: each lane is a column, and the weights are turned in registers.
//
// For so few rows all time goes to memory, if it is read as it lies: eight columns' weights from start to end, the next ones on their way.
// 28 MB, two threads of a Zen 3: 18.5 GB/s for one row, as fast as it can be read, where rows in the lanes have 15.5.
//
// Tried and left: sixteen columns at a time (a quarter slower); 12 or 48 KB ahead instead of 24 (2 % slower).
#include "few_rows.h"

#if defined(__x86_64__)

#include "eights_avx2.h"
#include "fetcher.h"

/// Weights of eight columns, four numbers each, as four vectors.
TARGET INLINE void turn_four(const float *w, size_t stride, __m256 v[4]) {
  __m256 a[4];
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    const __m256 low = _mm256_castps128_ps256(_mm_loadu_ps(w + i * stride));
    v[i] = _mm256_insertf128_ps(low, _mm_loadu_ps(w + (i + 4) * stride), 1);
  }
  a[0] = _mm256_unpacklo_ps(v[0], v[1]);
  a[1] = _mm256_unpackhi_ps(v[0], v[1]);
  a[2] = _mm256_unpacklo_ps(v[2], v[3]);
  a[3] = _mm256_unpackhi_ps(v[2], v[3]);
  v[0] = _mm256_shuffle_ps(a[0], a[2], 0x44);
  v[1] = _mm256_shuffle_ps(a[0], a[2], 0xEE);
  v[2] = _mm256_shuffle_ps(a[1], a[3], 0x44);
  v[3] = _mm256_shuffle_ps(a[1], a[3], 0xEE);
}

/// Eight columns from j on, or the last ones. `splits`: even and odd terms apart, in groups of eight, as at an edge of OpenBLAS' panels.
TARGET INLINE void eight_columns(
    const int rows, const int splits, const mlm_few_rows *p, size_t j, size_t columns, fetcher *ahead, float *scratch) {
  __m256 total[TURNED_ROWS];
  const int is_whole = columns == LANES;
  const __m256i mask = first_lanes(columns);
  for (size_t start = 0, size; start < p->inner; start += size) {
    size = mlm_next_block(p->inner - start, p->order.block, p->order.multiple);
    const float *x = p->x + start, *w = p->w + j * p->w_stride + start;
    __m256 even[TURNED_ROWS], odd[TURNED_ROWS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm256_setzero_ps();
    if (!is_whole) pack_vector(w, p->w_stride, columns, size, scratch, LANES);
    turn_to_following(ahead);
    fetcher here = *ahead;
    size_t k = 0;
    if (is_whole)
      for (; k + 8 <= size; k += 8) {
        fetch(&here, 4);
#pragma clang loop unroll(full)
        for (size_t half = 0; half < 8; half += 4) {
          __m256 v[4];
          turn_four(w + k + half, p->w_stride, v);
#pragma clang loop unroll(full)
          for (size_t i = 0; i < 4; i++)
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
              __m256 *sum = splits && i % 2 ? odd : even;
              sum[r] = _mm256_fmadd_ps(v[i], _mm256_broadcast_ss(x + r * p->x_stride + k + half + i), sum[r]);
            }
        }
      }
    // The columns that are no eight, and the last numbers.
    if (is_whole && k < size) pack_vector(w + k, p->w_stride, LANES, size - k, scratch + k * LANES, LANES);
    const size_t groups = size / 8 * 8;
    for (; k < size; k++)
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        __m256 *sum = splits && k % 2 && k < groups ? odd : even;
        sum[r] = _mm256_fmadd_ps(
            _mm256_loadu_ps(scratch + k * LANES), _mm256_broadcast_ss(x + r * p->x_stride + k), sum[r]);
      }
    ahead->line = here.line;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      const __m256 sum = splits ? _mm256_add_ps(even[r], odd[r]) : even[r];
      if (start > 0)
        total[r] = _mm256_add_ps(total[r], sum);
      else
        total[r] = p->bias ? _mm256_add_ps(_mm256_maskload_ps(p->bias + j, mask), sum) : sum;
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    float *y = p->y + r * p->y_stride + j;
    // Masked stores take ten times as long.
    is_whole ? _mm256_storeu_ps(y, total[r]) : _mm256_maskstore_ps(y, mask, total[r]);
  }
}

TARGET INLINE void all_columns(
    const int rows, const mlm_few_rows *p, size_t begin, size_t end, const float *following, float *scratch) {
  const float *first = p->w + begin * p->w_stride, *last = p->w + end * p->w_stride;
  for (size_t j = begin; j < end; j += LANES) {
    const size_t columns = end - j < LANES ? end - j : LANES;
    fetcher ahead = fetcher_from(p->w + j * p->w_stride, first, last, following);
    prefetch_bias(p, j, columns);
    // Which rows are the other half's does not matter: there are none.
    if (p->order.splits_edges && mlm_edge_rows(j, p->columns) == 1)
      eight_columns(rows, 1, p, j, columns, &ahead, scratch);
    else
      eight_columns(rows, 0, p, j, columns, &ahead, scratch);
  }
}

size_t mlm_few_rows_turned_scratch_avx2(const mlm_few_rows *p) { return LANES * MLM_LARGEST_BLOCK; }

TARGET void mlm_few_rows_turned_avx2(
    const mlm_few_rows *p, size_t begin, size_t end, const float *following, float *scratch) {
  switch (p->rows) {
    case 1: all_columns(1, p, begin, end, following, scratch); break;
    case 2: all_columns(2, p, begin, end, following, scratch); break;
    case 3: all_columns(3, p, begin, end, following, scratch); break;
    case 4: all_columns(4, p, begin, end, following, scratch); break;
  }
}

#endif
