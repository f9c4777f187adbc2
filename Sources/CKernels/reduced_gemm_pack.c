// Rounds numbers to int8 and bfloat16, and arranges them as the kernels of reduced_gemm.h read them.
#include "reduced_gemm.h"

#include <math.h>
#include <string.h>

/// Rows with no larger number are zeros: their scale's inverse would overflow.
static const float negligible = 1e-36f;

// MARK: one number at a time

static uint16_t rounded_bfloat16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// The least and the largest number of a row and zero, and the bits of the largest magnitude; NaN is above all.
typedef struct {
  float least, largest;
  uint32_t magnitude;
} range;

static void widen_range(range *r, float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits &= 0x7FFFFFFFu;
  r->magnitude = bits > r->magnitude ? bits : r->magnitude;
  r->least = x < r->least ? x : r->least;
  r->largest = x > r->largest ? x : r->largest;
}

static range range_scalar(const float *x, size_t n) {
  range r = {0, 0, 0};
  for (size_t i = 0; i < n; i++) widen_range(&r, x[i]);
  return r;
}

static int clamped(int q) { return q < -127 ? -127 : q > 127 ? 127 : q; }

static void put_scalar(mlm_layout layout, float x, float inverse, int zero, void *to, size_t i) {
  const int is_float = layout == PAIRS_BFLOAT16 || layout == PAIRS_FLOAT;
  const int q = is_float ? 0 : clamped((int)rintf(x * inverse) + zero);
  switch (layout) {
    case QUADS_INT8: ((int8_t *)to)[i] = (int8_t)q; break;
    case QUADS_UINT8: ((uint8_t *)to)[i] = (uint8_t)(q + 128); break;
    case PAIRS_INT16: ((int16_t *)to)[i] = (int16_t)q; break;
    case PAIRS_BFLOAT16: ((uint16_t *)to)[i] = rounded_bfloat16(x); break;
    case PAIRS_FLOAT: {
      const uint32_t bits = (uint32_t)rounded_bfloat16(x) << 16;
      memcpy((uint32_t *)to + i, &bits, sizeof bits);
    }
  }
}

static void narrow_scalar(mlm_layout layout, const float *x, size_t n, float inverse, int zero, void *to) {
  for (size_t i = 0; i < n; i++) put_scalar(layout, x[i], inverse, zero, to, i);
}

/// Arranges numbers of 32 bits (pairs of bfloat16, quads of int8): panel[k][c] = rows[c][k].
static void interleave_scalar(const char *rows, size_t stride, size_t count, size_t words, char *panel) {
  for (size_t k = 0; k < words; k++)
    for (size_t c = 0; c < count; c++) memcpy(panel + 64 * k + 4 * c, rows + c * stride + 4 * k, 4);
}

// MARK: AVX2

#if defined(__x86_64__)

#include "avx2_vectors.h"

TARGET static range range_avx2(const float *x, size_t n) {
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  __m256i bits = _mm256_setzero_si256();
  __m256 least = _mm256_setzero_ps(), largest = least;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 v = _mm256_loadu_ps(x + i);
    bits = _mm256_max_epi32(bits, _mm256_and_si256(_mm256_castps_si256(v), magnitude));
    // A number that is not a number leaves the others: the second operand.
    least = _mm256_min_ps(v, least);
    largest = _mm256_max_ps(v, largest);
  }
  uint32_t magnitudes[8];
  float ends[2][8];
  _mm256_storeu_si256((__m256i_u *)magnitudes, bits);
  _mm256_storeu_ps(ends[0], least);
  _mm256_storeu_ps(ends[1], largest);
  range r = range_scalar(x + i, n - i);
  for (int lane = 0; lane < 8; lane++) {
    r.magnitude = magnitudes[lane] > r.magnitude ? magnitudes[lane] : r.magnitude;
    r.least = ends[0][lane] < r.least ? ends[0][lane] : r.least;
    r.largest = ends[1][lane] > r.largest ? ends[1][lane] : r.largest;
  }
  return r;
}

/// bfloat16 in the upper halves of 32 bits.
TARGET_INLINE __m256i rounded_bfloat16_avx2(__m256 x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  return _mm256_and_si256(_mm256_blendv_epi8(rounded, quiet, is_nan), _mm256_set1_epi32((int)0xFFFF0000));
}

