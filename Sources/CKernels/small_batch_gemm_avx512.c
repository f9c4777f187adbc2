// The small-batch GEMM with AVX-512: each lane is a column, and 16 rows of W at a time are transposed. Three ways:
// - streamed, for up to STREAMED rows: transposed numbers are used at once, from registers;
// - tall, on processors that multiply 512 bits in two halves: 16 columns × up to 24 rows;
// - tiled, for everything else: 32 columns × up to 9 rows. (More rows leave too few registers for the interleaved
//   transposition: 11 rows were a tenth slower.)
//
// Tried without success: splitting long inner dimensions into chunks of 768 or 1,536, with all columns for each chunk,
// so that less data stays in the second-level cache (3072 → 768: a tenth faster for 48 rows, the same for 21, a tenth
// slower for 144; Zen 5).
#include "small_batch_gemm.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")))
#define TARGET_INLINE TARGET static inline __attribute__((always_inline))

enum { PANEL = 16, TILED = 9, STREAMED = 6, TALL = 24 };

// MARK: transposition
//
// 16 × 16 numbers of W are transposed at a time: whole cache lines, as rows of some lengths all map to one set of the
// first-level cache, which does not hold sixteen lines. This takes two steps of four parts each, which are interleaved
// with other work.

/// The starts of the rows j, j + 1, …; if there are fewer than 16, the last row is repeated.
INLINE void rows_of_panel(const float *w, size_t stride, size_t j, size_t end, const float *rows[PANEL]) {
  for (size_t i = 0; i < PANEL; i++) rows[i] = w + (j + i < end ? j + i : end - 1) * stride;
}

/// A mask of the 16 numbers from index k on that belong to a row. The others are not read.
TARGET_INLINE __mmask16 lanes_of_row(ptrdiff_t k, size_t inner) {
  const ptrdiff_t past = k + 16 - (ptrdiff_t)inner;
  return (__mmask16)(0xFFFFu << (k < 0 ? -k : 0)) & (__mmask16)(0xFFFFu >> (past > 0 ? past : 0));
}

/// quarters[q] = quarter q of the 16 numbers from k on of the rows i, i + 4, i + 8, i + 12.
TARGET_INLINE void load_quarters(const float *const w[PANEL], int i, ptrdiff_t k, __mmask16 lanes, __m512 quarters[4]) {
  const __m512 a = _mm512_maskz_loadu_ps(lanes, w[i] + k), b = _mm512_maskz_loadu_ps(lanes, w[i + 4] + k);
  const __m512 c = _mm512_maskz_loadu_ps(lanes, w[i + 8] + k), d = _mm512_maskz_loadu_ps(lanes, w[i + 12] + k);
  const __m512 ab_low = _mm512_shuffle_f32x4(a, b, 0x44), ab_high = _mm512_shuffle_f32x4(a, b, 0xEE);
  const __m512 cd_low = _mm512_shuffle_f32x4(c, d, 0x44), cd_high = _mm512_shuffle_f32x4(c, d, 0xEE);
  quarters[0] = _mm512_shuffle_f32x4(ab_low, cd_low, 0x88);
  quarters[1] = _mm512_shuffle_f32x4(ab_low, cd_low, 0xDD);
  quarters[2] = _mm512_shuffle_f32x4(ab_high, cd_high, 0x88);
  quarters[3] = _mm512_shuffle_f32x4(ab_high, cd_high, 0xDD);
}

/// transposed[k] = number k of a quarter in all 16 rows; v_i: that quarter of the rows i, i + 4, …
TARGET_INLINE void transpose_quarter(__m512 v0, __m512 v1, __m512 v2, __m512 v3, __m512 transposed[4]) {
  const __m512 a = _mm512_unpacklo_ps(v0, v1), b = _mm512_unpackhi_ps(v0, v1);
  const __m512 c = _mm512_unpacklo_ps(v2, v3), d = _mm512_unpackhi_ps(v2, v3);
  transposed[0] = _mm512_shuffle_ps(a, c, 0x44);
  transposed[1] = _mm512_shuffle_ps(a, c, 0xEE);
  transposed[2] = _mm512_shuffle_ps(b, d, 0x44);
  transposed[3] = _mm512_shuffle_ps(b, d, 0xEE);
}

