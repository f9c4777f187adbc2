// Products in reduced precision with AVX-512: VNNI for int8, AVX512_BF16 or widened numbers for bfloat16; and AVX-VNNI,
// the same for processors without AVX-512.
#if defined(__x86_64__)
#include "reduced_gemm.h"

const mlm_reduced_kernel mlm_int8_avx_vnni, mlm_int8_avx512_vnni, mlm_bfloat16_avx512, mlm_bfloat16_avx512_bf16;
#endif
