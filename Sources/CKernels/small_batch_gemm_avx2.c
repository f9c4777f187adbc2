// The small-batch GEMM with AVX2. Three kernels:
// - for more than TRANSPOSED_ROWS rows: each lane is a row of x, and weights are read in place, one number for all
//   lanes;
// - for fewer rows: each lane is a column, and weights are transposed in registers;
// - for packed weights: each lane is a column, and weights are read from panels of 16 columns.
#include "small_batch_gemm.h"

#if defined(__x86_64__)

#include "avx2_vectors.h"

#include <string.h>

// MARK: prefetching

/// Prefetches weights while others are multiplied.
typedef struct {
  const char *line;
  /// The end of the weights of this call, and the weights to prefetch after it.
  const char *end, *following;
  /// 64; or 0 if everything is prefetched already: a second loop without prefetches would need more registers.
  size_t step;
} prefetcher;

/// The prefetch distance in bytes. With a longer one, lines are evicted from the second-level cache on a processor with
/// other load; with a quarter of it, the kernel waits for memory.
enum { PREFETCH_DISTANCE = 24576 };

/// A prefetcher for weights that are read from `w` to `end` and then from `following` on. If `following` is NULL, the
/// weights from `begin` on are prefetched again, which costs nothing.
static inline prefetcher prefetcher_from(const float *w, const float *begin, const float *end, const float *following) {
  return (prefetcher){
      .line = (const char *)w + PREFETCH_DISTANCE, .end = (const char *)end,
      .following = (const char *)(following ? following : begin), .step = 64};
}

/// Jumps to the following weights if the end is reached. To be called every few thousand bytes.
INLINE void jump_to_following(prefetcher *ahead) {
  if (ahead->line < ahead->end) return;
  ahead->line = ahead->following + (ahead->line - ahead->end);
  ahead->end = (const char *)UINTPTR_MAX;
}

/// Prefetches lines into the second-level cache.
INLINE void prefetch_lines(prefetcher *ahead, const int lines) {
#pragma clang loop unroll(full)
  for (int i = 0; i < lines; i++, ahead->line += ahead->step) __builtin_prefetch(ahead->line, 0, 2);
}

/// Prefetches the memory of results, which is in the caches of other threads that read its previous content. Otherwise
/// stores wait (1 % of the products of a line of 21 tokens).
TARGET static inline void prefetch_results(
    const mlm_small_batch_gemm *p, size_t row, size_t rows_end, size_t j, size_t columns) {
  for (; row < rows_end; row++) {
    const char *line = (const char *)(p->y + row * p->y_stride + j), *last = line + (columns - 1) * sizeof(float);
    for (; line < last; line += 64) __builtin_prefetch(line, 1);
    __builtin_prefetch(last, 1);
  }
}

// MARK: rows in lanes
//
// x is packed transposed, eight rows to a vector. Up to four vectors are multiplied by 3 to 6 columns at a time: 12
// sums, which with the factors fill the 16 registers. So W need not be transposed, which for few rows takes as long as
// the products themselves.
//
// Tried without success:
// - Columns in the lanes and transposed panels of W: a third slower for 12 to 24 rows.
// - One vector by 12 columns: rows of 3,072 numbers all map to one set of the first-level cache, which holds eight
//   lines.
// - Larger or smaller chunks of x; the first lines of the next tile's rows prefetched into the first-level cache: no
//   difference.
// - Half of the prefetches, so that the processor prefetches the lines between: a third slower.
// - Prefetching 8 to 19 MB of the last layer's weights into the third-level cache while the layers before are computed:
//   no gain on a shared Zen 3, where reading the same 28 MB repeatedly takes as long as reading new ones.
// - Edges with the rows in the lanes: rows of the first halves of 12 packed before those of the second, so that one
//   vector of three has both kinds and is added up both ways. The same for 21 rows, where 1.7 % less was expected:
//   columns at edges take 1.6 times the others' time, not 1.3.
// - Prefetching the same columns' next numbers instead of the next columns: 4 to 6 % slower, as memory is fastest read
//   in order.
//
// Zen 4: the tile alone runs at 97 % of peak even from memory. In the product, 7 % of the time is spent in prefetches
// that reach a new page and wait for its page walk.