/// panel[k · step …] = w[16 rows][start + k] for k from `done` to `count`, in this order. Numbers outside the rows are
/// zeros, in groups of 16; the remaining numbers are read one by one.
TARGET_INLINE void transpose_rows(
    const float *const w[PANEL], ptrdiff_t start, size_t inner, size_t done, size_t count, float *panel, size_t step) {
  size_t k = done;
  for (; k + 16 <= count; k += 16) {
    const __mmask16 lanes = lanes_of_row(start + (ptrdiff_t)k, inner);
    __m512 v[4][4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) load_quarters(w, i, start + (ptrdiff_t)k, lanes, v[i]);
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++) {
      __m512 transposed[4];
      transpose_quarter(v[0][q], v[1][q], v[2][q], v[3][q], transposed);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++) _mm512_storeu_ps(panel + step * (k + 4 * q + i), transposed[i]);
    }
  }
  for (; k < count; k++)
    for (int i = 0; i < PANEL; i++) panel[step * k + i] = w[i][start + (ptrdiff_t)k];
}

// MARK: results

/// The destination of the sums of a chunk: whether they begin with the chunk, and whether they end with it and are then
/// added to y, or to a bias.
typedef struct {
  int begins, ends, adds;
  const float *bias;
  __mmask16 mask[2];
  size_t stride;
} destination;

INLINE __mmask16 columns_mask(size_t j, size_t end) {
  return j >= end ? 0 : end - j >= PANEL ? 0xFFFF : (__mmask16)((1u << (end - j)) - 1);
}

/// The destination of the sums of 16 columns over a whole block, from number k on.
INLINE destination destination_of_block(const mlm_small_batch_gemm *p, size_t j, size_t end, size_t k) {
  return (destination){
      .begins = 1, .ends = 1, .adds = k > 0, .bias = bias_of_block(p, j, k),
      .mask = {columns_mask(j, end)}, .stride = p->y_stride};
}

/// Adds a row's sums of a panel to y.
TARGET_INLINE void store_sums(__m512 sum, float *y, const destination *to, int panel) {
  if (to->adds) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(to->mask[panel], y), sum);
  if (to->bias) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(to->mask[panel], to->bias + PANEL * panel), sum);
  _mm512_mask_storeu_ps(y, to->mask[panel], sum);
}

/// Whether all blocks of the inner dimension are multiples of 16.
static int has_whole_lines(const mlm_small_batch_gemm *p) {
  size_t k = 0;
  while (k < p->inner && k % 16 == 0) k += mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
  return k % 16 == 0;
}

// MARK: streamed

/// Multiplies a block of the inner dimension, for so few rows that memory limits the speed. count is a multiple of 16.
TARGET_INLINE void streamed_tile(
    const int rows, const float *x, const float *const w[PANEL], size_t start, size_t count, float *y,
    const destination *to, const char *ahead) {
  __m512 sums[STREAMED];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sums[r] = _mm512_setzero_ps();
  for (size_t k = 0; k < count; k += 16) {
    __m512 v[4][4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
      load_quarters(w, i, (ptrdiff_t)(start + k), 0xFFFF, v[i]);
      // Four at a time: the processor drops some of sixteen at once.
#pragma clang loop unroll(full)
      for (int line = 0; line < 4; line++) _mm_prefetch(ahead + 64 * (k + 4 * i + line), _MM_HINT_T1);
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++) {
      __m512 transposed[4];
      transpose_quarter(v[0][q], v[1][q], v[2][q], v[3][q], transposed);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++)
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++)
          sums[r] = _mm512_fmadd_ps(transposed[i], _mm512_set1_ps(x[(k + 4 * q + i) * rows + r]), sums[r]);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) store_sums(sums[r], y + r * to->stride, to, 0);
}

