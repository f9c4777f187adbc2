// The few-row product by AVX-512: 32 columns × up to 9 rows in registers. (More rows leave too few registers for what is turned meanwhile:
// 11 were a tenth slower.)
//
// Tried and left: long inner dimensions in chunks of 768 or 1,536, which all columns go through first, so that less waits in the
// second-level cache (3072 → 768: a tenth faster for 48 rows, the same for 21, a tenth slower for 144; Zen 5).
#include "few_rows.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")))

enum { ROWS = 9, STREAMED = 6, PIECE = 96 };

/// Columns that are computed together: the rows of w that are turned at a time.
enum { PANEL = 16 };

INLINE void rows_of_panel(const float *w, size_t stride, size_t j, size_t end, const float *rows[PANEL]) {
  for (size_t i = 0; i < PANEL; i++) rows[i] = w + (j + i < end ? j + i : end - 1) * stride;
}

// 16 × 16 numbers of w are turned at a time: whole cache lines, as rows of some lengths all lie in one set of the first-level cache,
// which does not hold sixteen. In two steps of four parts each, which are done between other things.

/// quarters[q] = quarter q of the rows i, i + 4, i + 8, i + 12.
TARGET INLINE void turn_rows(const float *const w[PANEL], int i, size_t k, __m512 quarters[4]) {
  __m512 a = _mm512_loadu_ps(w[i] + k), b = _mm512_loadu_ps(w[i + 4] + k);
  __m512 c = _mm512_loadu_ps(w[i + 8] + k), d = _mm512_loadu_ps(w[i + 12] + k);
  __m512 ab_low = _mm512_shuffle_f32x4(a, b, 0x44), ab_high = _mm512_shuffle_f32x4(a, b, 0xEE);
  __m512 cd_low = _mm512_shuffle_f32x4(c, d, 0x44), cd_high = _mm512_shuffle_f32x4(c, d, 0xEE);
  quarters[0] = _mm512_shuffle_f32x4(ab_low, cd_low, 0x88);
  quarters[1] = _mm512_shuffle_f32x4(ab_low, cd_low, 0xDD);
  quarters[2] = _mm512_shuffle_f32x4(ab_high, cd_high, 0x88);
  quarters[3] = _mm512_shuffle_f32x4(ab_high, cd_high, 0xDD);
}

/// turned[k] = the 16 rows' number k of a quarter, from that quarter of the rows i, i + 4, … for i = 0 … 3.
TARGET INLINE void turn_quarter(__m512 v0, __m512 v1, __m512 v2, __m512 v3, __m512 turned[4]) {
  __m512 a = _mm512_unpacklo_ps(v0, v1), b = _mm512_unpackhi_ps(v0, v1);
  __m512 c = _mm512_unpacklo_ps(v2, v3), d = _mm512_unpackhi_ps(v2, v3);
  turned[0] = _mm512_shuffle_ps(a, c, 0x44);
  turned[1] = _mm512_shuffle_ps(a, c, 0xEE);
  turned[2] = _mm512_shuffle_ps(b, d, 0x44);
  turned[3] = _mm512_shuffle_ps(b, d, 0xEE);
}

/// panel[k · step …] = w[16 rows][k0 + k] for k from `done` on, in that order.
TARGET INLINE void turn(
    const float *const w[PANEL], size_t k0, size_t done, size_t count, float *panel, size_t step) {
  size_t k = done;
  for (; k + 16 <= count; k += 16) {
    __m512 v[4][4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) turn_rows(w, i, k0 + k, v[i]);
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++) {
      __m512 turned[4];
      turn_quarter(v[0][q], v[1][q], v[2][q], v[3][q], turned);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++) _mm512_storeu_ps(panel + step * (k + 4 * q + i), turned[i]);
    }
  }
  for (; k < count; k++)
    for (int i = 0; i < PANEL; i++) panel[step * k + i] = w[i][k0 + k];
}

/// What becomes of the sums of a piece: whether they begin with it, and whether they are added to y after it, or to a bias.
typedef struct {
  int begins, ends, adds;
  const float *bias;
  __mmask16 mask[2];
  size_t stride;
} destination;

/// A row's sums of panel p go to y.
TARGET INLINE void finish(__m512 sum, float *y, const destination *to, int p) {
  if (to->adds) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(to->mask[p], y), sum);
  if (to->bias) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(to->mask[p], to->bias + PANEL * p), sum);
  _mm512_mask_storeu_ps(y, to->mask[p], sum);
}

