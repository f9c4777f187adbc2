// The loops over one row of numbers, written once for registers of W floats. The including file sets W, FUNCTIONS (the
// name of the table of functions) and, with a pragma around the inclusion, the instruction set.
//
// C has no templates, and neither a vector's width nor a function's target can depend on a parameter.
//
// A result does not depend on a number's index in a row. A sum depends on W, so its last bits depend on the instruction
// set.

#include "rows.h"

#include <string.h>

typedef float vf __attribute__((vector_size(4 * W)));
typedef int32_t vi __attribute__((vector_size(4 * W)));
typedef uint32_t vu __attribute__((vector_size(4 * W)));
typedef float vf_any __attribute__((vector_size(4 * W), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

// MARK: moves

/// c numbers from p, followed by zeros.
INLINE vf get(const float *p, size_t c) {
  if (c == W) return *(const vf_any *)p;
  vf v = {0};
  memcpy(&v, p, 4 * c);
  return v;
}

INLINE void put(float *p, vf v, size_t c) {
  if (c == W) *(vf_any *)p = v;
  else memcpy(p, &v, 4 * c);
}

/// The first c lanes; zeros in the others.
INLINE vf first(vf v, size_t c) {
  if (c == W) return v;
  vf part = {0};
  memcpy(&part, &v, 4 * c);
  return part;
}

/// Runs a statement for each group of c numbers from i on. c is W, or less for the last group.
#define EACH(n, ...)                                         \
  do {                                                       \
    size_t i = 0;                                            \
    for (; i + W <= (n); i += W) { const size_t c = W; __VA_ARGS__ } \
    if (i < (n)) { const size_t c = (n) - i; __VA_ARGS__ }   \
  } while (0)

INLINE vf all(float x) { return (vf){0} + x; }
INLINE vf pick(vi mask, vf a, vf b) { return (vf)(((vi)a & mask) | ((vi)b & ~mask)); }

INLINE float total(vf v) {
  float lanes[W];
  memcpy(lanes, &v, sizeof lanes);
  for (int half = W / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  return lanes[0];
}

INLINE vf root(vf v) { return __builtin_elementwise_sqrt(v); }

// MARK: exp and the normal distribution
//
// The polynomials are minimax fits computed for this file (by reweighted least squares and Remez exchange, in 40
// digits). libm's functions take one number per call, which would cost more than the products around them.

/// eˣ for −87.33 ≤ x ≤ 88.37 only, with a relative error below 2·10⁻⁷.
INLINE vf power_of_e_within(vf x) {
  // x = n·ln 2 + r, |r| ≤ ln 2 / 2; ln 2 in two parts so that n·ln 2 is exact. Adding 1.5 · 2²³ rounds to an integer in
  // the low bits.
  const vf magic = all(12582912.0f);
  vf shifted = x * 1.44269504f + magic;
  vf n = shifted - magic;
  vf r = (x - n * 0.693359375f) + n * 2.1219444e-4f;
  vf tail = 0.0013814465f * r + 0.008368781f;
  tail = tail * r + 0.041668393f;
  tail = tail * r + 0.1666652f;
  tail = tail * r + 0.49999994f;
  vf fraction = tail * r * r + r + 1;
  return fraction * (vf)(((vu)shifted << 23) + 0x3F800000u);
}

/// eˣ for all x. Below that range, the result stays near the smallest normal number (≈ 10⁻³⁸), above it at 2.4·10³⁸,
/// without infinities. NaN stays NaN, so that a broken weight shows in the loss.
INLINE vf power_of_e(vf x) {
  x = pick(x > 88.37f, all(88.37f), x);
  return power_of_e_within(pick(x < -87.33f, all(-87.33f), x));
}

/// The normal distribution's Φ(x), with an error below 1.2·10⁻⁷, and its density times √(2π): exp(−x²/2).
///
/// Uses Φ(−t) = exp(−t²/2) · m(t), where m is a polynomial, with an error below 1.1·10⁻⁸. (1 + erf(x / √2) took 1.6
/// times as long, as erf needs another polynomial near zero, and 2 times as long with the density, which is free here.
/// Splitting m into even and odd terms makes no difference.)
INLINE vf normal_distribution(vf x, vf *density) {
  vf t = (vf)((vu)x & 0x7FFFFFFFu);
  const vi far = t > 13.0f;
  vf power = pick(far, all(0), power_of_e_within(-0.5f * (x * x)));
  t = pick(far, all(13), t);
  vf m = 3.36979528e-8f * t - 1.05304402e-6f;
  m = m * t + 1.46716913e-5f;
  m = m * t - 1.22000254e-4f;
  m = m * t + 6.88095382e-4f;
  m = m * t - 2.86099907e-3f;
  m = m * t + 9.39205062e-3f;
  m = m * t - 2.58336943e-2f;
  m = m * t + 6.21359125e-2f;
  m = m * t - 1.32878879e-1f;
  m = m * t + 2.4998576e-1f;
  m = m * t - 3.9894159e-1f;
  m = m * t + 0.5f;
  *density = power;
  const vf below = power * m;
  return pick(x < 0, below, 1 - below);
}

static void exponential(const float *x, float *y, size_t n) { EACH(n, put(y + i, power_of_e(get(x + i, c)), c);); }

// MARK: sums

static void add(const float *x, float *y, size_t n) { EACH(n, put(y + i, get(y + i, c) + get(x + i, c), c);); }

static double sum_of_squares(const float *x, size_t n) {
  double sum = 0;
  for (size_t start = 0; start < n; start += 1024) {
    vf lanes = {0};
    EACH((n - start < 1024 ? n - start : 1024), vf v = get(x + start + i, c); lanes += v * v;);
    sum += total(lanes);
  }
  return sum;
}

// MARK: GELU

static void gelu(const float *x, float *y, size_t n) {
  EACH(n, vf v = get(x + i, c); vf power; put(y + i, v * normal_distribution(v, &power), c););
}

static void gelu_backward(const float *x, const float *dy, float *dx, size_t n) {
  EACH(n, {
    vf v = get(x + i, c);
    vf power;
    vf cumulative = normal_distribution(v, &power);
    put(dx + i, get(dy + i, c) * (cumulative + v * (0.39894228f * power)), c);
  });
}

// MARK: softmax

static float maximum(const float *x, size_t n) {
  const float lowest = -3.40282347e38f;
  vf lanes = all(lowest), others = lanes;
  size_t i = 0;
  // NaN is ignored here; it reappears in the sums.
  for (; i + 2 * W <= n; i += 2 * W) {
    vf v = get(x + i, W), w = get(x + i + W, W);
    lanes = pick(v > lanes, v, lanes);
    others = pick(w > others, w, others);
  }
  lanes = pick(others > lanes, others, lanes);
  float parts[W], largest = lowest;
  memcpy(parts, &lanes, sizeof parts);
  for (int lane = 0; lane < W; lane++) largest = parts[lane] > largest ? parts[lane] : largest;
  for (; i < n; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

/// Adds up in float within runs of 512 and in double over the runs, so that a vocabulary's 30,522 terms lose no digits.
static double sum_of_exponentials(const float *x, float minus, size_t n) {
  double sum = 0;
  for (size_t start = 0; start < n; start += 512) {
    vf lanes = {0};
    EACH((n - start < 512 ? n - start : 512), lanes += first(power_of_e(get(x + start + i, c) - minus), c););
    sum += total(lanes);
  }
  return sum;
}

static double softmax(float *x, size_t n, float factor) {
  const float largest = maximum(x, n);
  double sum = 0;
  for (size_t start = 0; start < n; start += 512) {
    vf lanes = {0};
    EACH((n - start < 512 ? n - start : 512), {
      vf v = power_of_e(get(x + start + i, c) - largest);
      put(x + start + i, v, c);
      lanes += first(v, c);
    });
    sum += total(lanes);
  }
  const float scale = (float)(factor / sum);
  EACH(n, put(x + i, get(x + i, c) * scale, c););
  return sum;
}

static void softmax_backward(float *dp, const float *p, size_t n) {
  vf lanes = {0};
  EACH(n, lanes += get(dp + i, c) * get(p + i, c););
  const float inner = total(lanes);
  EACH(n, put(dp + i, get(p + i, c) * (get(dp + i, c) - inner), c););
}

// MARK: small products

/// Some rows (at most PRODUCT_ROWS) by c columns; `whole`: whether b may be read by whole vectors.
INLINE void product_part(
    const float *a, size_t a_stride, const size_t rows, size_t inner, const float *b, size_t b_stride, float factor,
    const float *initial, float *y, size_t y_stride, size_t c, const int whole) {
  vf sums[PRODUCT_ROWS];
  const vf start = initial ? get(initial, c) : all(0);
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++) sums[r] = start;
  for (size_t k = 0; k < inner; k++) {
    const vf v = get(b + k * b_stride, whole ? W : c);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) sums[r] += a[r * a_stride + k] * v;
  }
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++) put(y + r * y_stride, sums[r] * factor, c);
}

/// All rows by c columns.
INLINE void product_columns(
    const float *a, size_t a_stride, size_t rows, size_t inner, const float *b, size_t b_stride, float factor,
    const float *initial, float *y, size_t y_stride, size_t c, const int whole) {
  size_t row = 0;
#define ROWS(count)                                                                                     \
  for (; row + (count) <= rows; row += (count))                                                         \
  product_part(                                                                                         \
      a + row * a_stride, a_stride, (count), inner, b, b_stride, factor, initial, y + row * y_stride, y_stride, c, \
      whole)
  ROWS(PRODUCT_ROWS);
  ROWS(3);
  ROWS(1);
#undef ROWS
}

static void product(
    const float *a, size_t a_stride, size_t rows, size_t inner, const float *b, size_t b_stride, size_t columns,
    float factor, const float *initial, float *y, size_t y_stride, size_t readable) {
  EACH(columns, {
    const float *start = initial ? initial + i : NULL;
    if (i + W <= readable)
      product_columns(a, a_stride, rows, inner, b + i, b_stride, factor, start, y + i, y_stride, c, 1);
    else
      product_columns(a, a_stride, rows, inner, b + i, b_stride, factor, start, y + i, y_stride, c, 0);
  });
}

static void weighted_sums(
    const float *w, const float *linear, const float *square, size_t n, float *sum, float *sum_of_squares) {
  vf a = {0}, b = {0};
  EACH(n, {
    const vf v = get(w + i, c), scaled = v * get(square + i, c);
    a += v * get(linear + i, c);
    b += scaled * scaled;
  });
  *sum = total(a);
  *sum_of_squares = total(b);
}

// MARK: layer norm

static void norm(
    float *x, const float *residual, const float *gain, const float *bias, float epsilon, float *y, size_t n,
    float *mean_out, float *scale_out) {
  vf lanes = {0};
  if (residual)
    EACH(n, vf v = get(x + i, c) + get(residual + i, c); put(x + i, v, c); lanes += v;);
  else
    EACH(n, lanes += get(x + i, c););
  const float mean = total(lanes) / (float)n;
  lanes = all(0);
  EACH(n, vf v = first(get(x + i, c) - mean, c); lanes += v * v;);
  const float scale = 1 / __builtin_elementwise_sqrt(total(lanes) / (float)n + epsilon);
  EACH(n, put(y + i, (get(x + i, c) - mean) * scale * get(gain + i, c) + get(bias + i, c), c););
  *mean_out = mean;
  *scale_out = scale;
}

static void norm_backward(
    const float *x, const float *gain, float mean, float scale, const float *dy, float *dx, size_t n) {
  vf sums = {0}, products = {0};
  EACH(n, {
    vf v = get(dy + i, c) * get(gain + i, c);
    sums += v;
    products += v * ((get(x + i, c) - mean) * scale);
  });
  const float d_mean = total(sums) / (float)n, d_scale = total(products) / (float)n;
  EACH(n, {
    vf normalized = (get(x + i, c) - mean) * scale;
    put(dx + i, scale * (get(dy + i, c) * get(gain + i, c) - d_mean - normalized * d_scale), c);
  });
}

static void norm_gradients(
    const float *x, float mean, float scale, const float *dy, float *d_gain, float *d_bias, size_t n) {
  EACH(n, {
    vf d = get(dy + i, c);
    put(d_gain + i, get(d_gain + i, c) + d * ((get(x + i, c) - mean) * scale), c);
    put(d_bias + i, get(d_bias + i, c) + d, c);
  });
}

// MARK: dropout

typedef uint64_t vl __attribute__((vector_size(4 * W)));
typedef uint16_t halves __attribute__((vector_size(2 * W)));

/// BLOCKS: the number of counters in a vector, for each of which Philox returns four words. A counter has the low half
/// of 64 bits. The 32 × 32-bit multiplication reads only that half, so the high half may hold anything. CHAINS: the
/// number of vectors, as each one waits for its own multiplications (four are no faster, and compute more unused
/// numbers for a short row). DRAWN: the number of 16-bit numbers in all of them.
enum { BLOCKS = W / 2, CHAINS = 2, DRAWN = 8 * BLOCKS * CHAINS };

/// Philox 4×32-10 (Salmon et al. 2011) for BLOCKS · CHAINS counters from c0 on, four words each, in order, each word in
/// two halves.
INLINE void philox(uint64_t key, const uint32_t *counter, uint32_t c0, uint16_t bits[DRAWN]) {
  vl a[CHAINS], b[CHAINS], c[CHAINS], d[CHAINS];
  const vl none = {0}, low = none + 0xFFFFFFFFu;
  for (int i = 0; i < CHAINS; i++) {
    for (int g = 0; g < BLOCKS; g++) a[i][g] = c0 + (uint32_t)(i * BLOCKS + g);
    b[i] = none + counter[1], c[i] = none + counter[2], d[i] = none + counter[3];
  }
  vl k0 = none + key, k1 = none + (key >> 32);
#pragma clang loop unroll(full)
  for (int round = 0; round < 10; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) {
      const vl p0 = (a[i] & low) * 0xD2511F53u, p1 = (c[i] & low) * 0xCD9E8D57u;
      a[i] = (p1 >> 32) ^ b[i] ^ k0;
      b[i] = p1;
      c[i] = (p0 >> 32) ^ d[i] ^ k1;
      d[i] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < CHAINS; i++) {
    const vl front = (a[i] & low) | (b[i] << 32), back = (c[i] & low) | (d[i] << 32);
    uint64_t pairs[2 * BLOCKS];
#pragma clang loop unroll(full)
    for (int g = 0; g < BLOCKS; g++) pairs[2 * g] = front[g], pairs[2 * g + 1] = back[g];
    memcpy(bits + i * 8 * BLOCKS, pairs, sizeof pairs);
  }
}

static void dropout(
    const float *x, float *y, size_t n, uint64_t key, const uint32_t *counter, uint16_t threshold, float scale) {
  uint16_t bits[DRAWN];
  for (size_t start = 0, block = 0; start < n; start += DRAWN, block += BLOCKS * CHAINS) {
    philox(key, counter, counter[0] + (uint32_t)block, bits);
    const size_t count = n - start < DRAWN ? n - start : DRAWN;
    const float *from = x + start;
    float *to = y + start;
    EACH(count, {
      halves drawn;
      memcpy(&drawn, bits + i, sizeof drawn);
      const vi drops = __builtin_convertvector(drawn, vi) < threshold;
      put(to + i, get(from + i, c) * pick(drops, all(0), all(scale)), c);
    });
  }
}

// MARK: Adam

static uint32_t adam(float *p, float *g, float *m, float *v, size_t n, const mlm_adam *with) {
  vu largest = {0};
  EACH(n, {
    vf gradient = get(g + i, c) * with->scale;
    vf old = get(p + i, c);
    vf moment = get(m + i, c);
    vf variance = get(v + i, c);
    moment += (gradient - moment) * with->keep1;
    variance += (gradient * gradient - variance) * with->keep2;
    vf value = old * with->decay - with->rate * moment / (root(variance) + with->epsilon);
    put(m + i, moment, c);
    put(v + i, variance, c);
    put(p + i, value, c);
    put(g + i, old, c);
    vu before = (vu)old & 0x7FFFFFFFu;
    vu magnitude = (vu)first(value, c) & 0x7FFFFFFFu;
    vu grows = (vu)((magnitude > largest) & (magnitude > before));
    largest = (magnitude & grows) | (largest & ~grows);
  });
  uint32_t result = 0;
  for (int lane = 0; lane < W; lane++) result = largest[lane] > result ? largest[lane] : result;
  return result;
}

const mlm_rows FUNCTIONS = {
    .exponential = exponential,
    .add = add,
    .sum_of_squares = sum_of_squares,
    .gelu = gelu,
    .gelu_backward = gelu_backward,
    .maximum = maximum,
    .sum_of_exponentials = sum_of_exponentials,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .product = product,
    .weighted_sums = weighted_sums,
    .norm = norm,
    .norm_backward = norm_backward,
    .norm_gradients = norm_gradients,
    .dropout = dropout,
    .adam = adam,
};
