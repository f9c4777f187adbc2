// y = x·Wᵀ for few rows of x, where OpenBLAS spends its time packing: the weights are read once from memory, in the order they
// lie in, and used for all rows.
//
// Every element is added up as OpenBLAS does it (Goto and van de Geijn 2008): fused multiply-adds in the order of the inner
// dimension, in blocks whose sums are added to y. So a row's result is the same to the last bit whichever of the two
// computes it.
#ifndef MLM_FEW_ROWS_H
#define MLM_FEW_ROWS_H

#include "CKernels.h"

/// Columns [begin, end) of the product, by one instruction set. AVX2 has three: for up to TURNED_ROWS rows, for more, and for weights
/// packed in panels.
typedef void mlm_few_rows_function(
    const mlm_few_rows *product, size_t begin, size_t end, const float *following, float *scratch);
extern mlm_few_rows_function mlm_few_rows_avx2, mlm_few_rows_turned_avx2, mlm_few_rows_panels_avx2, mlm_few_rows_avx512;
enum { TURNED_ROWS = 4 };
/// Writes x where these expect it, packed, into the scratch memory.
typedef void mlm_few_rows_packer(const mlm_few_rows *product, float *scratch);
extern mlm_few_rows_packer mlm_few_rows_pack_avx2, mlm_few_rows_panels_pack_avx2, mlm_few_rows_pack_avx512;
/// The floats of scratch memory that each needs; mlm_few_rows_unit.
typedef size_t mlm_few_rows_sizer(const mlm_few_rows *product);
extern mlm_few_rows_sizer mlm_few_rows_scratch_avx2, mlm_few_rows_turned_scratch_avx2, mlm_few_rows_panels_scratch_avx2,
    mlm_few_rows_scratch_avx512;
extern mlm_few_rows_sizer mlm_few_rows_unit_avx2, mlm_few_rows_panels_unit_avx2, mlm_few_rows_unit_avx512;

void mlm_pack_panels_avx2(const float *w, size_t w_stride, size_t begin, size_t end, size_t inner, float *panels);

/// Which rows of each 12 OpenBLAS' Haswell kernel adds up in its other order at column j of n, a multiple of 8: 1 for rows 0 to 5, 2 for
/// rows 6 to 11. It takes the first eight columns of a panel so for the former, and the last eight for whichever half they are left
/// over in.
int mlm_edge_rows(size_t j, size_t n);

/// Computes once more what of columns [begin, end) lies at an edge of OpenBLAS' panels, in its order there: a fortieth of all, or
/// nothing where edges are as the rest (mlm_order.splits_edges). begin is a multiple of 8.
void mlm_few_rows_edges(const mlm_few_rows *product, size_t begin, size_t end, float *scratch);
/// The floats of scratch memory that it needs.
enum { EDGES_SCRATCH = 8 * MLM_LARGEST_BLOCK };

/// Whether the processor multiplies 512 bits in two halves, as Zen 4 does: by what it says of its data paths.
int mlm_multiplies_in_halves(void);

#define INLINE static inline __attribute__((always_inline))

/// The weights to fetch while the columns from j on are computed, `step` of them: the next columns', or what follows. Where nothing
/// does, what is there already is asked for again, which costs nothing.
static inline const float *ahead_of(const mlm_few_rows *p, size_t j, size_t step, size_t end, const float *following) {
  if (j + step < end) return p->w + (j + step) * p->w_stride;
  return following ? following : p->w + j * p->w_stride;
}

/// What the sums over the block of the inner dimension that begins at `block` are added to besides y, for the columns from j on: the
/// bias, in the first block; else NULL.
INLINE const float *bias_of_block(const mlm_few_rows *p, size_t j, size_t block) {
  return block == 0 && p->bias ? p->bias + j : NULL;
}

/// The bias of some columns, which is needed at the end of their first block: without this, each group waits for memory there (1.5 % of a
/// line's time).
INLINE void prefetch_bias(const mlm_few_rows *p, size_t j, size_t columns) {
  if (!p->bias) return;
  const char *end = (const char *)(p->bias + j + columns);
  for (const char *line = (const char *)(p->bias + j); line < end; line += 64) __builtin_prefetch(line);
}

#endif
