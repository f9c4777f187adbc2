// The few-row product by AVX2: each lane is a row of x, and the weights are read where they lie, one number for all lanes.
//
// x is packed transposed, eight rows to a vector. Up to four vectors are multiplied by 3 to 6 columns at a time: 12 sums, which with
// the factors fill the 16 registers. So W need not be turned, which for few rows takes as long as the products themselves.
//
// Tried and left: columns in the lanes and turned panels of W (a third slower for 12 to 24 rows, a tenth for one); one vector by 12
// columns (rows of 3,072 numbers all lie in one set of the first-level cache, which holds eight lines).
#include "few_rows.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))

enum {
  LANES = 8,
  /// Vectors of rows that go through the weights together.
  MOST_VECTORS = 4,
  /// Bytes of x that stay in the first-level cache while columns pass.
  PIECE_OF_X = 16384,
  /// Numbers of W that stay in the second-level cache for further rows and pieces.
  GROUP_OF_W = 24 * 768,
  MOST_COLUMNS = 96,
};

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

/// packed[k][lane] = x[lane][k] for up to eight rows, `stride` numbers from k to k + 1; zeros where there is no row.
TARGET static void pack_vector(
    const float *x, size_t x_stride, size_t rows, size_t inner, float *packed, size_t stride) {
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

/// One piece of the inner dimension. `sums` has vectors × 8 numbers for each column: where the block's sums so far are, and where they
/// go; `totals` likewise those of the blocks before, NULL within a block, to which the block's are added at its end.
typedef struct {
  size_t count;
  float *sums, *totals;
  int goes_on, adds;
} piece;

/// The next line of memory to fetch for later. `step`: 64; or 0, where it has been: another loop without would need registers.
typedef struct {
  const char *line;
  size_t step;
} fetcher;

TARGET INLINE void tile(
    const int vectors, const int columns, const float *x, const float *w, size_t w_stride, const piece *p, size_t column,
    fetcher *ahead) {
  __m256 sum[12];
  float *sums = p->sums + column * vectors * LANES;
#pragma clang loop unroll(full)
  for (int i = 0; i < vectors * columns; i++) sum[i] = p->goes_on ? _mm256_loadu_ps(sums + i * LANES) : _mm256_setzero_ps();
  const float *row[6];
#pragma clang loop unroll(full)
  for (int c = 0; c < columns; c++) row[c] = w + c * w_stride;
  size_t k = 0;
#define STEP(k)                                                                          \
  do {                                                                                   \
    if (vectors <= columns) {                                                            \
      __m256 factor[MOST_VECTORS];                                                       \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)               \
        LOAD(factor[v], x + ((k) * vectors + v) * LANES);                                \
      _Pragma("clang loop unroll(full)") for (int c = 0; c < columns; c++) {             \
        __m256 weight;                                                                   \
        BROADCAST(weight, row[c] + (k));                                                 \
        _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)             \
          MULTIPLY_ADD(sum[c * vectors + v], factor[v], weight);                         \
      }                                                                                  \
    } else {                                                                             \
      __m256 weight[MOST_VECTORS];                                                       \
      _Pragma("clang loop unroll(full)") for (int c = 0; c < columns; c++)               \
        BROADCAST(weight[c], row[c] + (k));                                              \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) {             \
        __m256 factor;                                                                   \
        LOAD(factor, x + ((k) * vectors + v) * LANES);                                   \
        _Pragma("clang loop unroll(full)") for (int c = 0; c < columns; c++)             \
          MULTIPLY_ADD(sum[c * vectors + v], factor, weight[c]);                         \
      }                                                                                  \
    }                                                                                    \
  } while (0)
  for (; k + 8 <= p->count; k += 8) {
#pragma clang loop unroll(full)
    for (int i = 0; i < (columns + 1) / 2; i++, ahead->line += ahead->step) _mm_prefetch(ahead->line, _MM_HINT_T1);
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) STEP(k + i);
  }
  for (; k < p->count; k++) STEP(k);
#undef STEP
  if (p->totals) {
    sums = p->totals + column * vectors * LANES;
#pragma clang loop unroll(full)
    for (int i = 0; i < vectors * columns; i++)
      if (p->adds) sum[i] = _mm256_add_ps(_mm256_loadu_ps(sums + i * LANES), sum[i]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < vectors * columns; i++) _mm256_storeu_ps(sums + i * LANES, sum[i]);
}

