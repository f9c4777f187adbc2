// The few-row product by AVX2 over weights packed in panels of 16 columns, for a process that multiplies by them again and again.
//
// Each lane is a column. Up to six rows are multiplied by a panel at a time: 12 sums, two vectors of weights, and one number of x for all
// lanes. So 21 rows are not 24, y needs no turning, and what comes next from memory lies in one line.
//
// A line of 21 tokens, five layers' products, against those that read W where it lies (Zen 3 with neighbours, in turns): 0.86 to 0.89;
// with x read where it lies, its rows' places in registers, 0.91 to 0.93; with the next panel fetched instead of the next 24 KB 0.94.
// Tried and left: fetching 12 KB ahead (4 % slower), 16 to 32 KB (the same), 4 KB or nothing (a quarter slower).
#include "few_rows.h"

#if defined(__x86_64__)

#include "eights_avx2.h"
#include "fetcher.h"

#include <string.h>

enum {
  PANEL = MLM_PANEL,
  /// Rows of a tile.
  TILE = 6,
  /// Floats from row to row of the copy of x: known here, they are part of the instructions; and no two rows of a tile in one set of the
  /// first-level cache.
  X_STRIDE = MLM_LARGEST_BLOCK + 16,
};

/// A block of the inner dimension of a panel, for rows that begin at `x` and `y`.
typedef struct {
  const float *x, *w;
  size_t count;
  float *y;
  size_t y_stride;
  /// Whether the sums are added to y, or to what instead, in the first block; NULL: to nothing.
  int adds;
  const float *bias;
} block;

TARGET INLINE void put(const block *b, size_t row, size_t column, __m256 sum) {
  float *y = b->y + row * b->y_stride + column;
  if (b->adds) sum = _mm256_add_ps(_mm256_loadu_ps(y), sum);
  if (b->bias) sum = _mm256_add_ps(_mm256_loadu_ps(b->bias + column), sum);
  _mm256_storeu_ps(y, sum);
}

/// - lines: of weights to fetch for every 8 of the inner dimension.
TARGET INLINE void tile(const int rows, const int lines, const block *b, fetcher *ahead) {
  __m256 sum[2 * TILE];
#pragma clang loop unroll(full)
  for (int i = 0; i < 2 * rows; i++) sum[i] = _mm256_setzero_ps();
  const float *x = b->x, *w = b->w;
  fetcher here = *ahead;
  size_t k = 0;
#define STEP(k)                                                        \
  do {                                                                 \
    __m256 low, high;                                                  \
    LOAD(low, w + (k) * PANEL);                                        \
    LOAD(high, w + (k) * PANEL + LANES);                               \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) { \
      __m256 factor;                                                   \
      BROADCAST(factor, x + r * X_STRIDE + (k));                       \
      MULTIPLY_ADD(sum[2 * r], low, factor);                           \
      MULTIPLY_ADD(sum[2 * r + 1], high, factor);                      \
    }                                                                  \
  } while (0)
  for (; k + 8 <= b->count; k += 8) {
    fetch(&here, lines);
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) STEP(k + i);
  }
  for (; k < b->count; k++) STEP(k);
#undef STEP
  ahead->line = here.line;
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    put(b, r, 0, sum[2 * r]);
    put(b, r, LANES, sum[2 * r + 1]);
  }
}

#define TILES(rows, lines) \
  case rows: tile(rows, lines, &b, ahead); break

