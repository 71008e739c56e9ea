/* bilinear.h - the sample positions of skimage's bilinear rule (NUMERICS N3) along one axis, shared
 * by pictures and masks. */
#ifndef MR_IMAGE_BILINEAR_H
#define MR_IMAGE_BILINEAR_H

#include <stdint.h>

/* One output sample: value = line[lower] * weight_lower + line[lower + 1] * weight_upper, where
 * `line` has one element more at either end than the input: zeros for N3. */
typedef struct mr_tap {
    int32_t lower;
    double weight_lower, weight_upper;
} mr_tap;

/* Taps for the `out` samples at `first`, first + step, ... of an axis of `in` (0 is its first value);
 * outside there is the first or the last value. malloc'ed; NULL: no memory. */
mr_tap *mr_bilinear_taps_at(int in, int out, double first, double step);

/* Taps for all `out` samples of an axis of `in`; malloc'ed. NULL: no memory. */
mr_tap *mr_bilinear_taps(int in, int out);

#endif
