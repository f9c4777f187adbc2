// Products in reduced precision with AMX: tdpbssd for int8, tdpbf16ps for bfloat16.
//
// A tile register holds 16 rows × 64 bytes: of x, or 16 steps of a panel of W, or 16 × 16 sums. Four registers of sums
// need two of x and two of W: one load for each product, and a product takes as long as two loads.
//
// tdpbf16ps treats denormal numbers as zeros, and adds up even and odd products separately, so that its results differ
// from the other kernels' in the last bits.
#if defined(__x86_64__)
#include <immintrin.h>

#include "reduced_gemm.h"

#define TARGET __attribute__((target("amx-tile,amx-int8,amx-bf16")))
#define TARGET_INLINE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

/// The rows of a tile register, the bytes of a row, and the bytes of the register.
enum { ROWS = 16, ROW = 64, REGISTER = ROWS * ROW };

/// What ldtilecfg reads: eight whole registers.
static const struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} configuration = {
    .palette = 1,
    .row_bytes = {ROW, ROW, ROW, ROW, ROW, ROW, ROW, ROW},
    .rows = {ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS}};

TARGET static void begin(void) { _tile_loadconfig(&configuration); }
TARGET static void end(void) { _tile_release(); }

/// Half of the lines of a register: the processor drops some of many prefetches at once.
TARGET_INLINE void prefetch_lines(const char *next) {
  UNROLL for (size_t line = 0; line < ROWS / 2; line++) _mm_prefetch(next + ROW * line, _MM_HINT_T1);
}

// Registers are literals: 0 … 3 are sums (2 · block of 16 rows + panel), 4 and 5 x, 6 and 7 W.
#define MULTIPLY(sum, x, w)               \
  do {                                    \
    if (is_int8) _tile_dpbssd(sum, x, w); \
    else _tile_dpbf16ps(sum, x, w);       \
  } while (0)

/// Sums of 16 · blocks rows and 16 · panels columns.
TARGET_INLINE void part(
    const int is_int8, const char *x, size_t x_stride, const size_t blocks, const char *w, size_t panel_bytes,
    const size_t panels, size_t bytes, int continues, const char *prefetch, char *sums) {
  const size_t stride = LARGEST_TILE_COLUMNS * sizeof(int32_t);
  const char *x1 = x + ROWS * x_stride, *w1 = w + panel_bytes;
  char *sums1 = sums + ROWS * stride;
  if (continues) {
    _tile_loadd(0, sums, stride);
    if (panels == 2) _tile_loadd(1, sums + ROW, stride);
    if (blocks == 2) _tile_loadd(2, sums1, stride);
    if (blocks == 2 && panels == 2) _tile_loadd(3, sums1 + ROW, stride);
  } else {
    _tile_zero(0);
    if (panels == 2) _tile_zero(1);
    if (blocks == 2) _tile_zero(2);
    if (blocks == 2 && panels == 2) _tile_zero(3);
  }
  for (size_t k = 0; k < bytes; k += REGISTER, x += ROW, x1 += ROW) {
    _tile_loadd(4, x, x_stride);
    _tile_loadd(6, w + k, ROW);
    MULTIPLY(0, 4, 6);
    if (prefetch) prefetch_lines(prefetch + k);
    if (panels == 2) {
      _tile_loadd(7, w1 + k, ROW);
      MULTIPLY(1, 4, 7);
      if (prefetch) prefetch_lines(prefetch + panel_bytes + k);
    }
    if (blocks == 2) {
      _tile_loadd(5, x1, x_stride);
      MULTIPLY(2, 5, 6);
    }
    if (prefetch) prefetch_lines(prefetch + k + REGISTER / 2);
    if (blocks == 2 && panels == 2) MULTIPLY(3, 5, 7);
    if (prefetch && panels == 2) prefetch_lines(prefetch + panel_bytes + k + REGISTER / 2);
  }
  _tile_stored(0, sums, stride);
  if (panels == 2) _tile_stored(1, sums + ROW, stride);
  if (blocks == 2) _tile_stored(2, sums1, stride);
  if (blocks == 2 && panels == 2) _tile_stored(3, sums1 + ROW, stride);
}

/// Always computes the sums of 16 or 32 rows, even if fewer are asked for.
#define DEFINE_TILE(name, is_int8)                                                                                 \
  TARGET static void name(                                                                                         \
      const void *x, size_t x_stride, size_t rows, const void *w, size_t panel_bytes, size_t panels, size_t inner, \
      int continues, const void *prefetch, void *sums) {                                                           \
    const size_t bytes = inner * ROWS * (is_int8 ? 1 : 2);                                                         \
    if (rows <= ROWS && panels == 1)                                                                               \
      part(is_int8, x, x_stride, 1, w, panel_bytes, 1, bytes, continues, prefetch, sums);                          \
    else if (rows <= ROWS)                                                                                         \
      part(is_int8, x, x_stride, 1, w, panel_bytes, 2, bytes, continues, prefetch, sums);                          \
    else if (panels == 1)                                                                                          \
      part(is_int8, x, x_stride, 2, w, panel_bytes, 1, bytes, continues, prefetch, sums);                          \
    else                                                                                                           \
      part(is_int8, x, x_stride, 2, w, panel_bytes, 2, bytes, continues, prefetch, sums);                          \
  }

DEFINE_TILE(int8_tile, 1)
DEFINE_TILE(bfloat16_tile, 0)

const mlm_reduced_kernel mlm_int8_amx = {
    .tile = int8_tile, .tile_rows = 2 * ROWS, .row_multiple = ROWS, .tile_panels = 2, .inner_block = 768,
    .layout = QUADS_INT8, .name = "amx-int8", .finish = mlm_finish_int8_avx2, .begin = begin, .end = end};
const mlm_reduced_kernel mlm_bfloat16_amx = {
    .tile = bfloat16_tile, .tile_rows = 2 * ROWS, .row_multiple = ROWS, .tile_panels = 2, .inner_block = 384,
    .layout = PAIRS_BFLOAT16, .name = "amx-bf16", .finish = mlm_finish_bfloat16_avx2, .begin = begin, .end = end};
#endif
