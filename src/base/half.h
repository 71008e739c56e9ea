/* half.h - IEEE half precision: sign, 5 bits of exponent, 10 of fraction. Weights are kept in it, not
 * computed with.
 */
#ifndef MR_BASE_HALF_H
#define MR_BASE_HALF_H

#include <stdint.h>

/* The range in which a half keeps 11 bits of a value; below it, multiples of 2^-24 are left. */
#define MR_HALF_LEAST 0x1p-14f
#define MR_HALF_MOST 65504.0f

/* The nearest half, of two equally near ones the even one. |value| is at most MR_HALF_MOST. */
uint16_t mr_half_from_float(float value);

/* Exactly; infinities and NaN, too. */
float mr_half_to_float(uint16_t half);

#endif
