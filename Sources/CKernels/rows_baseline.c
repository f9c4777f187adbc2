// The instructions that every processor of the platform supports.
#define W 4
#define PRODUCT_ROWS 6
#define FUNCTIONS mlm_rows_baseline
#include "rows_template.h"
