// Products in reduced precision with AMX.
#if defined(__x86_64__)
#include "reduced_gemm.h"

const mlm_reduced_kernel mlm_int8_amx, mlm_bfloat16_amx;
#endif
