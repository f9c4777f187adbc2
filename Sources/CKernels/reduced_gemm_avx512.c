// Products in reduced precision with AVX-512: vpdpbusd for int8; vdpbf16ps, or fused multiply-adds of widened numbers,
// for bfloat16.
//
// A step of the inner dimension is one vector of each panel, and up to 12 rows by two panels of sums stay in registers:
// each number of x is loaded once for two products, and loads do not delay them.
#if defined(__x86_64__)
#include <immintrin.h>

#include "reduced_gemm.h"

#define AVX512 "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"
#define TARGET __attribute__((target(AVX512)))
#define TARGET_VNNI __attribute__((target(AVX512 ",avx512vnni")))
#define TARGET_BF16 __attribute__((target(AVX512 ",avx512bf16")))
#define ALWAYS_INLINE static inline __attribute__((always_inline))
/// Otherwise the compiler moves the loads of later steps forward until it has to spill sums.
#define KEEP_ORDER(sum) __asm__ volatile("" : "+v"(sum) : : "memory")
#define UNROLL _Pragma("clang loop unroll(full)")

/// The inner dimension is a multiple of STEPS steps.
enum { TILE_ROWS = 12, TILE_PANELS = 2, STEPS = 4 };

// MARK: rows
//
// The registers do not hold a pointer for each of twelve rows of x, but four: to every third row.

enum { GROUP = 3, GROUPS = TILE_ROWS / GROUP };

ALWAYS_INLINE void groups_of_rows(const void *x, size_t x_stride, const char *groups[GROUPS]) {
  UNROLL for (size_t g = 0; g < GROUPS; g++) groups[g] = (const char *)x + g * GROUP * x_stride;
}

ALWAYS_INLINE const void *in_row(const char *const groups[GROUPS], size_t x_stride, size_t row, size_t offset) {
  return groups[row / GROUP] + row % GROUP * x_stride + offset;
}

ALWAYS_INLINE void advance(const char *groups[GROUPS], size_t bytes) {
  UNROLL for (size_t g = 0; g < GROUPS; g++) {
    groups[g] += bytes;
    // Otherwise the compiler computes twelve pointers.
    __asm__("" : "+r"(groups[g]));
  }
}

ALWAYS_INLINE void *sums_at(void *sums, size_t row, size_t panel) {
  return (int32_t *)sums + row * LARGEST_TILE_COLUMNS + panel * MLM_REDUCED_PANEL;
}

// MARK: int8

enum { LARGEST_CHAINS = 16 };

/// Sums of rows × panels. Step s is added to the sums of chain s % chains: a product waits for the one before it in its
/// chain, about five cycles.
TARGET_VNNI ALWAYS_INLINE void int8_part(
    const void *x, size_t x_stride, const size_t rows, const char *w, size_t panel_bytes, const size_t panels,
    size_t inner, int continues, const char *ahead, int32_t *sums) {
  const size_t chains = rows * panels <= 2 ? 4 : rows * panels <= 8 ? 2 : 1;
  const char *groups[GROUPS];
  groups_of_rows(x, x_stride, groups);
  __m512i sum[LARGEST_CHAINS][TILE_PANELS];
  UNROLL for (size_t i = 0; i < chains * rows; i++)
    UNROLL for (size_t p = 0; p < panels; p++)
      sum[i][p] = continues && i < rows ? _mm512_load_si512(sums_at(sums, i, p)) : _mm512_setzero_si512();
  for (size_t k = 0; k < inner; k += 4 * STEPS) {
    UNROLL for (size_t s = 0; s < STEPS; s++) {
      const size_t at = MLM_REDUCED_PANEL * (k + 4 * s);
      __m512i v[TILE_PANELS];
      UNROLL for (size_t p = 0; p < panels; p++) v[p] = _mm512_load_si512(w + p * panel_bytes + at);
      UNROLL for (size_t p = 0; p < panels; p++) _mm_prefetch(ahead + p * panel_bytes + at, _MM_HINT_T1);
      UNROLL for (size_t r = 0; r < rows; r++) {
        const __m512i quad = _mm512_set1_epi32(*(const int32_t *)in_row(groups, x_stride, r, 4 * s));
        UNROLL for (size_t p = 0; p < panels; p++) {
          __m512i *chain = &sum[s % chains * rows + r][p];
          *chain = _mm512_dpbusd_epi32(*chain, quad, v[p]);
          KEEP_ORDER(*chain);
        }
      }
    }
    advance(groups, 4 * STEPS);
  }
  UNROLL for (size_t r = 0; r < rows; r++) {
    UNROLL for (size_t p = 0; p < panels; p++) {
      UNROLL for (size_t c = 1; c < chains; c++) sum[r][p] = _mm512_add_epi32(sum[r][p], sum[c * rows + r][p]);
      _mm512_store_si512(sums_at(sums, r, p), sum[r][p]);
    }
  }
}

