// Functions that OpenBLAS exports without declaring them, where it is built for many processors at once.
#include "CKernels.h"

extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

int mlm_openblas_can_choose_again(void) { return gotoblas_dynamic_init && gotoblas_dynamic_quit; }

void mlm_openblas_choose_again(void) {
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
}
