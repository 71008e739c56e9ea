/* int8.h - numbers as 8-bit integers with a scale for each filter: w = q * scale, q from -127 to 127. Knows
 * neither files nor layers.
 */
#ifndef MR_BASE_INT8_H
#define MR_BASE_INT8_H

#include <stddef.h>
#include <stdint.h>

enum { MR_INT8_MOST = 127 };

/* Numbers in three axes, of which the middle one counts the filters. */
typedef struct mr_filters {
    size_t outer, count, inner;
} mr_filters;

/* Whether every q times it is a finite number, and it a positive one. */
int mr_int8_scale_is_sane(float scale);

/* The largest |w| of each filter / 127; 1 for a filter of zeros. Returns 0 when there is a filter that integers
 * can't stand for: with a value that isn't finite, or of a scale that would be subnormal. */
int mr_int8_scales(float *scales, const float *values, const mr_filters *filters);

/* The nearest integers to w / scale, of two equally near ones the even one. */
void mr_int8_from_floats(int8_t *numbers, const float *values, const float *scales,
                         const mr_filters *filters);

/* Rounding again what came back gives the same integers, and so does that times a positive number for each
 * filter (times a negative one: with the other sign), as long as the largest of a filter is 127: the
 * quotients move by less than 1e-4. `numbers` may be the last quarter of the bytes of `values`. */
void mr_int8_to_floats(float *values, const int8_t *numbers, const float *scales,
                       const mr_filters *filters);

#endif