enum {
  /// Vectors of rows that pass through the weights together.
  MOST_VECTORS = 4,
  /// Bytes of x that stay in the first-level cache while columns pass.
  CHUNK_OF_X = 16384,
  /// Numbers of W that stay in the second-level cache for more rows and chunks.
  GROUP_OF_W = 24 * 768,
  MOST_COLUMNS = 96,
};

/// The accumulators of a chunk of the inner dimension. `sums` has vectors × 8 floats for each column: the block's sums
/// so far and their destination. `totals`, of the same shape: the sums of the blocks before, to which the block's are
/// added at its end; NULL within a block. The first block's sums are added to the bias of each column, if there is one.
typedef struct {
  size_t count;
  float *sums, *totals;
  int continues, adds;
  const float *bias;
} accumulators;

TARGET_INLINE void row_tile(
    const int vectors, const int columns, const float *x, const float *w, size_t w_stride, const accumulators *p,
    size_t column, prefetcher *ahead) {
  __m256 sum[12];
  float *sums = p->sums + column * vectors * LANES;
#pragma clang loop unroll(full)
  for (int i = 0; i < vectors * columns; i++)
    sum[i] = p->continues ? _mm256_loadu_ps(sums + i * LANES) : _mm256_setzero_ps();
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
    prefetch_lines(ahead, (columns + 1) / 2);
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

/// A chunk of the inner dimension for a group of columns.
TARGET_INLINE void row_tiles_of(
    const int vectors, const int width, const float *x, const float *w, size_t w_stride, size_t columns,
    const accumulators *p, prefetcher *ahead) {
  size_t j = 0;
  for (; j + width <= columns; j += width) row_tile(vectors, width, x, w + j * w_stride, w_stride, p, j, ahead);
  for (; j < columns; j++) row_tile(vectors, 1, x, w + j * w_stride, w_stride, p, j, ahead);
}

TARGET static void row_tiles(
    size_t vectors, const float *x, const float *w, size_t w_stride, size_t columns, const accumulators *p,
    prefetcher *ahead) {
  switch (vectors) {
    case 1: row_tiles_of(1, 6, x, w, w_stride, columns, p, ahead); break;
    case 2: row_tiles_of(2, 6, x, w, w_stride, columns, p, ahead); break;
    case 3: row_tiles_of(3, 4, x, w, w_stride, columns, p, ahead); break;
    default: row_tiles_of(4, 3, x, w, w_stride, columns, p, ahead); break;
  }
}

/// y[row][column] = totals[column][row], for up to eight rows and columns.
TARGET_INLINE void store_eight(
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

TARGET static void store_transposed(
    const float *totals, size_t stride, size_t rows, size_t columns, float *y, size_t y_stride) {
  size_t j = 0;
  for (; j + LANES <= columns; j += LANES) store_eight(totals + j * stride, stride, rows, LANES, y + j, y_stride);
  if (j < columns) store_eight(totals + j * stride, stride, rows, columns - j, y + j, y_stride);
}

static inline size_t vectors_of(size_t rows) { return (rows + LANES - 1) / LANES; }

static inline size_t passes_of(size_t rows) { return (vectors_of(rows) + MOST_VECTORS - 1) / MOST_VECTORS; }

/// The first vector of a pass through the weights, or the end of the last pass. Passes are as even as possible: five
/// vectors as three and two.
static inline size_t start_of_pass(size_t rows, size_t pass) { return pass * vectors_of(rows) / passes_of(rows); }

/// Multiplies some rows, packed at x as `vectors` vectors, by a group of columns from j on.
TARGET static void multiply_group(
    const mlm_small_batch_gemm *p, size_t row, size_t vectors, const float *x, size_t j, size_t columns, float *sums,
    prefetcher *ahead) {
  float *totals = sums + MOST_VECTORS * LANES * MOST_COLUMNS;
  const size_t end = row + vectors * LANES < p->rows ? row + vectors * LANES : p->rows;
  prefetch_results(p, row, end, j, columns);
  const size_t most = CHUNK_OF_X / (vectors * LANES * sizeof(float)) & ~(size_t)7;
  for (size_t block = 0, size; block < p->inner; block += size) {
    size = mlm_next_block(p->inner - block, p->order.block, p->order.multiple);
    for (size_t k = 0, count; k < size; k += count) {
      count = mlm_next_block(size - k, most, 8);
      const accumulators here = {
          .count = count, .sums = sums, .totals = k + count == size ? totals : NULL, .continues = k > 0,
          .adds = block > 0, .bias = bias_of_block(p, j, block)};
      const float *w = p->w + j * p->w_stride + block + k;
      row_tiles(vectors, x + (block + k) * vectors * LANES, w, p->w_stride, columns, &here, ahead);
    }
  }
  for (size_t from = row; from < end; from += LANES) {
    const size_t rows = end - from < LANES ? end - from : LANES;
    store_transposed(totals + (from - row), vectors * LANES, rows, columns, p->y + from * p->y_stride + j, p->y_stride);
  }
}

TARGET static void multiply_rows(
    const mlm_small_batch_gemm *p, size_t begin, size_t end, const float *following, float *scratch) {
  float *sums = scratch + vectors_of(p->rows) * LANES * p->inner;
  float *edges = sums + 2 * MOST_VECTORS * LANES * MOST_COLUMNS;
  // Whole tiles, of any width.
  size_t step = GROUP_OF_W / p->inner / 12 * 12;
  step = step < 12 ? 12 : step > MOST_COLUMNS ? MOST_COLUMNS : step;
  for (size_t j = begin; j < end; j += step) {
    const size_t columns = end - j < step ? end - j : step;
    prefetcher ahead = {.line = (const char *)next_columns(p, j, step, end, following), .step = 64};
    prefetch_bias(p, j, columns);
    for (size_t pass = 0; pass < passes_of(p->rows); pass++) {
      const size_t first = start_of_pass(p->rows, pass), vectors = start_of_pass(p->rows, pass + 1) - first;
      multiply_group(p, first * LANES, vectors, scratch + first * LANES * p->inner, j, columns, sums, &ahead);
      ahead.step = 0;
    }
    // Recompute edges while the weights are in the second-level cache. Edges are groups of eight columns, which may
    // extend beyond this group.
    const size_t done = j + columns == end ? end : (j + columns) / LANES * LANES;
    mlm_recompute_edges(p, j / LANES * LANES, done, edges);
  }
}

TARGET static void pack_rows_of_x(const mlm_small_batch_gemm *p, float *scratch) {
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

static size_t rows_scratch(const mlm_small_batch_gemm *p) {
  return vectors_of(p->rows) * LANES * p->inner + 2 * MOST_VECTORS * LANES * MOST_COLUMNS + EDGES_SCRATCH;
}

/// Whole tiles of any width, and whole groups of eight.
static size_t rows_unit(const mlm_small_batch_gemm *p) { return 24; }

const mlm_small_batch_kernel mlm_avx2_kernel = {
    .multiply = multiply_rows, .pack = pack_rows_of_x, .scratch = rows_scratch, .unit = rows_unit};

// MARK: edges of OpenBLAS' panels

/// The number of rows in half a tile of OpenBLAS.
enum { HALF_TILE = 6 };

/// Eight columns in the order of OpenBLAS' Haswell kernel at a panel's edge: even and odd terms separately, in groups
/// of eight.
TARGET_INLINE void edge_tile(
    const int rows, const float *x, size_t x_stride, const float *transposed, size_t count, float *y, size_t y_stride,
    __m256i mask, int adds, const float *bias) {
  __m256 even[HALF_TILE], odd[HALF_TILE];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm256_setzero_ps();
  size_t k = 0;
  for (; k + 8 <= count; k += 8)
    for (size_t i = k; i < k + 8; i += 2)
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const float *from = x + r * x_stride + i;
        even[r] = _mm256_fmadd_ps(_mm256_loadu_ps(transposed + LANES * i), _mm256_broadcast_ss(from), even[r]);
        odd[r] = _mm256_fmadd_ps(_mm256_loadu_ps(transposed + LANES * (i + 1)), _mm256_broadcast_ss(from + 1), odd[r]);
      }
  for (; k < count; k++)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
      even[r] = _mm256_fmadd_ps(
          _mm256_loadu_ps(transposed + LANES * k), _mm256_broadcast_ss(x + r * x_stride + k), even[r]);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    __m256 sum = _mm256_add_ps(even[r], odd[r]);
    if (adds) sum = _mm256_add_ps(_mm256_maskload_ps(y + r * y_stride, mask), sum);
    if (bias) sum = _mm256_add_ps(_mm256_maskload_ps(bias, mask), sum);
    _mm256_maskstore_ps(y + r * y_stride, mask, sum);
  }
}

TARGET void mlm_recompute_edges(const mlm_small_batch_gemm *p, size_t begin, size_t end, float *transposed) {
  if (!p->order.splits_edges) return;
  for (size_t j = begin; j < end; j += LANES) {
    const int halves = mlm_edge_rows(j, p->columns);
    if (!halves) continue;
    const size_t columns = end - j < LANES ? end - j : LANES;
    const __m256i mask = first_lanes(columns);
    for (size_t k = 0, size; k < p->inner; k += size) {
      size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
      pack_vector(p->w + j * p->w_stride + k, p->w_stride, columns, size, transposed, LANES);
      const float *bias = bias_of_block(p, j, k);
      for (size_t from = 0; from < p->rows; from += HALF_TILE) {
        if (!(halves & (from % (2 * HALF_TILE) == 0 ? 1 : 2))) continue;
        const float *x = p->x + from * p->x_stride + k;
        float *y = p->y + from * p->y_stride + j;
        switch (p->rows - from) {
#define EDGE(r) edge_tile(r, x, p->x_stride, transposed, size, y, p->y_stride, mask, k > 0, bias)
          case 1: EDGE(1); break;
          case 2: EDGE(2); break;
          case 3: EDGE(3); break;
          case 4: EDGE(4); break;
          case 5: EDGE(5); break;
          default: EDGE(HALF_TILE); break;
#undef EDGE
        }
      }
    }
  }
}

// MARK: columns in lanes, for up to TRANSPOSED_ROWS rows
//
// With so few rows, memory bandwidth limits the speed, provided that memory is read in order: the weights of eight
// columns from start to end, while the next ones are prefetched. 28 MB, two threads of a Zen 3: 18.5 GB/s for one row,
// the speed of reading alone; rows in lanes reach 15.5.
//
// Tried without success: sixteen columns at a time (a quarter slower); prefetching 12 or 48 KB ahead instead of 24 (2 %
// slower).

/// Eight columns from j on, or the last ones. splits: even and odd terms separately, in groups of eight, as at an edge
/// of OpenBLAS' panels.
TARGET_INLINE void eight_columns(
    const int rows, const int splits, const mlm_small_batch_gemm *p, size_t j, size_t columns, prefetcher *ahead,
    float *scratch) {
  __m256 total[TRANSPOSED_ROWS];
  const int is_whole = columns == LANES;
  const __m256i mask = first_lanes(columns);
  for (size_t start = 0, size; start < p->inner; start += size) {
    size = mlm_next_block(p->inner - start, p->order.block, p->order.multiple);
    const float *x = p->x + start, *w = p->w + j * p->w_stride + start;
    __m256 even[TRANSPOSED_ROWS], odd[TRANSPOSED_ROWS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm256_setzero_ps();
    if (!is_whole) pack_vector(w, p->w_stride, columns, size, scratch, LANES);
    jump_to_following(ahead);
    prefetcher here = *ahead;
    size_t k = 0;
    if (is_whole)
      for (; k + 8 <= size; k += 8) {
        prefetch_lines(&here, 4);
#pragma clang loop unroll(full)
        for (size_t half = 0; half < 8; half += 4) {
          __m256 v[4];
          transpose_four(w + k + half, p->w_stride, v);
#pragma clang loop unroll(full)
          for (size_t i = 0; i < 4; i++)
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
              __m256 *sum = splits && i % 2 ? odd : even;
              sum[r] = _mm256_fmadd_ps(v[i], _mm256_broadcast_ss(x + r * p->x_stride + k + half + i), sum[r]);
            }
        }
      }
    // Fewer than eight columns, and the last numbers.
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

TARGET_INLINE void all_columns(
    const int rows, const mlm_small_batch_gemm *p, size_t begin, size_t end, const float *following, float *scratch) {
  const float *first = p->w + begin * p->w_stride, *last = p->w + end * p->w_stride;
  for (size_t j = begin; j < end; j += LANES) {
    const size_t columns = end - j < LANES ? end - j : LANES;
    prefetcher ahead = prefetcher_from(p->w + j * p->w_stride, first, last, following);
    prefetch_bias(p, j, columns);
    // With so few rows, there are none in the second half of a tile.
    if (p->order.splits_edges && mlm_edge_rows(j, p->columns) == 1)
      eight_columns(rows, 1, p, j, columns, &ahead, scratch);
    else
      eight_columns(rows, 0, p, j, columns, &ahead, scratch);
  }
}

TARGET static void multiply_transposed(
    const mlm_small_batch_gemm *p, size_t begin, size_t end, const float *following, float *scratch) {
  switch (p->rows) {
    case 1: all_columns(1, p, begin, end, following, scratch); break;
    case 2: all_columns(2, p, begin, end, following, scratch); break;
    case 3: all_columns(3, p, begin, end, following, scratch); break;
    case 4: all_columns(4, p, begin, end, following, scratch); break;
  }
}

static size_t transposed_scratch(const mlm_small_batch_gemm *p) { return LANES * MLM_LARGEST_BLOCK; }

const mlm_small_batch_kernel mlm_avx2_transposed_kernel = {
    .multiply = multiply_transposed, .scratch = transposed_scratch, .unit = rows_unit};

// MARK: packed weights, for a process that multiplies by them again and again
//
// Each lane is a column. Up to six rows are multiplied by a panel at a time: 12 sums, two vectors of weights, and one
// number of x for all lanes. So 21 rows are not padded to 24, y needs no transposition, and memory is read
// contiguously.
//
// A line of 21 tokens, five layers' products, compared with weights read in place (Zen 3 with other load, alternating):
// 0.86 to 0.89 of the time; with x read in place, the addresses of its rows in registers, 0.91 to 0.93; with the next
// panel prefetched instead of the next 24 KB 0.94. Tried without success: prefetching 12 KB ahead (4 % slower), 16 to
// 32 KB (no difference), 4 KB or nothing (a quarter slower).

enum {
  /// The number of rows in a tile.
  PACKED_ROWS = 6,
  /// The stride of the copy of x, in floats. As a constant, it becomes part of the instructions; and no two rows of a
  /// tile map to one set of the first-level cache.
  X_STRIDE = MLM_LARGEST_BLOCK + 16,
};

/// A block of the inner dimension of a panel, for rows that begin at `x` and `y`.
typedef struct {
  const float *x, *w;
  size_t count;
  float *y;
  size_t y_stride;
  /// Whether the sums are added to y.
  int adds;
  /// The bias to which the sums of the first block are added, or NULL.
  const float *bias;
} panel_block;

TARGET_INLINE void store_sum(const panel_block *b, size_t row, size_t column, __m256 sum) {
  float *y = b->y + row * b->y_stride + column;
  if (b->adds) sum = _mm256_add_ps(_mm256_loadu_ps(y), sum);
  if (b->bias) sum = _mm256_add_ps(_mm256_loadu_ps(b->bias + column), sum);
  _mm256_storeu_ps(y, sum);
}

/// lines: the number of lines of weights to prefetch per 8 numbers of the inner dimension.
TARGET_INLINE void panel_tile(const int rows, const int lines, const panel_block *b, prefetcher *ahead) {
  __m256 sum[2 * PACKED_ROWS];
#pragma clang loop unroll(full)
  for (int i = 0; i < 2 * rows; i++) sum[i] = _mm256_setzero_ps();
  const float *x = b->x, *w = b->w;
  prefetcher here = *ahead;
  size_t k = 0;
#define STEP(k)                                                         \
  do {                                                                  \
    __m256 low, high;                                                   \
    LOAD(low, w + (k) * MLM_PANEL);                                     \
    LOAD(high, w + (k) * MLM_PANEL + LANES);                            \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) { \
      __m256 factor;                                                    \
      BROADCAST(factor, x + r * X_STRIDE + (k));                        \
      MULTIPLY_ADD(sum[2 * r], low, factor);                            \
      MULTIPLY_ADD(sum[2 * r + 1], high, factor);                       \
    }                                                                   \
  } while (0)
  for (; k + 8 <= b->count; k += 8) {
    prefetch_lines(&here, lines);
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) STEP(k + i);
  }
  for (; k < b->count; k++) STEP(k);
#undef STEP
  ahead->line = here.line;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    store_sum(b, r, 0, sum[2 * r]);
    store_sum(b, r, LANES, sum[2 * r + 1]);
  }
}

