// Inner loops that need instructions beyond the baseline of the platform. Each is compiled for several instruction
// sets, and the widest that the processor supports is chosen at run time. Everything else (shapes, threads and memory)
// is implemented in Swift.
//
// They are written in C, because Swift cannot yet compile one function for another processor than the rest of its
// module.
#ifndef MLM_CKERNELS_H
#define MLM_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "reduced_gemm.h"

// MARK: instruction sets

#pragma clang assume_nonnull begin

typedef enum { MLM_BASELINE, MLM_AVX2, MLM_AVX512 } mlm_instruction_set;

/// The widest instruction set that the processor supports and MLM_MAX_CPU_ISA (amx, vnni, avx512, avx2, baseline)
/// allows. Products in reduced precision have their own (reduced_gemm.h).
mlm_instruction_set mlm_instructions(void);

/// Whether a value is valid for MLM_MAX_CPU_ISA. Invalid values limit nothing.
int mlm_knows_limit(const char *value);

/// Tells the processor that the thread waits in a loop.
static inline void mlm_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// MARK: rows

/// The parameters of one step of Adam; keep: 1 − β.
typedef struct {
  float keep1, keep2, epsilon, rate, scale, decay;
} mlm_adam;

/// Loops over the n numbers of one row, for one instruction set. An input may be the same array as an output, as each
/// number is read before it is written. Arrays must not overlap otherwise.
typedef struct {
  /// y = eˣ, with a relative error below 2·10⁻⁷.
  void (*exponential)(const float *x, float *y, size_t n);

  /// y += x.
  void (*add)(const float *x, float *y, size_t n);
  /// Σ x², in double over runs of 1024.
  double (*sum_of_squares)(const float *x, size_t n);

  /// y = x·Φ(x), and dx = dy · (Φ(x) + x·φ(x)).
  void (*gelu)(const float *x, float *y, size_t n);
  void (*gelu_backward)(const float *x, const float *dy, float *dx, size_t n);

  float (*maximum)(const float *x, size_t n);
  /// Σ exp(x − minus).
  double (*sum_of_exponentials)(const float *x, float minus, size_t n);
  /// x = factor · exp(x − max) / Σ exp(x − max); returns that sum.
  double (*softmax)(float *x, size_t n, float factor);
  /// dp = p · (dp − Σ dp·p).
  void (*softmax_backward)(float *dp, const float *p, size_t n);

  /// y = factor · (initial + a·b), for a: rows × inner, b: inner × columns; initial: columns numbers, or NULL for
  /// zeros. Each number is a sum in the order of the inner dimension, so it depends neither on the other rows and
  /// columns nor, given fused multiply-adds, on the instruction set. Strides are in floats. readable: the numbers that
  /// may be read from the start of each row of b, at least `columns`; whole vectors are faster.
  void (*product)(
      const float *a, size_t a_stride, size_t rows, size_t inner, const float *b, size_t b_stride, size_t columns,
      float factor, const float *_Nullable initial, float *y, size_t y_stride, size_t readable);
  /// Σ w · linear, and Σ (w · square)².
  void (*weighted_sums)(
      const float *w, const float *linear, const float *square, size_t n, float *sum, float *sum_of_squares);

  /// x += residual, unless that is NULL; y = gain · (x − mean) · scale + bias, scale = 1 / √(variance + epsilon).
  void (*norm)(
      float *x, const float *_Nullable residual, const float *gain, const float *bias, float epsilon, float *y,
      size_t n, float *mean, float *scale);
  void (*norm_backward)(
      const float *x, const float *gain, float mean, float scale, const float *dy, float *dx, size_t n);
  /// Adds one row's contributions to the gradients of gain and bias.
  void (*norm_gradients)(
      const float *x, float mean, float scale, const float *dy, float *d_gain, float *d_bias, size_t n);

  /// y = 0 or scale · x: 0 if the next 16-bit number is below the threshold. The numbers are those of Philox 4×32-10,
  /// starting at this counter.
  void (*dropout)(
      const float *x, float *y, size_t n, uint64_t key, const uint32_t *counter, uint16_t threshold, float scale);

  /// One step of Adam: parameters p, gradients g, moments m and v. The old parameters overwrite the gradients. Returns
  /// the bits of the largest magnitude among the parameters that grew; NaN is above all.
  uint32_t (*adam)(float *p, float *g, float *m, float *v, size_t n, const mlm_adam *with);
} mlm_rows;