TARGET static void multiply_streamed(
    const mlm_small_batch_gemm *p, size_t begin, size_t end, const float *following, const float *packed,
    float *edges) {
  for (size_t j = begin; j < end; j += PANEL) {
    const float *w[PANEL];
    rows_of_panel(p->w, p->w_stride, j, end, w);
    const char *ahead = (const char *)next_columns(p, j, PANEL, end, following);
    prefetch_bias(p, j, PANEL);
    for (size_t k = 0, size; k < p->inner; k += size) {
      size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
      const destination to = destination_of_block(p, j, end, k);
      switch (p->rows) {
#define CASE(r) case r: streamed_tile(r, packed + k * r, w, k, size, p->y + j, &to, ahead + 64 * k); break;
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#undef CASE
      }
    }
    mlm_recompute_edges(p, j, end - j < PANEL ? end : j + PANEL, edges);
  }
}

// MARK: tall
//
// 16 columns × up to 24 rows in registers, for processors that multiply 512 bits in two halves (Zen 4). There, one load
// of x per multiplication costs nothing, and sums need not be stored within a block. (21 rows: a seventh faster than 32
// columns × 7 rows three times, where the transposition costs more, for an unknown reason.)

/// Whether the processor multiplies 512 bits in two halves, as Zen 4 does, according to its report about its data
/// paths.
static int multiplies_in_halves(void) {
  // Queried once: under a hypervisor, the query takes microseconds.
  static atomic_int known = -1;
  int halves = atomic_load_explicit(&known, memory_order_relaxed);
  if (halves < 0) {
    // AMD's function 8000001A: FP256 (bit 2) without FP512 (bit 3). Other processors do not have it.
    unsigned eax = 0, ebx, ecx, edx;
    halves = __get_cpuid(0x8000001A, &eax, &ebx, &ecx, &edx) && (eax & 0xC) == 0x4;
    atomic_store_explicit(&known, halves, memory_order_relaxed);
  }
  return halves;
}

/// 16 rows of w from number k on.
typedef struct {
  const float *w[PANEL];
  size_t k;
} lines;

/// Multiplies a block of the inner dimension, `count` numbers, a multiple of 16. transposed[2]: buffers for 16 × 16
/// numbers; `first`: the buffer that holds the first lines. Meanwhile, the following lines are transposed, and finally
/// the first ones of the next block. Returns the buffer that holds these.
TARGET_INLINE size_t tall_tile(
    const int rows, const float *x, const lines *here, const lines *next, size_t count, float *const transposed[2],
    size_t first, float *y, const destination *to, const char *ahead) {
  __m512 sums[TALL];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sums[r] = _mm512_setzero_ps();
#define MULTIPLY(k)                                                                  \
  do {                                                                               \
    const __m512 factor = _mm512_load_ps(factors + 16 * (k));                        \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++)                \
        sums[r] = _mm512_fmadd_ps(factor, _mm512_set1_ps(x[(k)*rows + r]), sums[r]); \
  } while (0)
  float quarters[4][4][16] __attribute__((aligned(64)));
  for (size_t k = 0; k < count; k += 16, x += 16 * rows, first ^= 1) {
    const int is_last = k + 16 == count;
    const float *const *w = is_last ? next->w : here->w;
    const size_t start = is_last ? next->k : here->k + k + 16;
    const float *factors = transposed[first];
    float *upcoming = transposed[first ^ 1];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++, ahead += 128) {
      __m512 v[4];
      load_quarters(w, i, (ptrdiff_t)start, 0xFFFF, v);
      for (int q = 0; q < 4; q++) _mm512_store_ps(quarters[q][i], v[q]);
      _mm_prefetch(ahead, _MM_HINT_T1);
      _mm_prefetch(ahead + 64, _MM_HINT_T1);
      MULTIPLY(2 * i);
      MULTIPLY(2 * i + 1);
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++, ahead += 128) {
      __m512 v[4];
      transpose_quarter(
          _mm512_load_ps(quarters[q][0]), _mm512_load_ps(quarters[q][1]), _mm512_load_ps(quarters[q][2]),
          _mm512_load_ps(quarters[q][3]), v);
      for (int i = 0; i < 4; i++) _mm512_store_ps(upcoming + 16 * (4 * q + i), v[i]);
      _mm_prefetch(ahead, _MM_HINT_T1);
      _mm_prefetch(ahead + 64, _MM_HINT_T1);
      MULTIPLY(8 + 2 * q);
      MULTIPLY(9 + 2 * q);
    }
  }
