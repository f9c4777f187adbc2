// Compares the kernels of products in reduced precision with the scalar definition, and measures them: check-kernels.
#include "CKernels.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/// Memory that begins with a cache line, with a line to spare.
static void *zeros(size_t bytes) {
  void *p = NULL;
  if (posix_memalign(&p, 64, bytes + 64) != 0) abort();
  memset(p, 0, bytes + 64);
  return p;
}

static float *numbers(size_t count) {
  float *p = zeros(4 * count);
  for (size_t i = 0; i < count; i++) p[i] = 2 * ((float)rand() / (float)RAND_MAX - 0.5f);
  return p;
}

typedef struct {
  mlm_format format;
  mlm_reduced_instructions instructions;
  size_t columns, inner;
  void *panels;
  float *scales;
  int32_t *sums;
} weights;

/// Packs W. int8: rounded as when a model is loaded; `extreme`: −128 and 127, which files of other tools have.
static weights pack(
    mlm_format format, mlm_reduced_instructions instructions, const float *w, size_t columns, size_t inner,
    int extreme) {
  const size_t panel = mlm_reduced_panel_bytes(format, inner), size = format == MLM_INT8 ? 1 : 2;
  const size_t panels = (columns + MLM_REDUCED_PANEL - 1) / MLM_REDUCED_PANEL;
  weights p = {format, instructions, columns, inner, zeros(panel * panels), zeros(64 * panels), zeros(64 * panels)};
  char *rows = zeros(MLM_REDUCED_PANEL * inner * size);
  for (size_t j = 0; j < columns; j += MLM_REDUCED_PANEL) {
    const size_t count = columns - j < MLM_REDUCED_PANEL ? columns - j : MLM_REDUCED_PANEL;
    for (size_t r = 0; r < count; r++) {
      const float *row = w + (j + r) * inner;
      if (format != MLM_INT8) {
        mlm_round_bfloat16(row, inner, (uint16_t *)(rows + 2 * r * inner));
        continue;
      }
      int8_t *q = (int8_t *)rows + r * inner;
      p.scales[j + r] = mlm_quantize_int8(row, inner, q);
      for (size_t k = 0; extreme && k < inner; k++) q[k] = row[k] < 0 ? -128 : 127;
    }
    mlm_pack_panel(
        format, instructions, rows, inner * size, count, inner, (char *)p.panels + j / MLM_REDUCED_PANEL * panel,
        p.sums + j);
  }
  free(rows);
  return p;
}

static void release(weights p) {
  free(p.panels);
  free(p.scales);
  free(p.sums);
}

/// Computes y, `times` times; returns the least seconds of one product.
static double multiply(weights w, const float *x, size_t rows, const float *bias, int adds, float *y, int times) {
  const size_t stride = mlm_narrowed_stride(w.format, w.instructions, w.inner);
  char *narrowed = zeros(stride * mlm_narrowed_rows(rows));
  mlm_int8_row *readings = zeros(sizeof *readings * rows);
  for (size_t r = 0; r < rows; r++)
    readings[r] = mlm_narrow(w.format, w.instructions, x + r * w.inner, w.inner, narrowed + r * stride);
  const mlm_reduced_gemm gemm = {
      w.format, w.instructions, narrowed, stride, readings, rows, w.panels, w.scales, w.sums, w.columns, w.inner, bias,
      adds, y, w.columns};
  double least = 1e9;
  for (int i = 0; i < times; i++) {
    const double start = now();
    mlm_reduced_multiply(&gemm, 0, w.columns, NULL);
    const double seconds = now() - start;
    least = seconds < least ? seconds : least;
  }
  free(narrowed);
  free(readings);
  return least;
}

static const char *format_name(mlm_format format) { return format == MLM_INT8 ? "int8" : "bfloat16"; }

/// Compares a kernel with the definition for one shape; returns the number of differences.
static size_t compare(
    mlm_format format, mlm_reduced_instructions instructions, size_t rows, size_t columns, size_t inner, int kind) {
  float *x = numbers(rows * inner), *w = numbers(columns * inner), *bias = numbers(columns);
  const size_t bytes = 4 * rows * columns;
  float *expected = zeros(bytes), *found = zeros(bytes), *bound = zeros(bytes);
  // Kinds of numbers: 0 as they are; 1 a large column; 2 all extreme, weights of −128; 3 a row that is not finite, a row
  // of zeros. Odd shapes add to y.
  for (size_t i = 0; i < rows * inner; i++) {
    if (kind == 1 && i % inner == 3) x[i] *= 100;
    if (kind == 2) x[i] = x[i] < 0 ? -1 : 1;
    if (kind == 3 && i < inner) x[i] = i == inner / 2 ? INFINITY : x[i];
    if (kind == 3 && i >= inner && i < 2 * inner) x[i] = 0;
  }
  const int adds = (rows + columns + inner) % 2 == 1;
  for (size_t i = 0; i < rows * columns; i++) found[i] = expected[i] = (float)(i % 7);
  const weights a = pack(format, MLM_REDUCED_SCALAR, w, columns, inner, kind == 2);
  const weights b = pack(format, instructions, w, columns, inner, kind == 2);
  multiply(a, x, rows, bias, adds, expected, 1);
  multiply(b, x, rows, bias, adds, found, 1);
  // Sums in another order differ by at most this many roundings of Σ |x·w|.
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++)
      for (size_t k = 0; k < inner; k++) bound[r * columns + c] += fabsf(x[r * inner + k] * w[c * inner + k]);
  const int has_own_order = format == MLM_BFLOAT16 && instructions == MLM_REDUCED_AMX;
  size_t differences = 0;
  for (size_t i = 0; i < rows * columns; i++) {
    if (memcmp(expected + i, found + i, 4) == 0 || (isnan(expected[i]) && isnan(found[i]))) continue;
    if (has_own_order && fabsf(expected[i] - found[i]) <= (bound[i] + 8) * (float)inner * 6e-8f) continue;
    differences++;
  }
  if (differences)
    printf(
        "WRONG: %s %s, %zu × %zu × %zu, kind %d: %zu numbers differ\n", format_name(format),
        mlm_reduced_name(format, instructions), rows, inner, columns, kind, differences);
  release(a), release(b);
  free(x), free(w), free(bias), free(expected), free(found), free(bound);
  return differences;
}

