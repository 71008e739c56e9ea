/* coco_raster.h - polygons as pycocotools fills them, straight to run lengths. Its rule differs from
 * skimage's (raster.h): an outline is followed on a grid five times as fine as the pixels, and where it
 * passes the middle of a column the column changes between outside and inside. */
#ifndef MR_DATA_COCO_RASTER_H
#define MR_DATA_COCO_RASTER_H

#include <mrcnn/mrcnn.h>

/* The union of `count` polygons: xy has points[0] pairs (x, y), then points[1], ... The last point
 * is joined with the first. Polygons of fewer than three points cover nothing. Coordinates may be any
 * numbers; beyond +-2^26 they count as +-2^26. Takes two bits of memory for each pixel of the columns
 * that are touched. */
mrcnn_status mr_coco_fill(mrcnn_mask *mask, const double *xy, const size_t *points, size_t count,
                          int32_t height, int32_t width, mrcnn_error *err);

#endif
