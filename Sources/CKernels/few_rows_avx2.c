// The few-row product by AVX2: each lane is a row of x, and the weights are read where they lie, one number for all lanes.
//
// x is packed transposed, eight rows to a vector. Up to four vectors are multiplied by 3 to 6 columns at a time: 12 sums, which with
// the factors fill the 16 registers. So W need not be turned, which for few rows takes as long as the products themselves.
//
// Tried and left:
// - Columns in the lanes and turned panels of W: a third slower for 12 to 24 rows. For up to four few_rows_turned_avx2.c does so.
// - One vector by 12 columns: rows of 3,072 numbers all lie in one set of the first-level cache, which holds eight lines.
// - Larger or smaller pieces of x; the first lines of the next tile's rows fetched into the first-level cache: the same.
// - Half of the fetches, for the processor to fetch the lines between: a third slower.
// - Fetching 8 to 19 MB of the last layer's weights into the third-level cache while the layers before are computed: nothing on a Zen 3 that is
//   shared: there 28 MB read over and over take as long as ever new ones.
// - Edges with the rows in the lanes: rows of the first halves of 12 packed before those of the second, so that one vector of three has both kinds
//   and is added up both ways. The same for 21 rows, where 1.7 % less was expected: edges' columns take 1.6 times the others', not 1.3.
// - The same columns' next numbers of the inner dimension fetched instead of the next columns: 4 to 6 % slower, as memory likes to be read as
//   it lies.
//
// Zen 4: the tile alone runs at 97 % of the units' speed even from memory; in the product 7 % of the time is spent where a fetch for
// later comes to a new page and waits for its walk.
#include "few_rows.h"

#if defined(__x86_64__)

#include "eights_avx2.h"

enum {
  /// Vectors of rows that go through the weights together.
  MOST_VECTORS = 4,
  /// Bytes of x that stay in the first-level cache while columns pass.
  PIECE_OF_X = 16384,
  /// Numbers of W that stay in the second-level cache for further rows and pieces.
  GROUP_OF_W = 24 * 768,
  MOST_COLUMNS = 96,
};

/// One piece of the inner dimension. `sums` has vectors × 8 numbers for each column: where the block's sums so far are, and where they
/// go; `totals` likewise those of the blocks before, NULL within a block, to which the block's are added at its end. The first block's
/// are added to the bias of each column, if there is one.
typedef struct {
  size_t count;
  float *sums, *totals;
  int goes_on, adds;
  const float *bias;
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
#pragma clang loop unroll(full)
    for (int i = 0; i < vectors * columns; i++)
      if (p->bias) sum[i] = _mm256_add_ps(_mm256_broadcast_ss(p->bias + column + i / vectors), sum[i]);
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

/// y[row][column] = totals[column][row], for up to eight rows and columns.
TARGET INLINE void put_eight(
    const float *totals, size_t stride, size_t rows, const size_t columns, float *y, size_t y_stride) {
  // Masked stores take ten times as long.
  const int is_whole = columns == LANES;
  const __m256i mask = first_lanes(columns);
  __m256 v[LANES];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < LANES; i++) v[i] = i < columns ? _mm256_loadu_ps(totals + i * stride) : _mm256_setzero_ps();
  transpose(v);
#pragma clang loop unroll(full)
  for (size_t i = 0; i < LANES; i++) {
    if (i == rows) return;
    if (is_whole)
      _mm256_storeu_ps(y + i * y_stride, v[i]);
    else
      _mm256_maskstore_ps(y + i * y_stride, mask, v[i]);
  }
}

TARGET static void put(const float *totals, size_t stride, size_t rows, size_t columns, float *y, size_t y_stride) {
  size_t j = 0;
  for (; j + LANES <= columns; j += LANES)
    put_eight(totals + j * stride, stride, rows, LANES, y + j, y_stride);
  if (j < columns) put_eight(totals + j * stride, stride, rows, columns - j, y + j, y_stride);
}

// MARK: the product

static inline size_t vectors_of(size_t rows) { return (rows + LANES - 1) / LANES; }

static inline size_t passes_of(size_t rows) { return (vectors_of(rows) + MOST_VECTORS - 1) / MOST_VECTORS; }

