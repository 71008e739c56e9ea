/* levels.h - from the values of 16-bit and floating-point files to the 256 levels of a picture in
 * memory. */
#ifndef MR_IMAGE_LEVELS_H
#define MR_IMAGE_LEVELS_H

#include <stddef.h>
#include <stdint.h>

/* A range of values cut into 256 equal steps; what lies outside has the first or the last level. */
typedef struct mr_levels {
    double low, span;
} mr_levels;

/* The range from low to high. Whole numbers from low to high are high - low + 1 values: 0 to 65535
 * gives a 16-bit number's upper byte, and 0 to 4095 the upper 8 of 12 bits. */
mr_levels mr_levels_of_whole(double low, double high);
mr_levels mr_levels_of_real(double low, double high);

/* NaN, which is how depth maps say "nothing measured", has level 0. */
static inline uint8_t mr_level(const mr_levels *levels, double value) {
    double level = (value - levels->low) * 256.0 / levels->span;
    return level >= 255.0 ? 255 : level > 0.0 ? (uint8_t)level : 0;
}

/* `count` big-endian 16-bit numbers become as many bytes, at the beginning of the same memory. */
void mr_levels_from_big_endian(uint8_t *samples, size_t count, const mr_levels *levels);

#endif