#define TILES(rows, lines) \
  case rows: panel_tile(rows, lines, &b, ahead); break

/// Multiplies all rows by a panel. Tiles are as even as possible: 21 rows as 5, 5, 5 and 6.
TARGET static void panel_tiles(size_t rows, panel_block b, prefetcher *ahead) {
  const size_t count = (rows + PACKED_ROWS - 1) / PACKED_ROWS, most = count < 4 ? count : 4;
  const float *x = b.x;
  float *y = b.y;
  for (size_t t = 0; t < count; t++) {
    const size_t row = rows * t / count, size = rows * (t + 1) / count - row;
    b.x = x + row * X_STRIDE;
    b.y = y + row * b.y_stride;
    jump_to_following(ahead);
    ahead->step = t < most ? 64 : 0;
    // The first four tiles prefetch as many lines of weights as are used.
    switch (most) {
      case 1:
        switch (size) {
          TILES(1, 8); TILES(2, 8); TILES(3, 8); TILES(4, 8); TILES(5, 8); TILES(6, 8);
        }
        break;
      case 2:
        switch (size) {
          TILES(3, 4); TILES(4, 4); TILES(5, 4); TILES(6, 4);
        }
        break;
      case 3:
        switch (size) {
          TILES(4, 3); TILES(5, 3); TILES(6, 3);
        }
        break;
      default:
        switch (size) {
          TILES(4, 2); TILES(5, 2); TILES(6, 2);
        }
    }
  }
}