// MARK: bfloat16

/// vdpbf16ps treats denormal numbers as zeros, unlike the other kernels.
TARGET_BF16 ALWAYS_INLINE void bf16_part(
    const void *x, size_t x_stride, const size_t rows, const char *w, size_t panel_bytes, const size_t panels,
    size_t inner, int continues, const char *ahead, float *sums) {
  const char *groups[GROUPS];
  groups_of_rows(x, x_stride, groups);
  __m512 sum[TILE_ROWS][TILE_PANELS];
  UNROLL for (size_t r = 0; r < rows; r++)
    UNROLL for (size_t p = 0; p < panels; p++)
      sum[r][p] = continues ? _mm512_load_ps(sums_at(sums, r, p)) : _mm512_setzero_ps();
  for (size_t k = 0; k < inner; k += 2 * STEPS) {
    UNROLL for (size_t s = 0; s < STEPS; s++) {
      const size_t at = 2 * MLM_REDUCED_PANEL * (k + 2 * s);
      __m512bh v[TILE_PANELS];
      UNROLL for (size_t p = 0; p < panels; p++) v[p] = (__m512bh)_mm512_load_si512(w + p * panel_bytes + at);
      UNROLL for (size_t p = 0; p < panels; p++) _mm_prefetch(ahead + p * panel_bytes + at, _MM_HINT_T1);
      UNROLL for (size_t r = 0; r < rows; r++) {
        const __m512bh pair = (__m512bh)_mm512_set1_epi32(*(const int32_t *)in_row(groups, x_stride, r, 4 * s));
        UNROLL for (size_t p = 0; p < panels; p++) {
          sum[r][p] = _mm512_dpbf16_ps(sum[r][p], v[p], pair);
          KEEP_ORDER(sum[r][p]);
        }
      }
    }
    advance(groups, 4 * STEPS);
  }
  UNROLL for (size_t r = 0; r < rows; r++)
    UNROLL for (size_t p = 0; p < panels; p++) _mm512_store_ps(sums_at(sums, r, p), sum[r][p]);
}