/// A piece of the inner dimension for a group of columns.
TARGET INLINE void tiles(
    const int vectors, const int width, const float *x, const float *w, size_t w_stride, size_t columns, const piece *p,
    fetcher *ahead) {
  size_t j = 0;
  for (; j + width <= columns; j += width) tile(vectors, width, x, w + j * w_stride, w_stride, p, j, ahead);
  for (; j < columns; j++) tile(vectors, 1, x, w + j * w_stride, w_stride, p, j, ahead);
}

TARGET static void tiles_of(
    size_t vectors, const float *x, const float *w, size_t w_stride, size_t columns, const piece *p, fetcher *ahead) {
  switch (vectors) {
    case 1: tiles(1, 6, x, w, w_stride, columns, p, ahead); break;
    case 2: tiles(2, 6, x, w, w_stride, columns, p, ahead); break;
    case 3: tiles(3, 4, x, w, w_stride, columns, p, ahead); break;
    default: tiles(4, 3, x, w, w_stride, columns, p, ahead); break;
  }
}

static inline __m256i TARGET first_lanes(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// y[row][column] = totals[column][row] + bias[column], for up to eight rows.
TARGET static void put(
    const float *totals, size_t stride, size_t rows, size_t columns, const float *bias, float *y, size_t y_stride) {
  for (size_t j = 0; j < columns; j += LANES) {
    const size_t count = columns - j < LANES ? columns - j : LANES;
    const __m256i mask = first_lanes(count);
    __m256 v[LANES];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < LANES; i++) v[i] = i < count ? _mm256_loadu_ps(totals + (j + i) * stride) : _mm256_setzero_ps();
    transpose(v);
    const __m256 shift = bias ? _mm256_maskload_ps(bias + j, mask) : _mm256_setzero_ps();
    for (size_t i = 0; i < rows; i++) {
      const __m256 sum = bias ? _mm256_add_ps(v[i], shift) : v[i];
      // Masked stores take ten times as long.
      if (count == LANES)
        _mm256_storeu_ps(y + i * y_stride + j, sum);
      else
        _mm256_maskstore_ps(y + i * y_stride + j, mask, sum);
    }
  }
}

// MARK: the edges of OpenBLAS' panels

enum { TILE_ROWS = 6 };

/// Which rows of each 12 OpenBLAS' Haswell kernel adds up in its other order at column j, a multiple of 8: 1 for rows 0 to 5, 2 for rows
/// 6 to 11. It takes the first eight columns of a panel so for the former, and the last eight for whichever half they are left over in.
static inline int edge_rows(size_t j, size_t n) {
  size_t start = 0, size = 0;
  for (; start < n; start += size) {
    size = mlm_next_block(n - start, 320, 8);
    if (j < start + size) break;
  }
  if (j < start + 8) return 1;
  return j + 8 < start + size ? 0 : size % 16 == 0 ? 1 : 2;
}

/// Eight columns as OpenBLAS' Haswell kernel computes them at a panel's edge: even and odd terms apart, in groups of eight.
TARGET INLINE void edge_tile(
    const int rows, const float *x, size_t x_stride, const float *turned, size_t count, float *y, size_t y_stride,
    __m256i mask, int adds, const float *bias) {
  __m256 even[TILE_ROWS], odd[TILE_ROWS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm256_setzero_ps();
  size_t k = 0;
  for (; k + 8 <= count; k += 8)
    for (size_t i = k; i < k + 8; i += 2)
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const float *from = x + r * x_stride + i;
        even[r] = _mm256_fmadd_ps(_mm256_loadu_ps(turned + LANES * i), _mm256_broadcast_ss(from), even[r]);
        odd[r] = _mm256_fmadd_ps(_mm256_loadu_ps(turned + LANES * (i + 1)), _mm256_broadcast_ss(from + 1), odd[r]);
      }
  for (; k < count; k++)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
      even[r] = _mm256_fmadd_ps(_mm256_loadu_ps(turned + LANES * k), _mm256_broadcast_ss(x + r * x_stride + k), even[r]);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    __m256 sum = _mm256_add_ps(even[r], odd[r]);
    if (adds) sum = _mm256_add_ps(_mm256_maskload_ps(y + r * y_stride, mask), sum);
    if (bias) sum = _mm256_add_ps(sum, _mm256_maskload_ps(bias, mask));
    _mm256_maskstore_ps(y + r * y_stride, mask, sum);
  }
}