/// The loops for an instruction set that the processor supports. If the platform lacks the set, the baseline's.
const mlm_rows *mlm_rows_for(mlm_instruction_set instructions);

// MARK: small-batch GEMM

/// The order in which OpenBLAS' kernel adds up products, which the small-batch GEMM follows: one after the other within
/// a block of the inner dimension. The sums of the blocks are added to the result in turn.
typedef struct {
  /// The size of a block, at most MLM_LARGEST_BLOCK. If less than two blocks are left, the rest is halved, rounded up
  /// to `multiple`.
  size_t block, multiple;
  /// OpenBLAS' Haswell kernel: in the first and the last eight columns of each panel of 320, half of each 12 rows adds
  /// even and odd terms separately.
  int splits_edges;
} mlm_summation_order;

enum { MLM_LARGEST_BLOCK = 512 };

/// The size of the next block (or panel of columns) if `left` are left: a full block, or half of the rest if a full one
/// would leave a small remainder.
static inline size_t mlm_next_block(size_t left, size_t block, size_t multiple) {
  if (left >= 2 * block) return block;
  if (left > block) return (left / 2 + multiple - 1) / multiple * multiple;
  return left;
}

/// y = bias + x·Wᵀ. x: rows × inner; w: columns × inner; y: rows × columns; bias: columns, or NULL. The sums of the
/// first block are added to the bias. Strides are in floats, from the start of a row to the start of the next.
typedef struct {
  const float *x;
  size_t x_stride, rows;
  const float *w;
  size_t w_stride, columns, inner;
  const float *_Nullable bias;
  float *y;
  size_t y_stride;
  mlm_summation_order order;
  /// Whether w was packed by mlm_pack_weights.
  int is_packed;
} mlm_small_batch_gemm;

/// The columns of a panel of packed weights. A panel holds the first number of each of its columns, then the second
/// ones, and so on.
enum { MLM_PANEL = 16 };

/// Whether an instruction set has a kernel for packed weights.
int mlm_supports_packed_weights(mlm_instruction_set instructions);

/// Packs columns [begin, end), multiples of 8, of weights with a multiple of MLM_PANEL columns. Packed weights take as
/// much memory as before; the panel of column j, a multiple of MLM_PANEL, begins at packed + j × inner.
void mlm_pack_weights(const float *w, size_t w_stride, size_t begin, size_t end, size_t inner, float *packed);

/// The floats of scratch memory that each thread needs, aligned to a cache line.
size_t mlm_small_batch_scratch(mlm_instruction_set instructions, const mlm_small_batch_gemm *gemm);

/// Packs x into the scratch memory, if the kernel needs that.
void mlm_small_batch_pack(mlm_instruction_set instructions, const mlm_small_batch_gemm *gemm, float *scratch);

/// The number of columns that a thread may claim at a time, with one call for each claim; 0 if a call has a start-up
/// cost, so that the columns are better split evenly.
size_t mlm_small_batch_unit(mlm_instruction_set instructions, const mlm_small_batch_gemm *gemm);

/// Computes columns [begin, end) on the calling thread, after mlm_small_batch_pack with the same scratch memory. begin
/// is a multiple of 8; of 16 with AVX-512; with packed weights, both begin and end are multiples of 16.
///
/// The baseline's kernel is the scalar definition that the others match to the last bit. It is slow if the processor
/// has no fused multiply-add.
///
/// following: the weights that this thread reads next, if known; they are prefetched while the last columns are
/// computed.
void mlm_small_batch_multiply(
    mlm_instruction_set instructions, const mlm_small_batch_gemm *gemm, size_t begin, size_t end,
    const float *_Nullable following, float *scratch);

// MARK: OpenBLAS

/// Whether OpenBLAS can choose its kernels again, by the variable OPENBLAS_CORETYPE. It cannot if it is built for one
/// processor.
int mlm_openblas_can_choose_again(void);
/// Makes OpenBLAS choose its kernels again. No other thread may use it meanwhile.
void mlm_openblas_choose_again(void);

#pragma clang assume_nonnull end

#endif
