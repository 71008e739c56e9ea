/* outline.h - the boundary of a mask as closed rings of corner points, straight from its runs. */
#ifndef MR_VIZ_OUTLINE_H
#define MR_VIZ_OUTLINE_H

#include "base/error.h"

typedef struct mr_point {
    float x, y;
} mr_point;

/* Called once a ring; `points` may be changed but not kept. Returning anything but MRCNN_OK stops
 * the tracing with that status. */
typedef mrcnn_status (*mr_ring_visitor)(void *context, mr_point *points, size_t count, int hole,
                                        mrcnn_error *err);

/* Traces a checked mask (mr_check_mask). Rings run along pixel edges and hold corners only, outer
 * ones clockwise on the screen (y down), holes counter-clockwise: the mask is always to the right.
 * Pixels that touch at a corner only belong to different parts (4-connectivity). */
mrcnn_status mr_trace_mask(const mrcnn_mask *mask, mr_ring_visitor visit, void *context,
                           mrcnn_error *err);

/* Douglas-Peucker on a ring, in place; returns how many points stay, at least 3 of them. No point
 * that goes was further than `tolerance` from the line that replaces it. */
size_t mr_simplify_ring(mr_point *points, size_t count, double tolerance);

#endif
