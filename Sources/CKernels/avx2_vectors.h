// AVX2 vectors of eight floats: loads that the compiler leaves in place, transposition, packing.
#ifndef MLM_AVX2_VECTORS_H
#define MLM_AVX2_VECTORS_H

#include <immintrin.h>
#include <stddef.h>

// Processors without prefetchw ignore it.
#define TARGET __attribute__((target("avx2,fma,prfchw")))
#define TARGET_INLINE TARGET static inline __attribute__((always_inline))

enum { LANES = 8 };

#define MULTIPLY_ADD(sum, a, b) __asm__ volatile("vfmadd231ps %1, %2, %0" : "+x"(sum) : "x"(a), "x"(b))

#if __has_feature(address_sanitizer)
// The address sanitizer does not see the loads of assembly code.
#define LOAD(to, from) ((to) = _mm256_loadu_ps(from))
#define BROADCAST(to, from) ((to) = _mm256_broadcast_ss(from))
#else
// Volatile: otherwise the compiler reorders loads until it has to spill sums.
#define LOAD(to, from) __asm__ volatile("vmovups %1, %0" : "=x"(to) : "m"(*(const __m256_u *)(from)))
#define BROADCAST(to, from) __asm__ volatile("vbroadcastss %1, %0" : "=x"(to) : "m"(*(from)))
#endif

TARGET_INLINE void transpose(__m256 v[LANES]) {
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

/// v[k] = number k of each of eight rows, for their first four numbers.
TARGET_INLINE void transpose_four(const float *w, size_t stride, __m256 v[4]) {
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

TARGET_INLINE void pack_rows(
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

/// packed[k][lane] = x[lane][k] for up to eight rows, `stride` floats from k to k + 1; zeros for missing rows.
TARGET static inline void pack_vector(
    const float *x, size_t x_stride, size_t rows, size_t inner, float *packed, size_t stride) {
  if (rows == LANES)
    pack_rows(x, x_stride, LANES, inner, packed, stride);
  else
    pack_rows(x, x_stride, rows, inner, packed, stride);
}

/// A mask of the first `count` lanes.
TARGET static inline __m256i first_lanes(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

#endif