/// The lower halves of eight numbers of 32 bits; they are within the range of int16.
TARGET_INLINE __m128i halves(__m256i v) {
  return _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

TARGET_INLINE void narrow_rows(
    const mlm_layout layout, const float *x, size_t n, float inverse, int zero, void *to) {
  const __m256 factor = _mm256_set1_ps(inverse);
  const __m256i zeros = _mm256_set1_epi32(zero), most = _mm256_set1_epi32(127), least = _mm256_set1_epi32(-127);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 v = _mm256_loadu_ps(x + i);
    if (layout == PAIRS_FLOAT) {
      _mm256_storeu_si256((__m256i_u *)((float *)to + i), rounded_bfloat16_avx2(v));
    } else if (layout == PAIRS_BFLOAT16) {
      const __m256i high = _mm256_srai_epi32(rounded_bfloat16_avx2(v), 16);
      _mm_storeu_si128((__m128i_u *)((uint16_t *)to + i), halves(high));
    } else {
      const __m256i rounded = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(v, factor)), zeros);
      const __m128i q = halves(_mm256_max_epi32(_mm256_min_epi32(rounded, most), least));
      if (layout == PAIRS_INT16) {
        _mm_storeu_si128((__m128i_u *)((int16_t *)to + i), q);
      } else {
        const __m128i bytes = _mm_packs_epi16(q, q);
        const __m128i offset = _mm_set1_epi8(layout == QUADS_UINT8 ? (char)128 : 0);
        _mm_storel_epi64((__m128i_u *)((int8_t *)to + i), _mm_xor_si128(bytes, offset));
      }
    }
  }
  for (; i < n; i++) put_scalar(layout, x[i], inverse, zero, to, i);
}

TARGET static void narrow_avx2(mlm_layout layout, const float *x, size_t n, float inverse, int zero, void *to) {
  switch (layout) {
    case QUADS_INT8: narrow_rows(QUADS_INT8, x, n, inverse, zero, to); break;
    case QUADS_UINT8: narrow_rows(QUADS_UINT8, x, n, inverse, zero, to); break;
    case PAIRS_INT16: narrow_rows(PAIRS_INT16, x, n, inverse, zero, to); break;
    case PAIRS_BFLOAT16: narrow_rows(PAIRS_BFLOAT16, x, n, inverse, zero, to); break;
    case PAIRS_FLOAT: narrow_rows(PAIRS_FLOAT, x, n, inverse, zero, to); break;
  }
}

/// interleave_scalar for 16 rows; `pairs`: each 64 bytes are the first two int8 of each quad, followed by the others.
TARGET_INLINE void interleave_rows(const char *rows, size_t stride, size_t words, char *panel, const int pairs) {
  const __m256i split = _mm256_setr_epi8(
      0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
  for (size_t k = 0; k + 8 <= words; k += 8) {
    __m256 low[LANES], high[LANES];
#pragma clang loop unroll(full)
    for (size_t c = 0; c < LANES; c++) {
      low[c] = _mm256_loadu_ps((const float *)(rows + c * stride + 4 * k));
      high[c] = _mm256_loadu_ps((const float *)(rows + (c + LANES) * stride + 4 * k));
    }
    transpose(low);
    transpose(high);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < LANES; i++) {
      __m256i a = _mm256_castps_si256(low[i]), b = _mm256_castps_si256(high[i]);
      if (pairs) {
        // Eight columns: first pairs | second pairs.
        a = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(a, split), 0xD8);
        b = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(b, split), 0xD8);
        const __m256i first = _mm256_permute2x128_si256(a, b, 0x20), second = _mm256_permute2x128_si256(a, b, 0x31);
        a = first, b = second;
      }
      _mm256_storeu_si256((__m256i_u *)(panel + 64 * (k + i)), a);
      _mm256_storeu_si256((__m256i_u *)(panel + 64 * (k + i) + 32), b);
    }
  }
}

TARGET static void interleave_avx2(const char *rows, size_t stride, size_t words, char *panel, int pairs) {
  if (pairs) interleave_rows(rows, stride, words, panel, 1);
  else interleave_rows(rows, stride, words, panel, 0);
}

TARGET static int32_t sum_avx2(const int8_t *x, size_t n) {
  __m256i sums = _mm256_setzero_si256();
  const __m256i ones8 = _mm256_set1_epi8(1), ones16 = _mm256_set1_epi16(1);
  size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i v = _mm256_loadu_si256((const __m256i_u *)(x + i));
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(ones8, v), ones16));
  }
  int32_t lanes[8], sum = 0;
  _mm256_storeu_si256((__m256i_u *)lanes, sums);
  for (int lane = 0; lane < 8; lane++) sum += lanes[lane];
  for (; i < n; i++) sum += x[i];
  return sum;
}

static int has_avx2(void) {
  static int answer = -1;
  if (answer < 0) answer = mlm_instructions() >= MLM_AVX2;
  return answer;
}

#else

static int has_avx2(void) { return 0; }
static range range_avx2(const float *x, size_t n) { return range_scalar(x, n); }
static void narrow_avx2(mlm_layout layout, const float *x, size_t n, float inverse, int zero, void *to) {
  narrow_scalar(layout, x, n, inverse, zero, to);
}
static void interleave_avx2(const char *rows, size_t stride, size_t words, char *panel, int pairs) {
  (void)pairs;
  interleave_scalar(rows, stride, MLM_REDUCED_PANEL, words, panel);
}
static int32_t sum_avx2(const int8_t *x, size_t n) { return 0; }