/// All rows with a panel. Tiles as even as can be: 21 rows as 5, 5, 5 and 6.
TARGET static void tiles(size_t rows, block b, fetcher *ahead) {
  const size_t count = (rows + TILE - 1) / TILE, most = count < 4 ? count : 4;
  const float *x = b.x;
  float *y = b.y;
  for (size_t t = 0; t < count; t++) {
    const size_t row = rows * t / count, size = rows * (t + 1) / count - row;
    b.x = x + row * X_STRIDE;
    b.y = y + row * b.y_stride;
    turn_to_following(ahead);
    ahead->step = t < most ? 64 : 0;
    // As many lines of weights as are used, by the first four tiles.
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

// MARK: edges of OpenBLAS' panels

/// One eight of a panel's columns: where `splits`, one sum for even and one for odd terms, in groups of eight.
TARGET INLINE void edge_tile(const int rows, const int splits, const block *b, const size_t eight, fetcher *ahead) {
  __m256 even[TILE], odd[TILE];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) even[r] = odd[r] = _mm256_setzero_ps();
  const float *x = b->x, *w = b->w + eight * LANES;
  fetcher here = *ahead;
  size_t k = 0;
#define STEP(k, sum)                                                    \
  do {                                                                  \
    __m256 weights;                                                     \
    LOAD(weights, w + (k) * PANEL);                                     \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) { \
      __m256 factor;                                                    \
      BROADCAST(factor, x + r * X_STRIDE + (k));                        \
      MULTIPLY_ADD(sum[r], weights, factor);                            \
    }                                                                   \
  } while (0)
  for (; k + 8 <= b->count; k += 8) {
    fetch(&here, 1);
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
  for (int r = 0; r < rows; r++) put(b, r, eight * LANES, splits ? _mm256_add_ps(even[r], odd[r]) : even[r]);
}

TARGET static void edge_eight(size_t rows, int splits, const block *b, size_t eight, fetcher *ahead) {
#define EDGE(rows)                            \
  case rows:                                  \
    if (splits)                               \
      edge_tile(rows, 1, b, eight, ahead);    \
    else                                      \
      edge_tile(rows, 0, b, eight, ahead);    \
    break
  switch (rows) {
    EDGE(1); EDGE(2); EDGE(3); EDGE(4); EDGE(5); EDGE(6);
  }
#undef EDGE
}

/// All rows with a panel of which an eight of columns lies at an edge. `halves`: for each eight, which rows of 12 are added up in the
/// edge's order.
TARGET static void edge_tiles(size_t rows, block b, const int halves[2], fetcher *ahead) {
  for (size_t row = 0; row < rows; row += TILE) {
    const int half = row % (2 * TILE) == 0 ? 1 : 2;
    const size_t size = rows - row < TILE ? rows - row : TILE;
    turn_to_following(ahead);
    ahead->step = row < 4 * TILE ? 64 : 0;
    if (halves[0] == half || halves[1] == half) {
      for (size_t eight = 0; eight < 2; eight++) edge_eight(size, halves[eight] == half, &b, eight, ahead);
    } else {
      switch (size) {
        TILES(1, 2); TILES(2, 2); TILES(3, 2); TILES(4, 2); TILES(5, 2); TILES(6, 2);
      }
    }
    b.x += TILE * X_STRIDE;
    b.y += TILE * b.y_stride;
  }
}

#undef TILES

// MARK: the product

/// The blocks of the inner dimension.
static size_t blocks_of(size_t inner, mlm_order order) {
  size_t count = 0;
  for (size_t k = 0; k < inner; k += mlm_next_block(inner - k, order.block, order.multiple)) count++;
  return count;
}

size_t mlm_few_rows_panels_scratch_avx2(const mlm_few_rows *p) {
  return blocks_of(p->inner, p->order) * p->rows * X_STRIDE;
}

size_t mlm_few_rows_panels_unit_avx2(const mlm_few_rows *p) { return PANEL; }

/// x as it is read: block by block, rows X_STRIDE apart.
void mlm_few_rows_panels_pack_avx2(const mlm_few_rows *p, float *scratch) {
  for (size_t k = 0, size; k < p->inner; k += size) {
    size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
    for (size_t row = 0; row < p->rows; row++, scratch += X_STRIDE)
      memcpy(scratch, p->x + row * p->x_stride + k, size * sizeof(float));
  }
}

TARGET void mlm_few_rows_panels_avx2(
    const mlm_few_rows *p, size_t begin, size_t end, const float *following, float *scratch) {
  for (size_t j = begin; j < end; j += PANEL) {
    const float *panel = p->w + j * p->inner;
    fetcher ahead = fetcher_from(panel, p->w + begin * p->inner, p->w + end * p->inner, following);
    prefetch_bias(p, j, PANEL);
    prefetch_results(p, 0, p->rows, j, PANEL);
    int halves[2] = {0, 0};
    if (p->order.splits_edges)
      for (size_t eight = 0; eight < 2; eight++) halves[eight] = mlm_edge_rows(j + eight * LANES, p->columns);
    block b = {.x = scratch, .w = panel, .y = p->y + j, .y_stride = p->y_stride};
    for (size_t k = 0; k < p->inner; k += b.count) {
      b.count = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
      b.adds = k > 0;
      b.bias = bias_of_block(p, j, k);
      if (halves[0] | halves[1])
        edge_tiles(p->rows, b, halves, &ahead);
      else
        tiles(p->rows, b, &ahead);
      b.x += p->rows * X_STRIDE;
      b.w += b.count * PANEL;
    }
  }
}

TARGET void mlm_pack_panels_avx2(const float *w, size_t w_stride, size_t begin, size_t end, size_t inner, float *panels) {
  for (size_t j = begin; j < end; j += LANES)
    pack_vector(w + j * w_stride, w_stride, LANES, inner, panels + j / PANEL * PANEL * inner + j % PANEL, PANEL);
}

#endif
