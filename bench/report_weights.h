/* report_weights.h - weights in 8 bits, made for a question and removed after it. */
#ifndef BENCH_REPORT_WEIGHTS_H
#define BENCH_REPORT_WEIGHTS_H

#include "report.h"

#include <stddef.h>

/* Quantizes a weight file or name, looking at the pictures of a folder, into `path`. 0, or -1 with a reason. */
int weights_quantize(const char *path, const char *weights, const char *pictures, char *reason,
                     size_t room);
/* The same for fresh weights of 81 classes and the report's backbone, on a picture of noise: their speed is that of trained
 * ones. */
int weights_quantize_fresh(const report *r, const char *path, char *reason, size_t room);

#endif