#endif

// MARK: rows

static void narrow(mlm_layout layout, const float *x, size_t n, float inverse, int zero, void *to) {
  if (has_avx2()) narrow_avx2(layout, x, n, inverse, zero, to);
  else narrow_scalar(layout, x, n, inverse, zero, to);
}

static range range_of(const float *x, size_t n) { return has_avx2() ? range_avx2(x, n) : range_scalar(x, n); }

/// Whether the numbers of a row are finite; if not, the row becomes NaN.
static int is_finite(range r) { return r.magnitude < 0x7F800000u; }

mlm_int8_row mlm_narrow(
    mlm_format format, mlm_reduced_instructions instructions, const float *x, size_t n, void *narrowed) {
  const mlm_layout layout = mlm_kernel_of(format, instructions)->layout;
  const size_t bytes = x_bytes(layout), padding = mlm_reduced_padded(format, n) - n;
  char *end = (char *)narrowed + n * bytes;
  if (format != MLM_INT8) {
    narrow(layout, x, n, 1, 0, narrowed);
    memset(end, 0, padding * bytes);
    return (mlm_int8_row){1, 0};
  }
  const range r = range_of(x, n);
  mlm_int8_row row = {NAN, 0};
  float inverse = 0;
  if (is_finite(r)) {
    // Half of the span, which does not overflow.
    const float half = r.largest / 2 - r.least / 2;
    row.scale = half < negligible ? 0 : half / 127;
    if (row.scale > 0) {
      inverse = 127 / half;
      row.zero = (int)rintf(-127 - r.least * inverse);
    }
    narrow(layout, x, n, inverse, row.zero, narrowed);
  } else {
    memset(narrowed, 0, n * bytes);
  }
  // The padding of W is zeros, so that of x may be any number.
  memset(end, 0, padding * bytes);
  if (layout == QUADS_UINT8) row.zero += 128;
  return row;
}

float mlm_quantize_int8(const float *x, size_t n, int8_t *q) {
  const range r = range_of(x, n);
  if (!is_finite(r)) {
    memset(q, 0, n);
    return NAN;
  }
  float largest;
  memcpy(&largest, &r.magnitude, sizeof largest);
  const int is_zero = largest < negligible;
  narrow(QUADS_INT8, x, n, is_zero ? 0 : 127 / largest, 0, q);
  return is_zero ? 0 : largest / 127;
}

void mlm_round_bfloat16(const float *x, size_t n, uint16_t *y) { narrow(PAIRS_BFLOAT16, x, n, 1, 0, y); }

// MARK: panels

static int32_t sum_of(const int8_t *x, size_t n) {
  if (has_avx2()) return sum_avx2(x, n);
  int32_t sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  return sum;
}

void mlm_pack_panel(
    mlm_format format, mlm_reduced_instructions instructions, const void *rows, size_t stride, size_t count,
    size_t inner, void *panel, int32_t *sums) {
  const mlm_layout layout = mlm_kernel_of(format, instructions)->layout;
  const size_t bytes = inner * (format == MLM_INT8 ? 1 : 2);
  // The rows that probably follow, one after another: the processor itself does not prefetch sixteen rows at once.
  for (size_t i = 0; i < count * stride; i += 64) __builtin_prefetch((const char *)rows + count * stride + i);
  if (format == MLM_INT8 && sums)
    for (size_t c = 0; c < MLM_REDUCED_PANEL; c++)
      sums[c] = c < count ? sum_of((const int8_t *)rows + c * stride, inner) : 0;
  // Groups of eight words of 16 whole rows; the rest by copies of up to eight words, padded with zeros.
  const size_t words = has_avx2() && count == MLM_REDUCED_PANEL ? bytes / 32 * 8 : 0;
  if (words) interleave_avx2(rows, stride, words, panel, layout == PAIRS_INT16);
  for (size_t k = words; 4 * k < mlm_reduced_panel_bytes(format, inner) / MLM_REDUCED_PANEL; k += 8) {
    char copy[MLM_REDUCED_PANEL][32] = {{0}};
    const size_t left = 4 * k < bytes ? bytes - 4 * k : 0;
    for (size_t c = 0; c < count; c++)
      memcpy(copy[c], (const char *)rows + c * stride + 4 * k, left < 32 ? left : 32);
    if (has_avx2()) interleave_avx2(copy[0], 32, 8, (char *)panel + 64 * k, layout == PAIRS_INT16);
    else interleave_scalar(copy[0], 32, MLM_REDUCED_PANEL, 8, (char *)panel + 64 * k);
  }
}