#undef MULTIPLY
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) store_sums(sums[r], y + r * to->stride, to, 0);
  return first;
}

/// packed[k][row] = x[row][k]. The last rows are packed first: sixteen numbers are written even if fewer are needed,
/// and later writes overwrite the excess.
TARGET static void pack_tall(const mlm_small_batch_gemm *p, float *packed) {
  for (size_t from = (p->rows - 1) / PANEL * PANEL + PANEL; from > 0; from -= PANEL) {
    const float *x[PANEL];
    rows_of_panel(p->x, p->x_stride, from - PANEL, p->rows < from ? p->rows : from, x);
    transpose_rows(x, 0, p->inner, 0, p->inner, packed + from - PANEL, p->rows);
  }
}

/// All blocks are multiples of 16. buffers: 2 × 16 × 16 floats.
TARGET static void multiply_tall(
    const mlm_small_batch_gemm *p, size_t begin, size_t end, const float *following, float *buffers,
    const float *packed, float *edges) {
  float *const transposed[2] = {buffers, buffers + PANEL * PANEL};
  lines here = {.k = 0}, next;
  rows_of_panel(p->w, p->w_stride, begin, end, here.w);
  transpose_rows(here.w, 0, p->inner, 0, 16, transposed[0], PANEL);
  size_t first = 0;
  for (size_t j = begin; j < end; j += PANEL) {
    const char *ahead = (const char *)next_columns(p, j, PANEL, end, following);
    prefetch_bias(p, j, PANEL);
    for (size_t k = 0, size; k < p->inner; k += size) {
      size = mlm_next_block(p->inner - k, p->order.block, p->order.multiple);
      const destination to = destination_of_block(p, j, end, k);
      next = here;
      next.k = k + size;
      if (next.k == p->inner) {
        next.k = 0;
        // After the last columns, use any existing ones.
        rows_of_panel(p->w, p->w_stride, j + PANEL < end ? j + PANEL : j, end, next.w);
      }
      switch (p->rows) {
#define CASE(r)                                                                                                   \
  case r:                                                                                                         \
    first = tall_tile(r, packed + k * r, &here, &next, size, transposed, first, p->y + j, &to, ahead + 64 * k); \
    break;
        CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15) CASE(16) CASE(17) CASE(18)
        CASE(19) CASE(20) CASE(21) CASE(22) CASE(23) CASE(24)
#undef CASE
      }
      here = next;
    }
    mlm_recompute_edges(p, j, end - j < PANEL ? end : j + PANEL, edges);
  }
}

// MARK: tiled

/// The columns from j on and a chunk of the inner dimension that fits into the first-level cache when transposed.
typedef struct {
  size_t j;
  /// The block, which has separate sums, and its chunk.
  size_t block, block_end, k, end;
  /// The numbers before k in its cache line. Whole lines are transposed, as a load across two lines costs two.
  size_t lead;
} chunk;

enum { CHUNK = 96 };

/// The values that determine chunks.
typedef struct {
  size_t inner, step;
  mlm_summation_order order;
  /// The position of the start of every row of w in its cache line, in floats; 0 if the rows differ.
  size_t misalignment;
} chunking;

