// Products in reduced precision with AVX2, without saturation: vpmaddwd of int8 widened to int16, and fused
// multiply-adds of bfloat16 widened to float32.
//
// Million multiply-adds a second of one Zen 3 core, 24 × 768 by 768 × 768, all in the cache: int16 pairs 65,000;
// vpmaddubsw with |w| and vpsignb 52,000; fused multiply-adds of float32 and of widened bfloat16 43,000. Weights stored
// as int16 are no faster, nor are tiles of 12 × 8, 4 × 24 or 3 × 32.
#if defined(__x86_64__)
#include "avx2_vectors.h"
#include "reduced_gemm.h"

enum { TILE_ROWS = 6, WIDE_ROWS = 2 };

#define UNROLL _Pragma("clang loop unroll(full)")

// MARK: int8

/// rows × (8 · vectors) sums. The weights of a panel have 16 columns: two vectors. Four vectors: two panels.
TARGET_INLINE void int8_part(
    const char *x, size_t x_stride, const size_t rows, const char *w, size_t panel_bytes, const size_t vectors,
    size_t inner, int continues, const int prefetches, const char *prefetch, int32_t *sums) {
  __m256i sum[TILE_ROWS][4];
  UNROLL for (size_t r = 0; r < rows; r++)
    UNROLL for (size_t j = 0; j < vectors; j++)
      sum[r][j] = continues ? _mm256_load_si256((const __m256i *)(sums + r * LARGEST_TILE_COLUMNS + 8 * j))
                            : _mm256_setzero_si256();
  for (size_t k = 0; k < inner; k += 2) {
    __m256i v[4];
    UNROLL for (size_t j = 0; j < vectors; j++)
      v[j] = _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(w + j / 2 * panel_bytes + 16 * (j % 2) + 16 * k)));
    if (prefetches) {
      UNROLL for (size_t p = 0; p < vectors / 2; p++) __builtin_prefetch(prefetch + p * panel_bytes + 16 * k);
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
      const __m256i pair = _mm256_set1_epi32(*(const int32_t *)(x + r * x_stride + 2 * k));
      UNROLL for (size_t j = 0; j < vectors; j++)
        sum[r][j] = _mm256_add_epi32(sum[r][j], _mm256_madd_epi16(v[j], pair));
    }
  }
  UNROLL for (size_t r = 0; r < rows; r++)
    UNROLL for (size_t j = 0; j < vectors; j++)
      _mm256_store_si256((__m256i *)(sums + r * LARGEST_TILE_COLUMNS + 8 * j), sum[r][j]);
}

// MARK: bfloat16

#if __has_feature(address_sanitizer)
#define UPPER_HALVES(to, from, mask) ((to) = _mm256_and_si256(_mm256_load_si256((const __m256i *)(from)), mask))
#define LOAD_PAIRS(to, from) ((to) = _mm256_load_si256((const __m256i *)(from)))
#else
// Volatile: otherwise the compiler loads once.
#define UPPER_HALVES(to, from, mask) \
  __asm__ volatile("vpand %1, %2, %0" : "=x"(to) : "m"(*(const __m256i *)(from)), "x"(mask))
#define LOAD_PAIRS(to, from) __asm__ volatile("vmovdqa %1, %0" : "=x"(to) : "m"(*(const __m256i *)(from)))
#endif

TARGET_INLINE void bfloat16_part(
    const char *x, size_t x_stride, const size_t rows, const char *w, size_t panel_bytes, const size_t vectors,
    size_t inner, int continues, const int prefetches, const char *prefetch, float *sums) {
  const __m256i upper = _mm256_set1_epi32((int)0xFFFF0000);
  __m256 sum[TILE_ROWS][4];
  UNROLL for (size_t r = 0; r < rows; r++)
    UNROLL for (size_t j = 0; j < vectors; j++)
      sum[r][j] = continues ? _mm256_load_ps(sums + r * LARGEST_TILE_COLUMNS + 8 * j) : _mm256_setzero_ps();
  for (size_t k = 0; k < inner; k += 2) {
    if (prefetches) {
      UNROLL for (size_t p = 0; p < vectors / 2; p++) __builtin_prefetch(prefetch + p * panel_bytes + 32 * k);
    }
    // The second number of each pair first, as vdpbf16ps does. Each half is loaded again: with both in registers, sums
    // are spilled (45 instead of 51 thousand million multiply-adds a second).
    UNROLL for (size_t i = 2; i-- > 0;) {
      __m256i v[4];
      UNROLL for (size_t j = 0; j < vectors; j++) {
        const char *pairs = w + j / 2 * panel_bytes + 32 * (j % 2) + 32 * k;
        if (i) {
          UPPER_HALVES(v[j], pairs, upper);
        } else {
          LOAD_PAIRS(v[j], pairs);
          v[j] = _mm256_slli_epi32(v[j], 16);
        }
      }
      UNROLL for (size_t r = 0; r < rows; r++) {
        const __m256 number = _mm256_broadcast_ss((const float *)(x + r * x_stride) + k + i);
        UNROLL for (size_t j = 0; j < vectors; j++)
          sum[r][j] = _mm256_fmadd_ps(_mm256_castsi256_ps(v[j]), number, sum[r][j]);
      }
    }
  }
  UNROLL for (size_t r = 0; r < rows; r++)
    UNROLL for (size_t j = 0; j < vectors; j++)
      _mm256_store_ps(sums + r * LARGEST_TILE_COLUMNS + 8 * j, sum[r][j]);
}

