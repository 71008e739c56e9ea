/* numpy_sum.c - see numpy_sum.h. */
#include "eval/numpy_sum.h"

/* Eight partial sums in blocks of up to 128 numbers, and halves of longer arrays added up. */
double mr_numpy_sum(const double *values, size_t count) {
    enum { LANES = 8, BLOCK = 128 };
    double total = 0, lanes[LANES];
    size_t i;
    if (count > BLOCK) {
        size_t half = count / 2 - count / 2 % LANES;
        return mr_numpy_sum(values, half) + mr_numpy_sum(values + half, count - half);
    }
    if (count >= LANES) {
        for (i = 0; i < LANES; i++) lanes[i] = values[i];
        for (; i < count - count % LANES; i++) lanes[i % LANES] += values[i];
        total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
                ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    }
    for (i = count - count % LANES; i < count; i++) total += values[i];
    return total;
}

double mr_numpy_mean(const double *values, size_t count) {
    return count ? mr_numpy_sum(values, count) / (double)count : -1;
}
