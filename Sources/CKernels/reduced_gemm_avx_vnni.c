// Products of int8 with AVX-VNNI: vpdpbusd on processors without AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>

#include "reduced_gemm.h"

#define TARGET __attribute__((target("avx2,fma,avxvnni")))
#define TARGET_INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
/// Otherwise the compiler moves the loads of later steps forward until it has to spill sums.
#define KEEP_ORDER(sum) __asm__ volatile("" : "+x"(sum) : : "memory")

/// A step of a panel is two vectors. The inner dimension is a multiple of STEPS steps.
enum { TILE_ROWS = 6, VECTORS = 2, STEPS = 4 };

/// Sums of rows × 16 columns. Step s is added to the sums of chain s % chains: a product waits for the one before it in
/// its chain, about five cycles.
TARGET_INLINE void part(
    const char *x, size_t x_stride, const size_t rows, const char *w, size_t inner, int continues, const char *ahead,
    int32_t *sums) {
  const size_t chains = rows == 1 ? 4 : rows <= 3 ? 2 : 1;
  __m256i sum[TILE_ROWS][VECTORS];
  UNROLL for (size_t i = 0; i < chains * rows; i++)
    UNROLL for (size_t j = 0; j < VECTORS; j++)
      sum[i][j] = continues && i < rows ? _mm256_load_si256((const __m256i *)(sums + i * LARGEST_TILE_COLUMNS) + j)
                                        : _mm256_setzero_si256();
  for (size_t k = 0; k < inner; k += 4 * STEPS) {
    UNROLL for (size_t s = 0; s < STEPS; s++) {
      const size_t at = MLM_REDUCED_PANEL * (k + 4 * s);
      _mm_prefetch(ahead + at, _MM_HINT_T1);
      __m256i v[VECTORS];
      UNROLL for (size_t j = 0; j < VECTORS; j++) v[j] = _mm256_load_si256((const __m256i *)(w + at) + j);
      UNROLL for (size_t r = 0; r < rows; r++) {
        const __m256i quad = _mm256_set1_epi32(*(const int32_t *)(x + r * x_stride + k + 4 * s));
        UNROLL for (size_t j = 0; j < VECTORS; j++) {
          __m256i *chain = &sum[s % chains * rows + r][j];
          *chain = _mm256_dpbusd_avx_epi32(*chain, quad, v[j]);
          KEEP_ORDER(*chain);
        }
      }
    }
  }
  UNROLL for (size_t r = 0; r < rows; r++) {
    UNROLL for (size_t j = 0; j < VECTORS; j++) {
      UNROLL for (size_t c = 1; c < chains; c++) sum[r][j] = _mm256_add_epi32(sum[r][j], sum[c * rows + r][j]);
      _mm256_store_si256((__m256i *)(sums + r * LARGEST_TILE_COLUMNS) + j, sum[r][j]);
    }
  }
}

TARGET static void tile(
    const void *x, size_t x_stride, size_t rows, const void *w, size_t panel_bytes, size_t panels, size_t inner,
    int continues, const void *prefetch, void *sums) {
  (void)panel_bytes, (void)panels;
  const char *ahead = prefetch ? prefetch : w;
  switch (rows) {
#define CASE(r) case r: part(x, x_stride, r, w, inner, continues, ahead, sums); break;
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
  }
}

const mlm_reduced_kernel mlm_int8_avx_vnni = {
    .tile = tile, .tile_rows = TILE_ROWS, .tile_panels = 1, .inner_block = 1536, .layout = QUADS_UINT8,
    .name = "avx-vnni", .finish = mlm_finish_int8_avx2};
#endif