/// Chunks end with a line, or with their block.
static inline chunk chunk_at(size_t j, size_t block, size_t block_end, size_t k, const chunking *chunking) {
  const size_t left = block_end - k, parts = (left + CHUNK - 1) / CHUNK, lead = (k + chunking->misalignment) % 16;
  const size_t size = (lead + left / parts + 15) / 16 * 16 - lead;
  return (chunk){j, block, block_end, k, size < left ? k + size : block_end, lead};
}

static inline chunk first_chunk(size_t j, size_t block, const chunking *chunking) {
  const size_t size = mlm_next_block(chunking->inner - block, chunking->order.block, chunking->order.multiple);
  return chunk_at(j, block, block + size, block, chunking);
}

static inline chunk chunk_after(chunk chunk, const chunking *chunking) {
  if (chunk.end < chunk.block_end) return chunk_at(chunk.j, chunk.block, chunk.block_end, chunk.end, chunking);
  if (chunk.end < chunking->inner) return first_chunk(chunk.j, chunk.end, chunking);
  return first_chunk(chunk.j + chunking->step, 0, chunking);
}

/// The numbers to transpose for a chunk: whole lines.
static inline size_t numbers_in_lines(chunk chunk) { return (chunk.lead + chunk.end - chunk.k + 15) / 16 * 16; }

/// The numbers to transpose while a tile is computed: the whole lines of 16 columns of the next chunk, from number
/// `start` on. They exclude the lines at the ends of the rows, as masked loads occupy a unit that multiplies (4 % of
/// the time of 9 to 24 rows on an Emerald Rapids).
typedef struct {
  const float *w[PANEL];
  ptrdiff_t start;
  size_t count;
  float *panel;
  size_t done;
} transposition;

/// Multiplies rows by one or two panels of 16 columns. With two, each number of x is loaded once for 32 columns, and
/// loads no longer delay the multiplications.
TARGET_INLINE void tile(
    const int rows, const int panels, const float *x, const float *panel, size_t count, float *kept, float *y,
    const destination *to, const char *ahead, transposition *upcoming) {
  const size_t step = PANEL * panels;
  __m512 sums[2][TILED];
#pragma clang loop unroll(full)
  for (int p = 0; p < panels; p++)
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
      sums[p][r] = to->begins ? _mm512_setzero_ps() : _mm512_load_ps(kept + PANEL * (rows * p + r));
#define MULTIPLY(k)                                                         \
  do {                                                                      \
    __m512 factors[2];                                                      \
    _Pragma("clang loop unroll(full)") for (int p = 0; p < panels; p++)     \
        factors[p] = _mm512_load_ps(panel + step * (k) + PANEL * p);        \
    _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; r++) {     \
      __m512 number = _mm512_set1_ps(x[(k)*rows + r]);                      \
      _Pragma("clang loop unroll(full)") for (int p = 0; p < panels; p++)   \
          sums[p][r] = _mm512_fmadd_ps(factors[p], number, sums[p][r]);     \
    }                                                                       \
  } while (0)
  size_t k = 0;
  const size_t shared = upcoming->count < count ? upcoming->count : count;
  float quarters[4][4][16] __attribute__((aligned(64)));
  for (; k + 16 <= shared; k += 16) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
#pragma clang loop unroll(full)
      for (int line = 0; line < 4; line++) _mm_prefetch(ahead + 64 * (k + 4 * i + line), _MM_HINT_T1);
      __m512 v[4];
      load_quarters(upcoming->w, i, upcoming->start + (ptrdiff_t)k, 0xFFFF, v);
      for (int q = 0; q < 4; q++) _mm512_store_ps(quarters[q][i], v[q]);
      MULTIPLY(k + 2 * i);
      MULTIPLY(k + 2 * i + 1);
    }