TARGET ALWAYS_INLINE void widened_part(
    const void *x, size_t x_stride, const size_t rows, const char *w, size_t panel_bytes, const size_t panels,
    size_t inner, int continues, const char *ahead, float *sums) {
  const char *groups[GROUPS];
  groups_of_rows(x, x_stride, groups);
  __m512 sum[TILE_ROWS][TILE_PANELS];
  UNROLL for (size_t r = 0; r < rows; r++)
    UNROLL for (size_t p = 0; p < panels; p++)
      sum[r][p] = continues ? _mm512_load_ps(sums_at(sums, r, p)) : _mm512_setzero_ps();
  for (size_t k = 0; k < inner; k += 2 * STEPS) {
    UNROLL for (size_t s = 0; s < STEPS; s++) {
      const size_t at = 2 * MLM_REDUCED_PANEL * (k + 2 * s);
      __m512i v[TILE_PANELS];
      UNROLL for (size_t p = 0; p < panels; p++) v[p] = _mm512_load_si512(w + p * panel_bytes + at);
      UNROLL for (size_t p = 0; p < panels; p++) _mm_prefetch(ahead + p * panel_bytes + at, _MM_HINT_T1);
      // The second number of each pair first, as vdpbf16ps does.
      UNROLL for (size_t i = 2; i-- > 0;) {
        __m512 f[TILE_PANELS];
        UNROLL for (size_t p = 0; p < panels; p++)
          f[p] = _mm512_castsi512_ps(i ? _mm512_maskz_mov_epi16(0xAAAAAAAA, v[p]) : _mm512_slli_epi32(v[p], 16));
        UNROLL for (size_t r = 0; r < rows; r++) {
          const __m512 number = _mm512_set1_ps(*(const float *)in_row(groups, x_stride, r, 8 * s + 4 * i));
          UNROLL for (size_t p = 0; p < panels; p++) {
            sum[r][p] = _mm512_fmadd_ps(f[p], number, sum[r][p]);
            KEEP_ORDER(sum[r][p]);
          }
        }
      }
    }
    advance(groups, 8 * STEPS);
  }
  UNROLL for (size_t r = 0; r < rows; r++)
    UNROLL for (size_t p = 0; p < panels; p++) _mm512_store_ps(sums_at(sums, r, p), sum[r][p]);
}

// MARK: tiles

#define CASE(part, r)                                                                        \
  case r:                                                                                    \
    if (panels == 2) part(x, x_stride, r, w, panel_bytes, 2, inner, continues, ahead, sums); \
    else part(x, x_stride, r, w, panel_bytes, 1, inner, continues, ahead, sums);             \
    break;

/// Without anything to prefetch, a tile prefetches its own panels, which costs less than a second loop.
#define DEFINE_TILE(name, TARGET, part)                                                                            \
  TARGET static void name(                                                                                         \
      const void *x, size_t x_stride, size_t rows, const void *w, size_t panel_bytes, size_t panels, size_t inner, \
      int continues, const void *prefetch, void *sums) {                                                           \
    const char *ahead = prefetch ? prefetch : w;                                                                   \
    switch (rows) {                                                                                                \
      CASE(part, 1) CASE(part, 2) CASE(part, 3) CASE(part, 4) CASE(part, 5) CASE(part, 6)                          \
      CASE(part, 7) CASE(part, 8) CASE(part, 9) CASE(part, 10) CASE(part, 11) CASE(part, 12)                       \
    }                                                                                                              \
  }

DEFINE_TILE(int8_tile, TARGET_VNNI, int8_part)
DEFINE_TILE(bf16_tile, TARGET_BF16, bf16_part)
DEFINE_TILE(widened_tile, TARGET, widened_part)

const mlm_reduced_kernel mlm_int8_avx512_vnni = {
    .tile = int8_tile, .tile_rows = TILE_ROWS, .tile_panels = TILE_PANELS, .inner_block = 768, .layout = QUADS_UINT8,
    .name = "avx512-vnni", .finish = mlm_finish_int8_avx2};
const mlm_reduced_kernel mlm_bfloat16_avx512_bf16 = {
    .tile = bf16_tile, .tile_rows = TILE_ROWS, .tile_panels = TILE_PANELS, .inner_block = 384,
    .layout = PAIRS_BFLOAT16, .name = "avx512-bf16", .finish = mlm_finish_bfloat16_avx2};
const mlm_reduced_kernel mlm_bfloat16_avx512 = {
    .tile = widened_tile, .tile_rows = TILE_ROWS, .tile_panels = TILE_PANELS, .inner_block = 384,
    .layout = PAIRS_FLOAT, .name = "avx512", .finish = mlm_finish_bfloat16_avx2};
#endif
