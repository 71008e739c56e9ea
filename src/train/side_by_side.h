/* side_by_side.h - one picture twice, to see in TensorBoard what a training has come to: with the
 * objects that are there, and right of it or below with what was found. */
#ifndef MR_TRAIN_SIDE_BY_SIDE_H
#define MR_TRAIN_SIDE_BY_SIDE_H

#include "data/data.h"

enum { MR_SIDE_BY_SIDE_MOST = 640 }; /* pixels a side of both together */

typedef struct mr_side_by_side {
    const mr_dataset *set;
    size_t picture;            /* of the set */
    const mrcnn_image *image;  /* that picture */
    const mrcnn_result *found; /* in it */
    double confidence;         /* detections below are not shown */
} mr_side_by_side;

/* An RGB PNG, malloc'ed. Both are drawn by mrcnn_draw_instances in the colours of classes, and shrunk,
 * or enlarged up to four times, before that; without cairo only masks are drawn. */
mrcnn_status mr_side_by_side_png(uint8_t **png, size_t *length, int32_t *height, int32_t *width,
                                 const mr_side_by_side *what, mrcnn_error *err);

#endif
