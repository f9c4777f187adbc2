#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#pragma clang fp contract(fast)
#define W 8
#define FUNCTIONS mlm_rows_avx2
#include "rows_template.h"
#pragma clang attribute pop
#endif