#pragma clang loop unroll(full)
    for (int q = 0; q < 4; q++) {
      __m512 v[4];
      transpose_quarter(
          _mm512_load_ps(quarters[q][0]), _mm512_load_ps(quarters[q][1]), _mm512_load_ps(quarters[q][2]),
          _mm512_load_ps(quarters[q][3]), v);
      for (int i = 0; i < 4; i++) _mm512_store_ps(upcoming->panel + step * (k + 4 * q + i), v[i]);
      MULTIPLY(k + 8 + 2 * q);
      MULTIPLY(k + 9 + 2 * q);
    }
  }
  upcoming->done = k;
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
        store_sums(sums[p][r], y + r * to->stride + PANEL * p, to, p);
      else
        _mm512_store_ps(kept + PANEL * (rows * p + r), sums[p][r]);
}

/// The number of tiles, of at most TILED rows each.
static inline size_t tiles_of(size_t rows) { return (rows + TILED - 1) / TILED; }

/// The floats of a buffer for transposed panels.
enum { PANEL_BUFFER = 2 * PANEL * (CHUNK + 32) };

/// kept: the sums of a block between its chunks.
TARGET static void multiply_tiled(
    const mlm_small_batch_gemm *p, size_t begin, size_t end, const float *following, float *buffers,
    const float *packed, float *kept, float *edges) {
  const size_t rows = p->rows, inner = p->inner;
  const size_t tiles = tiles_of(rows), panels = tiles > 1 ? 2 : 1, step = PANEL * panels;
  float *panel = buffers, *next_panel = panel + PANEL_BUFFER;
  const int is_aligned = p->w_stride % 16 == 0 && (uintptr_t)p->w % sizeof(float) == 0;
  const chunking chunking = {
      .inner = inner, .step = step, .order = p->order,
      .misalignment = is_aligned ? (uintptr_t)p->w / sizeof(float) % 16 : 0};
  chunk here = first_chunk(begin, 0, &chunking), next;
  transposition upcoming;
  for (size_t i = 0; i < panels; i++) {
    rows_of_panel(p->w, p->w_stride, begin + PANEL * i, end, upcoming.w);
    transpose_rows(upcoming.w, -(ptrdiff_t)here.lead, inner, 0, numbers_in_lines(here), panel + PANEL * i, step);
  }
  for (; here.j < end; here = next) {
    const size_t j = here.j, k = here.k, size = here.end - k;
    const destination to = {
        .begins = k == here.block, .ends = here.end == here.block_end, .adds = here.block > 0,
        .bias = bias_of_block(p, j, here.block),
        .mask = {columns_mask(j, end), columns_mask(j + PANEL, end)}, .stride = p->y_stride};
    if (k == 0) prefetch_bias(p, j, step);
    // The next panels are prefetched into the second-level cache while these are used: line by line in the order of
    // memory, which is fastest. (Prefetching in the order of use, a few chunks ahead, is a quarter slower.)
    const char *ahead = (const char *)(next_columns(p, j, step, end, following) + k * step);
    // The chunk after this one is transposed while this one is used: a panel with each tile.
    next = chunk_after(here, &chunking);
    const ptrdiff_t start = (ptrdiff_t)next.k - (ptrdiff_t)next.lead;
    const size_t to_transpose = numbers_in_lines(next);
    // The lines that are shared with the rows before and after.
    const size_t head = start < 0 ? 16 : 0, tail = start + (ptrdiff_t)to_transpose > (ptrdiff_t)inner ? 16 : 0;
    for (size_t t = 0; t < tiles; t++) {
      const size_t from = rows * t / tiles, count = rows * (t + 1) / tiles - from;
      const int transposes = t < panels && next.j < end;
      float *const upcoming_panel = next_panel + PANEL * t;
      upcoming.count = 0;
      if (transposes) {
        rows_of_panel(p->w, p->w_stride, next.j + PANEL * t, end, upcoming.w);
        upcoming.start = start + (ptrdiff_t)head;
        upcoming.count = to_transpose > head + tail ? to_transpose - head - tail : 0;
        upcoming.panel = upcoming_panel + step * head;
      }
      switch (count + 16 * (panels - 1)) {
#define CASE(r, n)                                                                               \
  case r + 16 * (n - 1):                                                                         \
    tile(                                                                                        \
        r, n, packed + from * inner + k * r, panel + step * here.lead, size, kept + step * from, \
        p->y + from * p->y_stride + j, &to, ahead + 64 * t * size, &upcoming);                   \
    break;
        CASE(1, 1) CASE(2, 1) CASE(3, 1) CASE(4, 1) CASE(5, 1) CASE(6, 1) CASE(7, 1) CASE(8, 1) CASE(9, 1)
        CASE(5, 2) CASE(6, 2) CASE(7, 2) CASE(8, 2) CASE(9, 2)
#undef CASE
      }
      if (transposes) {
        transpose_rows(upcoming.w, start, inner, 0, head, upcoming_panel, step);
        transpose_rows(upcoming.w, start, inner, head + upcoming.done, to_transpose, upcoming_panel, step);
      }
    }
    if (here.end == inner) mlm_recompute_edges(p, j, end - j < step ? end : j + step, edges);
    float *used = panel;
    panel = next_panel;
    next_panel = used;
  }
}

