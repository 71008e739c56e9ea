/* bf16.h - bfloat16: the upper half of a float, 8 bits of exponent and 7 of fraction. Networks compute
 * in it (their sums stay float); weights are kept in half.h's format. */
#ifndef MR_BASE_BF16_H
#define MR_BASE_BF16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t mr_bf16;

/* The nearest one, of two equally near ones the even one; what rounds past the largest is infinite, and
 * NaN stays NaN. In a header and without branches so that loops over it become vectors. */
static inline mr_bf16 mr_bf16_from_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16, quiet = bits >> 16 | 0x40u;
    return (mr_bf16)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

/* Exactly. */
static inline float mr_bf16_to_float(mr_bf16 value) {
    uint32_t bits = (uint32_t)value << 16;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

/* Whole lines. */
void mr_bf16_from_floats(const float *from, mr_bf16 *to, size_t count);
void mr_bf16_to_floats(const mr_bf16 *from, float *to, size_t count);

/* 1 when this processor multiplies in it (AVX-512 BF16). */
int mr_bf16_is_native(void);

#endif
