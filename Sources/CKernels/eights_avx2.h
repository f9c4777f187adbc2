// Eight rows or columns in the lanes of a vector.
#ifndef MLM_EIGHTS_AVX2_H
#define MLM_EIGHTS_AVX2_H

#include "few_rows.h"

#include <immintrin.h>

// A processor without prefetchw takes it for no operation.
#define TARGET __attribute__((target("avx2,fma,prfchw")))

enum { LANES = 8 };

// Volatile, as the compiler else moves loads about until it has to put sums aside.
#define LOAD(to, from) __asm__ volatile("vmovups %1, %0" : "=x"(to) : "m"(*(const __m256_u *)(from)))
#define BROADCAST(to, from) __asm__ volatile("vbroadcastss %1, %0" : "=x"(to) : "m"(*(from)))
#define MULTIPLY_ADD(sum, a, b) __asm__ volatile("vfmadd231ps %1, %2, %0" : "+x"(sum) : "x"(a), "x"(b))

TARGET INLINE void transpose(__m256 v[LANES]) {
  __m256 a[LANES], b[LANES];
#pragma clang loop unroll(full)
  for (int i = 0; i < LANES; i += 2) {
    a[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
    a[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < LANES; i += 4) {
    b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xEE);
    b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xEE);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    v[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
    v[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
  }
}

TARGET INLINE void pack_rows(
    const float *x, size_t x_stride, const size_t rows, size_t inner, float *packed, size_t stride) {
  size_t k = 0;
  for (; k + LANES <= inner; k += LANES) {
    __m256 v[LANES];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < LANES; i++) v[i] = i < rows ? _mm256_loadu_ps(x + i * x_stride + k) : _mm256_setzero_ps();
    transpose(v);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < LANES; i++) _mm256_storeu_ps(packed + (k + i) * stride, v[i]);
  }
  for (; k < inner; k++)
    for (size_t i = 0; i < LANES; i++) packed[k * stride + i] = i < rows ? x[i * x_stride + k] : 0;
}

/// packed[k][lane] = x[lane][k] for up to eight rows, `stride` numbers from k to k + 1; zeros where there is no row.
TARGET static inline void pack_vector(
    const float *x, size_t x_stride, size_t rows, size_t inner, float *packed, size_t stride) {
  if (rows == LANES)
    pack_rows(x, x_stride, LANES, inner, packed, stride);
  else
    pack_rows(x, x_stride, rows, inner, packed, stride);
}

static inline __m256i TARGET first_lanes(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// Where results go belongs to the other threads' caches, which read what was there: without this, the stores wait (1 % of the
/// products of a line of 21 tokens).
TARGET static inline void prefetch_results(const mlm_few_rows *p, size_t row, size_t rows_end, size_t j, size_t columns) {
  for (; row < rows_end; row++) {
    const char *line = (const char *)(p->y + row * p->y_stride + j), *last = line + (columns - 1) * sizeof(float);
    for (; line < last; line += 64) __builtin_prefetch(line, 1);
    __builtin_prefetch(last, 1);
  }
}

#endif
