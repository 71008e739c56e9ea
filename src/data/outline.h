/* outline.h - the numbers of an outline while annotations are read, and what makes a polygon one
 * that has an area. Knows no format. */
#ifndef MR_DATA_OUTLINE_H
#define MR_DATA_OUTLINE_H

#include <stddef.h>

/* Start with {0} and use it again for the next outline. */
typedef struct mr_numbers {
    double *values;
    size_t count, room;
} mr_numbers;

/* 0: no memory. */
int mr_numbers_add(mr_numbers *numbers, double value);

/* 1 when `count` points (x, y) make no polygon with an area; `why` says why. */
int mr_polygon_has_fault(const double *xy, size_t count, char *why, size_t room);

#endif