/// The product of so few rows that the memory's speed decides: what is turned is used at once. count is a multiple of 16.
TARGET INLINE void stream(
    const int rows, const float *x, const float *const w[PANEL], size_t k0, size_t count, float *y, const destination *to,
    const char *ahead) {
  __m512 sums[STREAMED];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sums[r] = _mm512_setzero_ps();
  for (size_t k = 0; k < count; k += 16) {
    __m512 v[4][4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
      turn_rows(w, i, k0 + k, v[i]);
      // Four at a time: of sixteen at once some are dropped.
#pragma clang loop unroll(full)
      for (int line = 0; line < 4; line++) _mm_prefetch(ahead + 64 * (k + 4 * i + line), _MM_HINT_T1);
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++) {
      __m512 turned[4];
      turn_quarter(v[0][q], v[1][q], v[2][q], v[3][q], turned);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++)
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++)
          sums[r] = _mm512_fmadd_ps(turned[i], _mm512_set1_ps(x[(k + 4 * q + i) * rows + r]), sums[r]);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) finish(sums[r], y + r * to->stride, to, 0);
}

/// What is turned while a tile is computed: 16 columns of the block that is next.
typedef struct {
  const float *w[PANEL];
  size_t k, count;
  float *panel;
  size_t done;
} turning;

/// One or two panels of 16 columns: with two, each number of x is fetched once for 32 columns, and the fetches no longer hold up the
/// multiplications.
TARGET INLINE void tile(
    const int rows, const int panels, const float *x, const float *panel, size_t count, float *kept, float *y,
    const destination *to, const char *ahead, turning *coming) {
  const size_t step = PANEL * panels;
  __m512 sums[2][ROWS];
#pragma clang loop unroll(full)
  for (int p = 0; p < panels; p++)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
      sums[p][r] = to->begins ? _mm512_setzero_ps() : _mm512_load_ps(kept + PANEL * (rows * p + r));
#define MULTIPLY(k)                                                                                                       \
  do {                                                                                                                    \
    __m512 factors[2];                                                                                                    \
    _Pragma("clang loop unroll(full)") for (int p = 0; p < panels; p++)                                                   \
        factors[p] = _mm512_load_ps(panel + step * (k) + PANEL * p);                                                      \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) {                                                   \
      __m512 number = _mm512_set1_ps(x[(k)*rows + r]);                                                                    \
      _Pragma("clang loop unroll(full)") for (int p = 0; p < panels; p++)                                                 \
          sums[p][r] = _mm512_fmadd_ps(factors[p], number, sums[p][r]);                                                   \
    }                                                                                                                     \
  } while (0)
  size_t k = 0;
  const size_t shared = coming->count < count ? coming->count : count;
  float quarters[4][4][16] __attribute__((aligned(64)));
  for (; k + 16 <= shared; k += 16) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
#pragma clang loop unroll(full)
      for (int line = 0; line < 4; line++) _mm_prefetch(ahead + 64 * (k + 4 * i + line), _MM_HINT_T1);
      __m512 v[4];
      turn_rows(coming->w, i, coming->k + k, v);
      for (int q = 0; q < 4; q++) _mm512_store_ps(quarters[q][i], v[q]);
      MULTIPLY(k + 2 * i);
      MULTIPLY(k + 2 * i + 1);
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++) {
      __m512 v[4];
      turn_quarter(
          _mm512_load_ps(quarters[q][0]), _mm512_load_ps(quarters[q][1]), _mm512_load_ps(quarters[q][2]),
          _mm512_load_ps(quarters[q][3]), v);
      for (int i = 0; i < 4; i++) _mm512_store_ps(coming->panel + step * (k + 4 * q + i), v[i]);
      MULTIPLY(k + 8 + 2 * q);
      MULTIPLY(k + 9 + 2 * q);
    }
  }
  coming->done = k;
  for (; k < count; k++) {
    _mm_prefetch(ahead + 64 * k, _MM_HINT_T1);
    MULTIPLY(k);
  }
#undef MULTIPLY
#pragma clang loop unroll(full)
  for (int p = 0; p < panels; p++)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
      if (to->ends)
        finish(sums[p][r], y + r * to->stride + PANEL * p, to, p);
      else
        _mm512_store_ps(kept + PANEL * (rows * p + r), sums[p][r]);
}

INLINE __mmask16 columns_mask(size_t j, size_t end) {
  return j >= end ? 0 : end - j >= PANEL ? 0xFFFF : (__mmask16)((1u << (end - j)) - 1);
}