/// Multiplies rows by eight columns of a panel. splits: one sum for even and one for odd terms, in groups of eight.
TARGET_INLINE void panel_edge_tile(
    const int rows, const int splits, const panel_block *b, const size_t eight, prefetcher *ahead) {
  __m256 even[PACKED_ROWS], odd[PACKED_ROWS];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm256_setzero_ps();
  const float *x = b->x, *w = b->w + eight * LANES;
  prefetcher here = *ahead;
  size_t k = 0;
#define STEP(k, sum)                                                    \
  do {                                                                  \
    __m256 weights;                                                     \
    LOAD(weights, w + (k) * MLM_PANEL);                                 \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) { \
      __m256 factor;                                                    \
      BROADCAST(factor, x + r * X_STRIDE + (k));                        \
      MULTIPLY_ADD(sum[r], weights, factor);                            \
    }                                                                   \
  } while (0)
  for (; k + 8 <= b->count; k += 8) {
    prefetch_lines(&here, 1);
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 2) {
      STEP(k + i, even);
      if (splits)
        STEP(k + i + 1, odd);
      else
        STEP(k + i + 1, even);
    }
  }
  for (; k < b->count; k++) STEP(k, even);
#undef STEP
  ahead->line = here.line;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) store_sum(b, r, eight * LANES, splits ? _mm256_add_ps(even[r], odd[r]) : even[r]);
}

