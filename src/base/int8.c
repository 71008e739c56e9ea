/* int8.c - see int8.h. */
#include "base/int8.h"

#include <float.h>
#include <math.h>

int mr_int8_scale_is_sane(float scale) {
    return scale > 0 && MR_INT8_MOST * (double)scale <= FLT_MAX;
}

/* The largest size of filter k's values; NaN or infinite if one of them is. */
static float largest_of(const float *values, const mr_filters *filters, size_t k) {
    float largest = 0;
    for (size_t o = 0; o < filters->outer; o++) {
        const float *row = values + (o * filters->count + k) * filters->inner;
        for (size_t i = 0; i < filters->inner; i++) {
            float size = fabsf(row[i]);
            if (!(size <= FLT_MAX)) return size;
            if (size > largest) largest = size;
        }
    }
    return largest;
}

int mr_int8_scales(float *scales, const float *values, const mr_filters *filters) {
    for (size_t k = 0; k < filters->count; k++) {
        float largest = largest_of(values, filters, k);
        scales[k] = largest == 0 ? 1 : largest / MR_INT8_MOST;
        if (!mr_int8_scale_is_sane(scales[k]) || scales[k] < FLT_MIN) return 0;
    }
    return 1;
}

/* In double, because a quotient of floats may round to the middle between two integers where it isn't. */
void mr_int8_from_floats(int8_t *numbers, const float *values, const float *scales,
                         const mr_filters *filters) {
    for (size_t o = 0; o < filters->outer; o++)
        for (size_t k = 0; k < filters->count; k++)
            for (size_t i = 0; i < filters->inner; i++)
                *numbers++ = (int8_t)lrint((double)*values++ / (double)scales[k]);
}

/* In this order: what is written has been read. */
void mr_int8_to_floats(float *values, const int8_t *numbers, const float *scales,
                       const mr_filters *filters) {
    for (size_t o = 0; o < filters->outer; o++)
        for (size_t k = 0; k < filters->count; k++)
            for (size_t i = 0; i < filters->inner; i++) *values++ = (float)*numbers++ * scales[k];
}
