/* polygons.c - outlines of a mask for the public API: trace, simplify, collect. */
#include "viz/check.h"
#include "viz/outline.h"

#include "base/memory.h"

#include <stdlib.h>

typedef struct collection {
    mrcnn_polygons polygons;
    size_t room;
    double tolerance;
} collection;

static mrcnn_status make_room(collection *all, mrcnn_error *err) {
    if (all->polygons.count < all->room) return MRCNN_OK;
    size_t room = all->room ? 2 * all->room : 4;
    mrcnn_polygon *larger = mr_realloc(all->polygons.polygons, room, sizeof *larger);
    if (!larger) return mr_fail_memory(err, room * sizeof *larger, "a mask's outlines");
    all->polygons.polygons = larger;
    all->room = room;
    return MRCNN_OK;
}

static mrcnn_status collect(void *context, mr_point *points, size_t count, int hole,
                            mrcnn_error *err) {
    collection *all = context;
    mrcnn_status status = make_room(all, err);
    if (status != MRCNN_OK) return status;
    count = mr_simplify_ring(points, count, all->tolerance);
    float *xy = mr_calloc(2 * count, sizeof *xy);
    if (!xy) return mr_fail_memory(err, 2 * count * sizeof *xy, "an outline");
    for (size_t i = 0; i < count; i++) {
        xy[2 * i] = points[i].x;
        xy[2 * i + 1] = points[i].y;
    }
    all->polygons.polygons[all->polygons.count++] = (mrcnn_polygon){count, xy, hole};
    return MRCNN_OK;
}

mrcnn_status mrcnn_mask_polygons(mrcnn_polygons *polygons, const mrcnn_mask *mask, double tolerance,
                                 mrcnn_error *err) {
    if (!polygons || !mask)
        return mr_fail(err, MRCNN_E_ARGUMENT, "outlines: there is no mask, or nowhere to put them");
    if (!(tolerance >= 0.0))
        return mr_fail(err, MRCNN_E_ARGUMENT, "outlines: tolerance is %g; it must be 0 or more",
                       tolerance);
    mrcnn_status status = mr_check_mask(mask, "outlines", err);
    if (status != MRCNN_OK) return status;
    collection all = {{0, NULL}, 0, tolerance};
    status = mr_trace_mask(mask, collect, &all, err);
    if (status == MRCNN_OK)
        *polygons = all.polygons;
    else
        mrcnn_polygons_free(&all.polygons);
    return status;
}

void mrcnn_polygons_free(mrcnn_polygons *polygons) {
    if (!polygons) return;
    for (size_t i = 0; i < polygons->count; i++) free(polygons->polygons[i].xy);
    free(polygons->polygons);
    *polygons = (mrcnn_polygons){0, NULL};
}