TARGET static void panel_edge_eight(size_t rows, int splits, const panel_block *b, size_t eight, prefetcher *ahead) {
#define EDGE(rows)                               \
  case rows:                                     \
    if (splits)                                  \
      panel_edge_tile(rows, 1, b, eight, ahead); \
    else                                         \
      panel_edge_tile(rows, 0, b, eight, ahead); \
    break
  switch (rows) {
    EDGE(1); EDGE(2); EDGE(3); EDGE(4); EDGE(5); EDGE(6);
  }
#undef EDGE
}

/// Multiplies all rows by a panel that has eight columns at an edge. halves: for each eight columns, the rows of 12
/// that are added up in the edge's order (mlm_edge_rows).
TARGET static void panel_edge_tiles(size_t rows, panel_block b, const int halves[2], prefetcher *ahead) {
  for (size_t row = 0; row < rows; row += PACKED_ROWS) {
    const int half = row % (2 * PACKED_ROWS) == 0 ? 1 : 2;
    const size_t size = rows - row < PACKED_ROWS ? rows - row : PACKED_ROWS;
    jump_to_following(ahead);
    ahead->step = row < 4 * PACKED_ROWS ? 64 : 0;
    if (halves[0] == half || halves[1] == half) {
      for (size_t eight = 0; eight < 2; eight++) panel_edge_eight(size, halves[eight] == half, &b, eight, ahead);
    } else {
      switch (size) {
        TILES(1, 2); TILES(2, 2); TILES(3, 2); TILES(4, 2); TILES(5, 2); TILES(6, 2);
      }
    }
    b.x += PACKED_ROWS * X_STRIDE;
    b.y += PACKED_ROWS * b.y_stride;
  }
}

