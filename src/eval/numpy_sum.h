/* numpy_sum.h - sums in numpy's order, so that means are numpy's to the last bit. */
#ifndef MR_EVAL_NUMPY_SUM_H
#define MR_EVAL_NUMPY_SUM_H

#include <stddef.h>

double mr_numpy_sum(const double *values, size_t count);

/* -1 of no values. */
double mr_numpy_mean(const double *values, size_t count);

#endif