// MARK: the kernel

static inline int is_tall(const mlm_small_batch_gemm *p) {
  return p->rows > STREAMED && p->rows <= TALL && multiplies_in_halves() && has_whole_lines(p);
}

static inline int is_streamed(const mlm_small_batch_gemm *p) { return p->rows <= STREAMED && has_whole_lines(p); }

// The scratch memory: two buffers for transposed panels, the edges, the kept sums, the packed rows, and the excess that
// is written past their end.

static size_t scratch_floats(const mlm_small_batch_gemm *p) {
  return 2 * PANEL_BUFFER + EDGES_SCRATCH + (2 * PANEL + p->inner) * p->rows + PANEL;
}

static inline float *packed_in(float *scratch, size_t rows) {
  return scratch + 2 * PANEL_BUFFER + EDGES_SCRATCH + 2 * PANEL * rows;
}

TARGET static void pack(const mlm_small_batch_gemm *p, float *scratch) {
  const size_t rows = p->rows, tiles = tiles_of(rows);
  float *packed = packed_in(scratch, rows);
  if (is_tall(p)) return pack_tall(p, packed);
  for (size_t t = 0; t < tiles; t++) {
    const size_t from = rows * t / tiles, to = rows * (t + 1) / tiles;
    // Sixteen numbers are written even if the tile has fewer rows: later writes overwrite the excess.
    const float *x[PANEL];
    rows_of_panel(p->x, p->x_stride, from, to, x);
    transpose_rows(x, 0, p->inner, 0, p->inner, packed + from * p->inner, to - from);
  }
}

static void multiply(const mlm_small_batch_gemm *p, size_t begin, size_t end, const float *following, float *scratch) {
  float *edges = scratch + 2 * PANEL_BUFFER, *kept = edges + EDGES_SCRATCH, *packed = packed_in(scratch, p->rows);
  if (is_tall(p)) return multiply_tall(p, begin, end, following, scratch, packed, edges);
  if (is_streamed(p)) return multiply_streamed(p, begin, end, following, packed, edges);
  multiply_tiled(p, begin, end, following, scratch, packed, kept, edges);
}

static size_t unit(const mlm_small_batch_gemm *p) {
  // The tiled kernel transposes its first panels before it multiplies anything.
  return is_tall(p) || is_streamed(p) ? 2 * PANEL : 0;
}

const mlm_small_batch_kernel mlm_avx512_kernel = {
    .multiply = multiply, .pack = pack, .scratch = scratch_floats, .unit = unit};

#endif