#undef TILES

TARGET static void multiply_packed(
    const mlm_small_batch_gemm *p, size_t begin, size_t end, const float *following, float *scratch) {
  for (size_t j = begin; j < end; j += MLM_PANEL) {
    const float *panel = p->w + j * p->inner;
    prefetcher ahead = prefetcher_from(panel, p->w + begin * p->inner, p->w + end * p->inner, following);
    prefetch_bias(p, j, MLM_PANEL);
    prefetch_results(p, 0, p->rows, j, MLM_PANEL);
    int halves[2] = {0, 0};
    if (p->order.splits_edges)
      for (size_t eight = 0; eight < 2; eight++) halves[eight] = mlm_edge_rows(j + eight * LANES, p->columns);
    panel_block b = {.x = scratch, .w = panel, .y = p->y + j, .y_stride = p->y_stride};
    for (size_t k = 0; k < p->inner; k += b.count) {
      b.count = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
      b.adds = k > 0;
      b.bias = bias_of_block(p, j, k);
      if (halves[0] | halves[1])
        panel_edge_tiles(p->rows, b, halves, &ahead);
      else
        panel_tiles(p->rows, b, &ahead);
      b.x += p->rows * X_STRIDE;
      b.w += b.count * MLM_PANEL;
    }
  }
}

