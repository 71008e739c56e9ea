/* scale.h - axes as numbers: from the values there are to a range, round ticks and their labels. Pure
 * arithmetic: knows nothing of drawing. */
#ifndef MR_VIZ_SCALE_H
#define MR_VIZ_SCALE_H

#include <stddef.h>

enum { MR_TICKS = 24, MR_TICK_BYTES = 32, MR_MINOR_TICKS = 64 };

typedef struct mr_scale {
    double low, high; /* of the axis: low < high; both above 0 when it is logarithmic */
    int is_log;
    int count; /* of ticks */
    double ticks[MR_TICKS];
    char labels[MR_TICKS][MR_TICK_BYTES];
    int minor_count; /* between decades */
    double minor[MR_MINOR_TICKS];
} mr_scale;

/* What is known of the values of an axis. Start with mr_extent_start(). */
typedef struct mr_extent {
    double low, high; /* low > high: nothing yet */
    int is_whole;     /* all are whole numbers */
} mr_extent;

mr_extent mr_extent_start(void);
/* 1 if the value can be drawn: it is finite, below 1e300, and above 0 on a logarithmic axis. */
int mr_can_draw(double value, int is_log);
/* Values that can't be drawn change nothing. */
void mr_extent_add(mr_extent *extent, double value, int is_log);

typedef struct mr_scale_options {
    int is_log;
    int keep;   /* the axis is exactly the extent */
    int zero;   /* 0 must be on it */
    double pad; /* share of the range to add at both ends */
    int ticks;  /* at most so many, 2 .. MR_TICKS */
} mr_scale_options;

/* An axis for the values: nothing gives 0 .. 1 (or 0.1 .. 1), a single value a range around it. */
void mr_scale_choose(mr_scale *scale, const mr_extent *extent, const mr_scale_options *options);

/* Where a value lies, from 0 (low) to 1 (high), or outside. */
double mr_scale_at(const mr_scale *scale, double value);

#endif
