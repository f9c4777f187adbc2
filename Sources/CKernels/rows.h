#ifndef MLM_ROWS_H
#define MLM_ROWS_H

#include "CKernels.h"

/// The same source for each instruction set.
extern const mlm_rows mlm_rows_baseline, mlm_rows_avx2, mlm_rows_avx512;

#endif