// MARK: tiles

/// Calls a part for a constant number of rows.
#define CALL(part, rows, w, panel_bytes, vectors, prefetch, sums)                                                    \
  do {                                                                                                               \
    const char *ahead = prefetch;                                                                                    \
    if (ahead) part(x, x_stride, rows, w, panel_bytes, vectors, inner, continues, 1, ahead, sums);                   \
    else part(x, x_stride, rows, w, panel_bytes, vectors, inner, continues, 0, NULL, sums);                          \
  } while (0)

/// Defines a tile: up to two rows by two panels, or up to six by one.
#define DEFINE_TILE(name, part, number)                                                                              \
  TARGET static void name(                                                                                           \
      const void *x, size_t x_stride, size_t rows, const void *w, size_t panel_bytes, size_t panels, size_t inner,   \
      int continues, const void *prefetch, void *sums) {                                                             \
    if (panels == 2 && rows <= WIDE_ROWS) {                                                                          \
      switch (rows) {                                                                                                \
        case 1: CALL(part, 1, w, panel_bytes, 4, prefetch, sums); return;                                            \
        default: CALL(part, 2, w, panel_bytes, 4, prefetch, sums); return;                                           \
      }                                                                                                              \
    }                                                                                                                \
    for (size_t p = 0; p < panels; p++) {                                                                            \
      const char *panel = (const char *)w + p * panel_bytes;                                                         \
      const char *next = prefetch ? (const char *)prefetch + p * panel_bytes : NULL;                                 \
      number *to = (number *)sums + MLM_REDUCED_PANEL * p;                                                           \
      switch (rows) {                                                                                                \
        case 1: CALL(part, 1, panel, 0, 2, next, to); break;                                                         \
        case 2: CALL(part, 2, panel, 0, 2, next, to); break;                                                         \
        case 3: CALL(part, 3, panel, 0, 2, next, to); break;                                                         \
        case 4: CALL(part, 4, panel, 0, 2, next, to); break;                                                         \
        case 5: CALL(part, 5, panel, 0, 2, next, to); break;                                                         \
        default: CALL(part, 6, panel, 0, 2, next, to); break;                                                        \
      }                                                                                                              \
    }                                                                                                                \
  }

DEFINE_TILE(int8_tile, int8_part, int32_t)
DEFINE_TILE(bfloat16_tile, bfloat16_part, float)

// MARK: results

/// Up to eight numbers; zeros for the others.
TARGET_INLINE __m256 some(const float *p, size_t count) {
  return count >= LANES ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, first_lanes(count));
}

TARGET_INLINE void put_some(float *p, __m256 v, size_t count) {
  if (count >= LANES) _mm256_storeu_ps(p, v);
  else _mm256_maskstore_ps(p, first_lanes(count), v);
}

TARGET_INLINE __m256 base(const mlm_reduced_gemm *p, const float *y, size_t column, size_t count) {
  if (p->adds) return some(y, count);
  return p->bias ? some(p->bias + column, count) : _mm256_setzero_ps();
}

TARGET void mlm_finish_int8_avx2(
    const mlm_reduced_gemm *p, const void *sums, size_t row, size_t rows, size_t column, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const int32_t *sum = (const int32_t *)sums + r * LARGEST_TILE_COLUMNS;
    float *y = p->y + (row + r) * p->y_stride + column;
    const __m256 x_scale = _mm256_set1_ps(p->x_rows[row + r].scale);
    const __m256i zero = _mm256_set1_epi32(p->x_rows[row + r].zero);
    for (size_t c = 0; c < columns; c += LANES) {
      const __m256i of_zero = _mm256_mullo_epi32(zero, _mm256_loadu_si256((const __m256i_u *)(p->w_sum + column + c)));
      const __m256i v = _mm256_sub_epi32(_mm256_load_si256((const __m256i *)(sum + c)), of_zero);
      const __m256 scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(v), _mm256_loadu_ps(p->w_scale + column + c));
      const size_t count = columns - c;
      put_some(y + c, _mm256_fmadd_ps(scaled, x_scale, base(p, y + c, column + c, count)), count);
    }
  }
}

TARGET void mlm_finish_bfloat16_avx2(
    const mlm_reduced_gemm *p, const void *sums, size_t row, size_t rows, size_t column, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const float *sum = (const float *)sums + r * LARGEST_TILE_COLUMNS;
    float *y = p->y + (row + r) * p->y_stride + column;
    for (size_t c = 0; c < columns; c += LANES) {
      const size_t count = columns - c;
      put_some(y + c, _mm256_add_ps(base(p, y + c, column + c, count), _mm256_load_ps(sum + c)), count);
    }
  }
}

const mlm_reduced_kernel mlm_int8_avx2 = {
    .tile = int8_tile, .tile_rows = TILE_ROWS, .tile_panels = 2, .inner_block = 768, .layout = PAIRS_INT16,
    .name = "avx2", .finish = mlm_finish_int8_avx2};
const mlm_reduced_kernel mlm_bfloat16_avx2 = {
    .tile = bfloat16_tile, .tile_rows = TILE_ROWS, .tile_panels = 2, .inner_block = 384, .layout = PAIRS_FLOAT,
    .name = "avx2", .finish = mlm_finish_bfloat16_avx2};
#endif
