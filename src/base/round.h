/* round.h - the nearest integer, of two equally near ones the even one, in a way that compilers make vectors of. */
#ifndef MR_BASE_ROUND_H
#define MR_BASE_ROUND_H

#include <stdint.h>
#include <string.h>

/* For |x| up to 2^22: a sum with 1.5 * 2^23 has no room for fractions, and the integer in its last bits. */
static inline int32_t mr_round(float x) {
    float sum = x + 12582912.0f, zero = 12582912.0f;
    int32_t bits, offset;
    memcpy(&bits, &sum, sizeof bits);
    memcpy(&offset, &zero, sizeof offset);
    return bits - offset;
}

#endif