/// Whether all blocks of the inner dimension are multiples of 16.
static int has_whole_lines(const mlm_few_rows *p) {
  size_t k = 0;
  while (k < p->inner && k % 16 == 0) k += mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
  return k % 16 == 0;
}

/// Where the sums of 16 columns over a whole block go, from number k on.
INLINE destination of_block(const mlm_few_rows *p, size_t j, size_t end, size_t k) {
  return (destination){
      .begins = 1, .ends = 1, .adds = k > 0, .bias = bias_of_block(p, j, k),
      .mask = {columns_mask(j, end)}, .stride = p->y_stride};
}

/// What few rows need: what is turned is used at once.
TARGET static void streamed_product(
    const mlm_few_rows *p, size_t begin, size_t end, const float *following, const float *packed, float *edges) {
  for (size_t j = begin; j < end; j += PANEL) {
    const float *w[PANEL];
    rows_of_panel(p->w, p->w_stride, j, end, w);
    const char *ahead = (const char *)ahead_of(p, j, PANEL, end, following);
    prefetch_bias(p, j, PANEL);
    for (size_t k = 0, size; k < p->inner; k += size) {
      size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
      const destination to = of_block(p, j, end, k);
      switch (p->rows) {
#define CASE(r) case r: stream(r, packed + k * r, w, k, size, p->y + j, &to, ahead + 64 * k); break;
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
      }
    }
    mlm_few_rows_edges(p, j, end - j < PANEL ? end : j + PANEL, edges);
  }
}

#include "few_rows_tall_avx512.h"

/// The columns from j on and a part of the inner dimension, as much as stays in the first-level cache when turned.
typedef struct {
  size_t j;
  /// The block whose sums are added up by themselves, and the part of it.
  size_t block, block_end, k, end;
  /// The numbers before k in its cache line. Whole lines are turned, as a load across two lines costs two. (A line is never on two
  /// pages, so what is read beyond the rows can be read.)
  size_t lead;
} piece;

/// What pieces depend on.
typedef struct {
  size_t inner, step;
  mlm_order order;
  /// Whether all rows of w begin at the same place in their cache lines; and that place, 0 if not.
  int is_aligned;
  size_t misalignment;
} plan;

/// Pieces end with a line, or with their block.
static inline piece piece_at(size_t j, size_t block, size_t block_end, size_t k, const plan *plan) {
  const size_t left = block_end - k, parts = (left + PIECE - 1) / PIECE, lead = (k + plan->misalignment) % 16;
  const size_t size = (lead + left / parts + 15) / 16 * 16 - lead;
  return (piece){j, block, block_end, k, size < left ? k + size : block_end, lead};
}

static inline piece first_piece(size_t j, size_t block, const plan *plan) {
  const size_t size = mlm_next_block(plan->inner - block, plan->order.block, plan->order.multiple);
  return piece_at(j, block, block + size, block, plan);
}

static inline piece piece_after(piece piece, const plan *plan) {
  if (piece.end < piece.block_end) return piece_at(piece.j, piece.block, piece.block_end, piece.end, plan);
  if (piece.end < plan->inner) return first_piece(piece.j, piece.end, plan);
  return first_piece(piece.j + plan->step, 0, plan);
}

/// The numbers to turn for a piece, its lead counted.
static inline size_t numbers_to_turn(piece piece, const plan *plan) {
  const size_t count = piece.lead + piece.end - piece.k;
  return plan->is_aligned ? (count + 15) / 16 * 16 : count;
}

/// Tiles of at most ROWS rows.
static inline size_t tiles_of(size_t rows) { return (rows + ROWS - 1) / ROWS; }

/// The floats of a buffer for turned panels.
enum { ROOM = 2 * PANEL * (PIECE + 32) };

size_t mlm_few_rows_scratch_avx512(const mlm_few_rows *p) {
  return 2 * ROOM + EDGES_SCRATCH + (2 * PANEL + p->inner) * p->rows + PANEL;
}

/// Where packed rows begin in the scratch memory: behind the turned panels, the edges and the sums that are kept.
static inline float *packed_in(float *scratch, size_t rows) { return scratch + 2 * ROOM + EDGES_SCRATCH + 2 * PANEL * rows; }

static inline int is_tall(const mlm_few_rows *p) {
  return p->rows > STREAMED && p->rows <= TALL && mlm_multiplies_in_halves() && has_whole_lines(p);
}

static inline int is_streamed(const mlm_few_rows *p) { return p->rows <= STREAMED && has_whole_lines(p); }

size_t mlm_few_rows_unit_avx512(const mlm_few_rows *p) {
  // Else the first panels are turned before anything is multiplied.
  return is_tall(p) || is_streamed(p) ? 2 * PANEL : 0;
}

