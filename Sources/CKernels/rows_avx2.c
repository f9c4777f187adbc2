#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#pragma clang fp contract(fast)
// Two registers for each vector: sums then have the same order as with AVX-512.
#define W 16
#define PRODUCT_ROWS 6
#define FUNCTIONS mlm_rows_avx2
// Every function that takes a vector is inlined.
#pragma clang diagnostic ignored "-Wpsabi"
#include "rows_template.h"
#pragma clang attribute pop
#endif
