// Products in reduced precision: which tiles are computed in which order.
#include "reduced_gemm.h"

static const mlm_reduced_kernel none;

const mlm_reduced_kernel *mlm_kernel_of(mlm_format format, mlm_reduced_instructions instructions) {
  const int is_int8 = format == MLM_INT8;
  switch (instructions) {
    case MLM_REDUCED_SCALAR: return is_int8 ? &mlm_int8_scalar : &mlm_bfloat16_scalar;
#if defined(__x86_64__)
    case MLM_REDUCED_AVX2: return is_int8 ? &mlm_int8_avx2 : &mlm_bfloat16_avx2;
    case MLM_REDUCED_AVX512: return is_int8 ? &none : &mlm_bfloat16_avx512;
    case MLM_REDUCED_AVX_VNNI: return is_int8 ? &mlm_int8_avx_vnni : &none;
    case MLM_REDUCED_AVX512_VNNI: return is_int8 ? &mlm_int8_avx512_vnni : &mlm_bfloat16_avx512_bf16;
    case MLM_REDUCED_AMX: return is_int8 ? &mlm_int8_amx : &mlm_bfloat16_amx;
#endif
    default: return &none;
  }
}

const char *mlm_reduced_name(mlm_format format, mlm_reduced_instructions instructions) {
  const char *name = mlm_kernel_of(format, instructions)->name;
  return name ? name : "none";
}

size_t mlm_narrowed_stride(mlm_format format, mlm_reduced_instructions instructions, size_t inner) {
  const size_t bytes = mlm_reduced_padded(format, inner) * x_bytes(mlm_kernel_of(format, instructions)->layout);
  return (bytes + 63) / 64 * 64 | 64;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/// Computes the sums of some rows for one step of columns.
static void compute_block(
    const mlm_reduced_gemm *p, const mlm_reduced_kernel *kernel, const char *x, size_t rows, const char *w,
    size_t panels, const char *next, uint32_t *sums) {
  const size_t inner = mlm_reduced_padded(p->format, p->inner);
  const size_t panel_bytes = mlm_reduced_panel_bytes(p->format, p->inner), bytes = panel_bytes / inner;
  for (size_t k = 0; k < inner; k += kernel->inner_block) {
    const size_t count = least(kernel->inner_block, inner - k);
    // Tiles of almost the same size: a last tile of few rows would take nearly as long as a full one.
    size_t tiles = (rows + kernel->tile_rows - 1) / kernel->tile_rows;
    for (size_t row = 0; row < rows; tiles--) {
      size_t height = (rows - row + tiles - 1) / tiles;
      if (kernel->row_multiple)
        height = least((height + kernel->row_multiple - 1) / kernel->row_multiple * kernel->row_multiple, rows - row);
      kernel->tile(
          x + row * p->x_stride + k * x_bytes(kernel->layout), p->x_stride, height, w + k * bytes, panel_bytes, panels,
          count, k > 0, row == 0 && next ? next + k * bytes : NULL, sums + row * LARGEST_TILE_COLUMNS);
      row += height;
    }
  }
}

void mlm_reduced_multiply(const mlm_reduced_gemm *p, size_t begin, size_t end, const void *following) {
  const mlm_reduced_kernel *kernel = mlm_kernel_of(p->format, p->instructions);
  const size_t panel_bytes = mlm_reduced_panel_bytes(p->format, p->inner);
  const size_t step = kernel->tile_panels * MLM_REDUCED_PANEL;
  const size_t block = BLOCK_ROWS / kernel->tile_rows * kernel->tile_rows;
  _Alignas(64) uint32_t sums[BLOCK_ROWS * LARGEST_TILE_COLUMNS];
  if (kernel->begin) kernel->begin();
  for (size_t row = 0; row < p->rows; row += block) {
    const size_t rows = least(block, p->rows - row);
    for (size_t j = begin; j < end; j += step) {
      const size_t columns = least(step, end - j);
      const size_t panels = (columns + MLM_REDUCED_PANEL - 1) / MLM_REDUCED_PANEL;
      const char *w = (const char *)p->w + j / MLM_REDUCED_PANEL * panel_bytes;
      const void *next = j + step < end ? w + panels * panel_bytes : row + block >= p->rows ? following : NULL;
      compute_block(p, kernel, (const char *)p->x + row * p->x_stride, rows, w, panels, next, sums);
      kernel->finish(p, sums, row, rows, j, columns);
    }
  }
  if (kernel->end) kernel->end();
}