/// Computes once more, in that order, what of columns [begin, end) lies at an edge: a fortieth of all.
TARGET static void edges(const mlm_few_rows *p, size_t begin, size_t end, float *turned) {
  for (size_t j = begin; j < end; j += LANES) {
    const int halves = edge_rows(j, p->columns);
    if (!halves) continue;
    const size_t columns = end - j < LANES ? end - j : LANES;
    const __m256i mask = first_lanes(columns);
    for (size_t k = 0, size; k < p->inner; k += size) {
      size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
      pack_vector(p->w + j * p->w_stride + k, p->w_stride, columns, size, turned, LANES);
      const float *bias = k + size == p->inner && p->bias ? p->bias + j : NULL;
      for (size_t from = 0; from < p->rows; from += TILE_ROWS) {
        if (!(halves & (from % 12 == 0 ? 1 : 2))) continue;
        const float *x = p->x + from * p->x_stride + k;
        float *y = p->y + from * p->y_stride + j;
        switch (p->rows - from) {
#define TILE(r) edge_tile(r, x, p->x_stride, turned, size, y, p->y_stride, mask, k > 0, bias)
          case 1: TILE(1); break;
          case 2: TILE(2); break;
          case 3: TILE(3); break;
          case 4: TILE(4); break;
          case 5: TILE(5); break;
          default: TILE(TILE_ROWS); break;
#undef TILE
        }
      }
    }
  }
}

// MARK: the product

static inline size_t vectors_of(size_t rows) { return (rows + LANES - 1) / LANES; }

size_t mlm_few_rows_scratch_avx2(size_t rows, size_t inner) {
  return vectors_of(rows) * LANES * inner + 2 * MOST_VECTORS * LANES * MOST_COLUMNS + LANES * MLM_LARGEST_BLOCK;
}

/// Some rows, `vectors` of them packed at x, for a group of columns from j on.
TARGET static void rows_of_group(
    const mlm_few_rows *p, size_t row, size_t vectors, const float *x, size_t j, size_t columns, float *sums,
    fetcher *ahead) {
  float *totals = sums + MOST_VECTORS * LANES * MOST_COLUMNS;
  const size_t most = PIECE_OF_X / (vectors * LANES * sizeof(float)) & ~(size_t)7;
  for (size_t block = 0, size; block < p->inner; block += size) {
    size = mlm_next_block(p->inner - block, p->order.block, p->order.multiple);
    for (size_t k = 0, count; k < size; k += count) {
      count = mlm_next_block(size - k, most, 8);
      const piece here = {
          .count = count, .sums = sums, .totals = k + count == size ? totals : NULL, .goes_on = k > 0, .adds = block > 0};
      tiles_of(vectors, x + (block + k) * vectors * LANES, p->w + j * p->w_stride + block + k, p->w_stride, columns, &here, ahead);
    }
  }
  for (size_t v = 0; v < vectors && row + v * LANES < p->rows; v++) {
    const size_t from = row + v * LANES, rows = p->rows - from < LANES ? p->rows - from : LANES;
    put(totals + v * LANES, vectors * LANES, rows, columns, p->bias ? p->bias + j : NULL, p->y + from * p->y_stride + j, p->y_stride);
  }
}

TARGET void mlm_few_rows_avx2(
    const mlm_few_rows *p, size_t begin, size_t end, const float *following, float *scratch) {
  const size_t all = vectors_of(p->rows), passes = (all + MOST_VECTORS - 1) / MOST_VECTORS;
  float *sums = scratch + all * LANES * p->inner;
  float *turned = sums + 2 * MOST_VECTORS * LANES * MOST_COLUMNS;
  // As even passes as can be: five vectors as three and two.
  for (size_t pass = 0; pass < passes; pass++) {
    const size_t first = pass * all / passes, vectors = (pass + 1) * all / passes - first;
    for (size_t v = 0; v < vectors; v++) {
      const size_t row = (first + v) * LANES, rows = p->rows - row < LANES ? p->rows - row : LANES;
      pack_vector(
          p->x + row * p->x_stride, p->x_stride, rows, p->inner, scratch + first * LANES * p->inner + v * LANES,
          vectors * LANES);
    }
  }
  // Whole tiles, of any width.
  size_t step = GROUP_OF_W / p->inner / 12 * 12;
  step = step < 12 ? 12 : step > MOST_COLUMNS ? MOST_COLUMNS : step;
  for (size_t j = begin; j < end; j += step) {
    const size_t columns = end - j < step ? end - j : step;
    fetcher ahead = {(const char *)ahead_of(p, j, step, end, following), 64};
    for (size_t pass = 0; pass < passes; pass++) {
      const size_t first = pass * all / passes, vectors = (pass + 1) * all / passes - first;
      rows_of_group(p, first * LANES, vectors, scratch + first * LANES * p->inner, j, columns, sums, &ahead);
      ahead.step = 0;
    }
  }
  if (p->order.splits_edges) edges(p, begin, end, turned);
}

#endif
