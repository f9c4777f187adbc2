// y = x·Wᵀ in reduced precision: int8 (integer sums) or bfloat16 (float32 sums). Weights are packed once; x is narrowed
// for each product.
#ifndef MLM_REDUCED_GEMM_H
#define MLM_REDUCED_GEMM_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The number formats of a product's operands.
typedef enum { MLM_INT8, MLM_BFLOAT16 } mlm_format;

/// The instructions of a product, the widest last.
typedef enum {
  /// The scalar definition.
  MLM_REDUCED_SCALAR,
  MLM_REDUCED_AVX2,
  /// bfloat16 only: AVX-512 without products of bfloat16.
  MLM_REDUCED_AVX512,
  /// int8 only: VNNI without AVX-512.
  MLM_REDUCED_AVX_VNNI,
  /// AVX512_VNNI, AVX512_BF16.
  MLM_REDUCED_AVX512_VNNI,
  MLM_REDUCED_AMX,
  MLM_REDUCED_INSTRUCTIONS
} mlm_reduced_instructions;

/// Whether the processor and the operating system support a kernel and MLM_MAX_CPU_ISA allows it. The first call asks
/// the system for AMX.
int mlm_supports_reduced(mlm_format format, mlm_reduced_instructions instructions);

/// The widest supported kernel, at most `widest`.
mlm_reduced_instructions mlm_best_reduced(mlm_format format, mlm_reduced_instructions widest);

/// The name of a kernel's instructions, such as "avx512-vnni".
const char *mlm_reduced_name(mlm_format format, mlm_reduced_instructions instructions);

/// Whether the processor has AMX, but the operating system refuses it.
int mlm_system_refuses_amx(void);

/// The columns of a panel of weights, and the bytes that one step of the inner dimension takes in it.
enum { MLM_REDUCED_PANEL = 16, MLM_REDUCED_STEP = 64 };

/// The inner dimension is padded with zeros to a multiple of this many bytes.
static inline size_t mlm_reduced_padded(mlm_format format, size_t inner) {
  const size_t multiple = format == MLM_INT8 ? 64 : 32;
  return (inner + multiple - 1) / multiple * multiple;
}

/// The bytes of a panel of packed weights.
static inline size_t mlm_reduced_panel_bytes(mlm_format format, size_t inner) {
  return mlm_reduced_padded(format, inner) * MLM_REDUCED_PANEL * (format == MLM_INT8 ? 1 : 2);
}

/// The bytes from one narrowed row of x to the next: an odd number of cache lines, so that rows do not compete for the
/// same sets of a cache.
size_t mlm_narrowed_stride(mlm_format format, mlm_reduced_instructions instructions, size_t inner);

/// The narrowed rows that the memory must have room for: AMX reads groups of 16.
static inline size_t mlm_narrowed_rows(size_t rows) { return (rows + 15) / 16 * 16; }

/// How the int8 numbers q of a row of x are to be read: x ≈ scale · (q − zero).
typedef struct {
  float scale;
  int32_t zero;
} mlm_int8_row;

/// Narrows a row of x, n numbers, for a kernel, and pads it. int8: the numbers −127 … 127 span the row's numbers and
/// zero, which is exact; x / scale is rounded to the nearest integer (ties to even). The scale is NaN if x has a
/// number that is not finite. A zero point costs nothing in the product, and most rows are not symmetric (GELU's are
/// above −0.17): it saves a quarter to a third of the divergence from float32. bfloat16: rounded to nearest, ties to
/// even; the result is not used.
mlm_int8_row mlm_narrow(
    mlm_format format, mlm_reduced_instructions instructions, const float *x, size_t n, void *narrowed);

/// Rounds n numbers of a row of W to int8: to the nearest multiple (ties to even) of the scale, max |x| / 127. Returns
/// the scale; NaN if a number is not finite.
float mlm_quantize_int8(const float *x, size_t n, int8_t *q);
/// Rounds n numbers to bfloat16, to nearest, ties to even.
void mlm_round_bfloat16(const float *x, size_t n, uint16_t *y);

/// Packs up to 16 rows of W (columns of the product) as a panel in a kernel's order. Missing rows and the padding of
/// the inner dimension become zeros.
///
/// rows: row-major int8 or bfloat16 numbers, `stride` bytes from row to row.
/// sums: int8: the sum of each row, for the zero points of x; not used for bfloat16.
void mlm_pack_panel(
    mlm_format format, mlm_reduced_instructions instructions, const void *rows, size_t stride, size_t count,
    size_t inner, void *panel, int32_t *_Nullable sums);

/// y = x·Wᵀ + bias. x: rows × inner, narrowed; w: packed panels.
///
/// int8: y = bias + scale · (w_scale · Σ (q − zero) · w), where Σ is the exact sum of integers: the same on all
/// instruction sets.
/// bfloat16: y = bias + Σ, with sums in float32: fused multiply-adds in the order of the inner dimension, the second
/// number of each pair first, except with AMX, which has its own order.
typedef struct {
  mlm_format format;
  mlm_reduced_instructions instructions;
  const void *x;
  size_t x_stride;
  /// int8: how each row of x is to be read.
  const mlm_int8_row *_Nullable x_rows;
  size_t rows;
  const void *w;
  /// int8: a scale and a sum per column, padded to whole panels.
  const float *_Nullable w_scale;
  const int32_t *_Nullable w_sum;
  size_t columns, inner;
  /// Added to each row, or NULL. Not used if `adds`.
  const float *_Nullable bias;
  /// Whether the product is added to y.
  int adds;
  float *y;
  size_t y_stride;
} mlm_reduced_gemm;

/// Computes columns [begin, end) on the calling thread; begin is a multiple of 16, and so is end, unless it is
/// `columns`.
///
/// following: the packed weights that this thread reads next, if known; they are prefetched.
void mlm_reduced_multiply(
    const mlm_reduced_gemm *gemm, size_t begin, size_t end, const void *_Nullable following);

#pragma clang assume_nonnull end

#endif
