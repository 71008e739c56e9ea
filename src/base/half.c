/* half.c - see half.h. By hand: HDF5's own conversion (1.10) forgets the carry, so that what rounds up to
 * a power of two becomes half of it.
 */
#include "base/half.h"

#include <math.h>
#include <string.h>

enum { FRACTION_BITS = 13 };             /* that a float has more */
static const uint32_t bias = 112u << 23; /* by which a float's exponent is larger, in its place */
static const uint32_t infinity = 255u << 23;

uint16_t mr_half_from_float(float value) {
    uint32_t bits, half;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
    if (fabsf(value) < MR_HALF_LEAST) {
        half = (uint32_t)lrintf(fabsf(value) * 0x1p24f);
    } else {
        /* Just under half of a unit, and one more for odd ones; a carry goes on into the exponent. */
        uint32_t up = (1u << (FRACTION_BITS - 1)) - 1 + (size >> FRACTION_BITS & 1);
        half = (size - bias + up) >> FRACTION_BITS;
    }
    return (uint16_t)(sign | half);
}

float mr_half_to_float(uint16_t half) {
    uint32_t size = half & 0x7fffu, bits = (size << FRACTION_BITS) + bias;
    float value;
    if (size < 0x400) {
        value = (float)size * 0x1p-24f;
    } else {
        if (size >= 0x7c00) bits = infinity | (size & 0x3ffu) << FRACTION_BITS;
        memcpy(&value, &bits, sizeof value);
    }
    return half & 0x8000u ? -value : value;
}
