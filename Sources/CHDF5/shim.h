// Debian keeps the header in a folder of the implementation's own; pkg-config adds that folder to the path.
#include <hdf5.h>