TARGET void mlm_few_rows_pack_avx512(const mlm_few_rows *p, float *scratch) {
  const size_t rows = p->rows, inner = p->inner, tiles = tiles_of(rows);
  float *packed = packed_in(scratch, rows);
  if (is_tall(p)) return pack_tall(p, packed);
  for (size_t t = 0; t < tiles; t++) {
    const size_t from = rows * t / tiles, to = rows * (t + 1) / tiles;
    // Sixteen numbers are written where the tile's rows are meant: what is too much is written over by what comes next.
    const float *x[PANEL];
    rows_of_panel(p->x, p->x_stride, from, to, x);
    turn(x, 0, 0, inner, packed + from * inner, to - from);
  }
}

TARGET void mlm_few_rows_avx512(
    const mlm_few_rows *p, size_t begin, size_t end, const float *following, float *scratch) {
  const size_t rows = p->rows, inner = p->inner, tiles = tiles_of(rows), panels = tiles > 1 ? 2 : 1;
  float *panel = scratch, *next_panel = panel + ROOM, *edges = next_panel + ROOM;
  float *kept = edges + EDGES_SCRATCH, *packed = packed_in(scratch, rows);
  if (is_tall(p)) return tall_product(p, begin, end, following, panel, packed, edges);
  if (is_streamed(p)) return streamed_product(p, begin, end, following, packed, edges);

  const int is_aligned = p->w_stride % 16 == 0 && (uintptr_t)p->w % sizeof(float) == 0;
  const plan plan = {
      .inner = inner, .step = PANEL * panels, .order = p->order, .is_aligned = is_aligned,
      .misalignment = is_aligned ? (uintptr_t)p->w / sizeof(float) % 16 : 0};
  const size_t step = plan.step;
  piece here = first_piece(begin, 0, &plan), next;
  turning coming = {.done = 0};
  for (size_t i = 0; i < panels; i++) {
    rows_of_panel(p->w - here.lead, p->w_stride, begin + PANEL * i, end, coming.w);
    turn(coming.w, 0, 0, numbers_to_turn(here, &plan), panel + PANEL * i, step);
  }
  for (; here.j < end; here = next) {
    const size_t j = here.j, k = here.k, size = here.end - k;
    const destination to = {
        .begins = k == here.block, .ends = here.end == here.block_end, .adds = here.block > 0,
        .bias = bias_of_block(p, j, here.block),
        .mask = {columns_mask(j, end), columns_mask(j + PANEL, end)}, .stride = p->y_stride};
    if (k == 0) prefetch_bias(p, j, step);
    // The next panels are on their way to the second-level cache while these are used: line by line as they lie in memory, which is
    // what memory likes best. (Asked for in the order they are used in, a few pieces ahead: a quarter slower.)
    const char *ahead = (const char *)(ahead_of(p, j, step, end, following) + k * step);
    // The piece after this one is turned while this one is used: a panel with each tile.
    next = piece_after(here, &plan);
    coming.k = next.k;
    for (size_t t = 0; t < tiles; t++) {
      const size_t from = rows * t / tiles, count = rows * (t + 1) / tiles - from;
      coming.count = t < panels && next.j < end ? numbers_to_turn(next, &plan) : 0;
      if (coming.count > 0) {
        rows_of_panel(p->w - next.lead, p->w_stride, next.j + PANEL * t, end, coming.w);
        coming.panel = next_panel + PANEL * t;
      }
      switch (count + 16 * (panels - 1)) {
#define CASE(r, n)                                                                                                        \
  case r + 16 * (n - 1):                                                                                                  \
    tile(                                                                                                                 \
        r, n, packed + from * inner + k * r, panel + step * here.lead, size, kept + step * from,                          \
        p->y + from * p->y_stride + j, &to, ahead + 64 * t * size, &coming);                                              \
    break;
        CASE(1, 1) CASE(2, 1) CASE(3, 1) CASE(4, 1) CASE(5, 1) CASE(6, 1) CASE(7, 1) CASE(8, 1) CASE(9, 1)
        CASE(5, 2) CASE(6, 2) CASE(7, 2) CASE(8, 2) CASE(9, 2)
#undef CASE
      }
      if (coming.count > coming.done) turn(coming.w, coming.k, coming.done, coming.count, coming.panel, step);
    }
    if (here.end == inner) mlm_few_rows_edges(p, j, end - j < step ? end : j + step, edges);
    float *turned = next_panel;
    next_panel = panel;
    panel = turned;
  }
}

#endif