/// The first vector of a pass through the weights, or after the last one. As even passes as can be: five vectors as three and two.
static inline size_t start_of_pass(size_t rows, size_t pass) { return pass * vectors_of(rows) / passes_of(rows); }

/// Whole tiles of any width, and whole eights.
size_t mlm_few_rows_unit_avx2(const mlm_few_rows *p) { return 24; }

size_t mlm_few_rows_scratch_avx2(const mlm_few_rows *p) {
  return vectors_of(p->rows) * LANES * p->inner + 2 * MOST_VECTORS * LANES * MOST_COLUMNS + EDGES_SCRATCH;
}

/// Some rows, `vectors` of them packed at x, for a group of columns from j on.
TARGET static void rows_of_group(
    const mlm_few_rows *p, size_t row, size_t vectors, const float *x, size_t j, size_t columns, float *sums,
    fetcher *ahead) {
  float *totals = sums + MOST_VECTORS * LANES * MOST_COLUMNS;
  const size_t end = row + vectors * LANES < p->rows ? row + vectors * LANES : p->rows;
  prefetch_results(p, row, end, j, columns);
  const size_t most = PIECE_OF_X / (vectors * LANES * sizeof(float)) & ~(size_t)7;
  for (size_t block = 0, size; block < p->inner; block += size) {
    size = mlm_next_block(p->inner - block, p->order.block, p->order.multiple);
    for (size_t k = 0, count; k < size; k += count) {
      count = mlm_next_block(size - k, most, 8);
      const piece here = {
          .count = count, .sums = sums, .totals = k + count == size ? totals : NULL, .goes_on = k > 0, .adds = block > 0,
          .bias = bias_of_block(p, j, block)};
      tiles_of(vectors, x + (block + k) * vectors * LANES, p->w + j * p->w_stride + block + k, p->w_stride, columns, &here, ahead);
    }
  }
  for (size_t from = row; from < end; from += LANES) {
    const size_t rows = end - from < LANES ? end - from : LANES;
    put(totals + (from - row), vectors * LANES, rows, columns, p->y + from * p->y_stride + j, p->y_stride);
  }
}

TARGET void mlm_few_rows_pack_avx2(const mlm_few_rows *p, float *scratch) {
  for (size_t pass = 0; pass < passes_of(p->rows); pass++) {
    const size_t first = start_of_pass(p->rows, pass), vectors = start_of_pass(p->rows, pass + 1) - first;
    for (size_t v = 0; v < vectors; v++) {
      const size_t row = (first + v) * LANES, rows = p->rows - row < LANES ? p->rows - row : LANES;
      pack_vector(
          p->x + row * p->x_stride, p->x_stride, rows, p->inner, scratch + first * LANES * p->inner + v * LANES,
          vectors * LANES);
    }
  }
}

TARGET void mlm_few_rows_avx2(
    const mlm_few_rows *p, size_t begin, size_t end, const float *following, float *scratch) {
  float *sums = scratch + vectors_of(p->rows) * LANES * p->inner;
  float *turned = sums + 2 * MOST_VECTORS * LANES * MOST_COLUMNS;
  // Whole tiles, of any width.
  size_t step = GROUP_OF_W / p->inner / 12 * 12;
  step = step < 12 ? 12 : step > MOST_COLUMNS ? MOST_COLUMNS : step;
  for (size_t j = begin; j < end; j += step) {
    const size_t columns = end - j < step ? end - j : step;
    fetcher ahead = {(const char *)ahead_of(p, j, step, end, following), 64};
    prefetch_bias(p, j, columns);
    for (size_t pass = 0; pass < passes_of(p->rows); pass++) {
      const size_t first = start_of_pass(p->rows, pass), vectors = start_of_pass(p->rows, pass + 1) - first;
      rows_of_group(p, first * LANES, vectors, scratch + first * LANES * p->inner, j, columns, sums, &ahead);
      ahead.step = 0;
    }
    // While the weights are in the second-level cache. Edges are eights of columns, which groups need not end with.
    const size_t done = j + columns == end ? end : (j + columns) / LANES * LANES;
    mlm_few_rows_edges(p, j / LANES * LANES, done, turned);
  }
}

#endif
