/* levels.c - see levels.h. */
#include "image/levels.h"

mr_levels mr_levels_of_whole(double low, double high) {
    return (mr_levels){low, high - low + 1.0};
}

mr_levels mr_levels_of_real(double low, double high) {
    return (mr_levels){low, high - low};
}

void mr_levels_from_big_endian(uint8_t *samples, size_t count, const mr_levels *levels) {
    for (size_t i = 0; i < count; i++)
        samples[i] = mr_level(levels, samples[2 * i] << 8 | samples[2 * i + 1]);
}
