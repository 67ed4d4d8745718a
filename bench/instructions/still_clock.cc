// For programs that are not ours: see still_clock.h.
#include "still_clock.h"