/// Copies x in the order in which it is read: block by block, with rows X_STRIDE apart.
static void copy_blocks_of_x(const mlm_small_batch_gemm *p, float *scratch) {
  for (size_t k = 0, size; k < p->inner; k += size) {
    size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
    for (size_t row = 0; row < p->rows; row++, scratch += X_STRIDE)
      memcpy(scratch, p->x + row * p->x_stride + k, size * sizeof(float));
  }
}

static size_t packed_scratch(const mlm_small_batch_gemm *p) {
  size_t blocks = 0;
  for (size_t k = 0; k < p->inner; k += mlm_next_block(p->inner - k, p->order.block, p->order.multiple)) blocks++;
  return blocks * p->rows * X_STRIDE;
}

static size_t packed_unit(const mlm_small_batch_gemm *p) { return MLM_PANEL; }

const mlm_small_batch_kernel mlm_avx2_packed_kernel = {
    .multiply = multiply_packed, .pack = copy_blocks_of_x, .scratch = packed_scratch, .unit = packed_unit};

TARGET void mlm_pack_weights_avx2(
    const float *w, size_t w_stride, size_t begin, size_t end, size_t inner, float *packed) {
  for (size_t j = begin; j < end; j += LANES) {
    float *panel = packed + j / MLM_PANEL * MLM_PANEL * inner + j % MLM_PANEL;
    pack_vector(w + j * w_stride, w_stride, LANES, inner, panel, MLM_PANEL);
  }
}

#endif
