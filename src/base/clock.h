/* clock.h - a monotonic clock for measuring. */
#ifndef MR_BASE_CLOCK_H
#define MR_BASE_CLOCK_H

double mr_milliseconds(void);

#endif
