/* report_limits.h - what the stages of a detection have to multiply, and how long non-maximum suppression takes alone. */
#ifndef BENCH_REPORT_LIMITS_H
#define BENCH_REPORT_LIMITS_H

#include "report.h"

#include <stddef.h>

typedef struct limit {
    char stage[32];
    double gflop; /* of the plain algorithm */
    double least; /* with a quarter of the multiplications where Winograd's F(4x4, 3x3) is used */
} limit;

typedef struct limits {
    size_t count;
    limit items[16];
} limits;

/* Of the report's backbone, size and settings (stage_limits knows). 0, or -1 with a reason. */
int limits_find(limits *found, const report *r, char *reason, size_t room);
/* NULL: nothing is multiplied there. */
const limit *limits_of(const limits *found, const char *stage);

/* Milliseconds, the median of some runs, in which one thread chooses 1,000 of 6,000 boxes in falling order of score
 * (IoU 0.7). They lie in heaps, as those of a trained RPN do; `looked_at` is how many it had to see. */
double limits_time_nms(int *looked_at, int *kept);

#endif
