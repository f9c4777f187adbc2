// Functions that OpenBLAS exports without a declaration, if it is built for several processors.
#include "CKernels.h"

extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

int mlm_openblas_can_choose_again(void) { return gotoblas_dynamic_init && gotoblas_dynamic_quit; }

void mlm_openblas_choose_again(void) {
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
}
