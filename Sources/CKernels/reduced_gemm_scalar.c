// Products in reduced precision, one number at a time. They define the numbers, to which the tests compare the other
// kernels.
#include "reduced_gemm.h"

#include <math.h>
#include <string.h>

static float widened(uint16_t bits) {
  const uint32_t shifted = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &shifted, sizeof value);
  return value;
}

static void int8_tile(
    const void *x, size_t x_stride, size_t rows, const void *w, size_t panel_bytes, size_t panels, size_t inner,
    int continues, const void *prefetch, void *sums) {
  (void)panel_bytes, (void)panels, (void)prefetch;
  for (size_t r = 0; r < rows; r++) {
    const int8_t *row = (const int8_t *)x + r * x_stride, *panel = w;
    int32_t *sum = (int32_t *)sums + r * LARGEST_TILE_COLUMNS;
    for (size_t c = 0; c < MLM_REDUCED_PANEL; c++) {
      if (!continues) sum[c] = 0;
      for (size_t k = 0; k < inner; k++)
        sum[c] += (int32_t)row[k] * panel[k / 4 * MLM_REDUCED_STEP + 4 * c + k % 4];
    }
  }
}

static void bfloat16_tile(
    const void *x, size_t x_stride, size_t rows, const void *w, size_t panel_bytes, size_t panels, size_t inner,
    int continues, const void *prefetch, void *sums) {
  (void)panel_bytes, (void)panels, (void)prefetch;
  for (size_t r = 0; r < rows; r++) {
    const uint16_t *row = (const uint16_t *)((const char *)x + r * x_stride), *panel = w;
    float *sum = (float *)sums + r * LARGEST_TILE_COLUMNS;
    for (size_t c = 0; c < MLM_REDUCED_PANEL; c++) {
      if (!continues) sum[c] = 0;
      // As vdpbf16ps: the second number of each pair first.
      for (size_t k = 0; k < inner; k += 2)
        for (size_t i = 2; i-- > 0;)
          sum[c] = fmaf(widened(row[k + i]), widened(panel[k / 2 * MLM_REDUCED_STEP / 2 + 2 * c + i]), sum[c]);
    }
  }
}

static float base(const mlm_reduced_gemm *p, const float *y, size_t column) {
  return p->adds ? *y : p->bias ? p->bias[column] : 0;
}

static void finish_int8(
    const mlm_reduced_gemm *p, const void *sums, size_t row, size_t rows, size_t column, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const int32_t *sum = (const int32_t *)sums + r * LARGEST_TILE_COLUMNS;
    float *y = p->y + (row + r) * p->y_stride + column;
    const mlm_int8_row x = p->x_rows[row + r];
    for (size_t c = 0; c < columns; c++) {
      const int32_t exact = sum[c] - x.zero * p->w_sum[column + c];
      y[c] = fmaf((float)exact * p->w_scale[column + c], x.scale, base(p, y + c, column + c));
    }
  }
}

static void finish_bfloat16(
    const mlm_reduced_gemm *p, const void *sums, size_t row, size_t rows, size_t column, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const float *sum = (const float *)sums + r * LARGEST_TILE_COLUMNS;
    float *y = p->y + (row + r) * p->y_stride + column;
    for (size_t c = 0; c < columns; c++) y[c] = base(p, y + c, column + c) + sum[c];
  }
}

const mlm_reduced_kernel mlm_int8_scalar = {
    .tile = int8_tile, .tile_rows = 4, .tile_panels = 1, .inner_block = 64, .layout = QUADS_INT8,
    .name = "scalar", .finish = finish_int8};
const mlm_reduced_kernel mlm_bfloat16_scalar = {
    .tile = bfloat16_tile, .tile_rows = 4, .tile_panels = 1, .inner_block = 64, .layout = PAIRS_BFLOAT16,
    .name = "scalar", .finish = finish_bfloat16};
