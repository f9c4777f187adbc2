#if defined(__x86_64__)
#pragma clang attribute push(                                                      \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#pragma clang fp contract(fast)
#define W 16
#define PRODUCT_ROWS 12
#define FUNCTIONS mlm_rows_avx512
#include "rows_template.h"
#pragma clang attribute pop
#endif