static size_t check(mlm_format format, mlm_reduced_instructions instructions) {
  static const size_t inners[] = {1, 31, 64, 65, 200, 768, 3072}, columns[] = {1, 16, 33, 48, 80};
  size_t differences = 0, products = 0;
  for (size_t rows = 1; rows <= 40; rows += rows < 14 ? 1 : 3)
    for (size_t i = 0; i < sizeof inners / sizeof *inners; i++)
      for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        if (inners[i] > 700 && (columns[c] > 33 || rows % 3 != 0)) continue;
        differences += compare(format, instructions, rows, columns[c], inners[i], (int)(products++ % 4));
      }
  // More rows than pass through a panel together.
  differences += compare(format, instructions, 250, 40, 130, 0);
  printf(
      "%-9s %-12s %zu products, %s\n", format_name(format), mlm_reduced_name(format, instructions), products + 1,
      differences ? "WRONG" : "as defined");
  return differences;
}

static void measure(size_t columns, size_t inner) {
  static const size_t row_counts[] = {1, 6, 21, 32, 110, 512};
  enum { COUNTS = sizeof row_counts / sizeof *row_counts };
  float *x = numbers(512 * inner), *w = numbers(columns * inner), *bias = numbers(columns);
  float *y = zeros(4 * 512 * columns);
  printf("\n10⁹ multiply-adds a second, x: rows × %zu, W: %zu × %zu\n%-22s", inner, columns, inner, "rows");
  for (size_t i = 0; i < COUNTS; i++) printf("%8zu", row_counts[i]);
  printf("\n%-22s", "float32 OpenBLAS");
  for (size_t i = 0; i < COUNTS; i++) {
    double least = 1e9;
    for (int time = 0; time < 15; time++) {
      const double start = now();
      cblas_sgemm(
          CblasRowMajor, CblasNoTrans, CblasTrans, (int)row_counts[i], (int)columns, (int)inner, 1, x, (int)inner, w,
          (int)inner, 0, y, (int)columns);
      const double seconds = now() - start;
      least = seconds < least ? seconds : least;
    }
    printf("%8.1f", (double)row_counts[i] * (double)(columns * inner) / least * 1e-9);
  }
  for (int f = 0; f < 2; f++) {
    const mlm_format format = f == 0 ? MLM_INT8 : MLM_BFLOAT16;
    for (int i = MLM_REDUCED_AVX2; i < MLM_REDUCED_INSTRUCTIONS; i++) {
      const mlm_reduced_instructions instructions = (mlm_reduced_instructions)i;
      if (!mlm_supports_reduced(format, instructions)) continue;
      const weights packed = pack(format, instructions, w, columns, inner, 0);
      printf("\n%-9s %-12s", format_name(format), mlm_reduced_name(format, instructions));
      for (size_t r = 0; r < COUNTS; r++) {
        const double least = multiply(packed, x, row_counts[r], bias, 0, y, 15);
        printf("%8.1f", (double)row_counts[r] * (double)(columns * inner) / least * 1e-9);
      }
      release(packed);
    }
  }
  printf("\n");
  free(x), free(w), free(y), free(bias);
}

int main(void) {
  openblas_set_num_threads(1);
  size_t differences = 0;
  for (int f = 0; f < 2; f++) {
    const mlm_format format = f == 0 ? MLM_INT8 : MLM_BFLOAT16;
    for (int i = MLM_REDUCED_AVX2; i < MLM_REDUCED_INSTRUCTIONS; i++) {
      const mlm_reduced_instructions instructions = (mlm_reduced_instructions)i;
      const char *name = mlm_reduced_name(format, instructions);
      if (mlm_supports_reduced(format, instructions)) differences += check(format, instructions);
      else if (strcmp(name, "none") != 0) printf("%-9s %-12s not here\n", format_name(format), name);
    }
  }
  if (mlm_system_refuses_amx()) printf("The processor has AMX, but the operating system refuses it.\n");
  measure(3072, 768);
  measure(768, 3072);
  return differences != 0;
}
