// The parts of the kernels of reduced_gemm.h. Each instruction set has a file. A kernel computes the sums of one tile,
// a few rows by one or two panels; everything else is shared (reduced_gemm.c, reduced_gemm_pack.c).
#ifndef MLM_REDUCED_KERNELS_H
#define MLM_REDUCED_KERNELS_H

#include "CKernels.h"

/// The largest tile, and the rows of x that pass through a panel together.
enum { LARGEST_TILE_ROWS = 32, LARGEST_TILE_COLUMNS = 32, BLOCK_ROWS = 120 };

/// How a kernel reads numbers.
typedef enum {
  /// x: int8. W: four numbers of each column at a time.
  QUADS_INT8,
  /// x: int8 + 128, as uint8; so is the zero point. W as above.
  QUADS_UINT8,
  /// x: int8 widened to int16. W: two numbers of each column at a time, 32 bytes.
  PAIRS_INT16,
  /// x: bfloat16. W: two numbers of each column at a time.
  PAIRS_BFLOAT16,
  /// x: bfloat16 widened to float. W as above.
  PAIRS_FLOAT
} mlm_layout;

/// The 32-bit sums (int32 or float) of a tile over a part of the inner dimension. `rows`: 1 … tile_rows; `panels`: 1 …
/// tile_panels, panel_bytes apart. sums: `LARGEST_TILE_COLUMNS` numbers from row to row; `continues`: whether to add to
/// them. `prefetch`: as many bytes as are read of the panels, to be read next, or NULL.
typedef void mlm_tile(
    const void *x, size_t x_stride, size_t rows, const void *w, size_t panel_bytes, size_t panels, size_t inner,
    int continues, const void *prefetch, void *sums);

typedef struct {
  /// NULL if the kernel does not exist.
  mlm_tile *tile;
  size_t tile_rows, tile_panels;
  /// If not 0, a tile always computes a multiple of this many rows: all tiles but the last one must have such a number.
  size_t row_multiple;
  /// The part of the inner dimension that is computed at a time, so that a panel stays in the first-level cache: a
  /// multiple of 64.
  size_t inner_block;
  mlm_layout layout;
  const char *name;
  /// Scales the sums of a tile and writes them to y. `column`: the first column of the tile.
  void (*finish)(
      const mlm_reduced_gemm *gemm, const void *sums, size_t row, size_t rows, size_t column, size_t columns);
  /// Called by each thread before its first and after its last tile of a call, or NULL.
  void (*begin)(void);
  void (*end)(void);
} mlm_reduced_kernel;

extern const mlm_reduced_kernel mlm_int8_scalar, mlm_int8_avx2, mlm_int8_avx_vnni, mlm_int8_avx512_vnni, mlm_int8_amx,
    mlm_bfloat16_scalar, mlm_bfloat16_avx2, mlm_bfloat16_avx512, mlm_bfloat16_avx512_bf16, mlm_bfloat16_amx;

void mlm_finish_int8_avx2(
    const mlm_reduced_gemm *gemm, const void *sums, size_t row, size_t rows, size_t column, size_t columns);
void mlm_finish_bfloat16_avx2(
    const mlm_reduced_gemm *gemm, const void *sums, size_t row, size_t rows, size_t column, size_t columns);

const mlm_reduced_kernel *mlm_kernel_of(mlm_format format, mlm_reduced_instructions instructions);

/// The bytes of a number of x.
static inline size_t x_bytes(mlm_layout layout) {
  switch (layout) {
    case QUADS_INT8: case QUADS_UINT8: return 1;
    case PAIRS_INT16: case PAIRS_BFLOAT16: return 2;
    case PAIRS_FLOAT: return 4;
  }
  return 4;
}

#endif
