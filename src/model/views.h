/* views.h - the views in which a picture is looked at (TEST_FLIPS, TEST_SCALES, TILE_SIZE): a view is a
 * window of the picture, one of the eight symmetries of the square, and a scale. Geometry alone: how
 * windows tile a picture, and the way into a view and back. */
#ifndef MR_MODEL_VIEWS_H
#define MR_MODEL_VIEWS_H

#include "model/detections.h"

typedef struct mr_view {
    int32_t window[4]; /* y1 x1 y2 x2, of the picture */
    int orientation;   /* the window is turned as EXIF's orientation of that number asks, 1 .. 8 */
    mr_fit fit;        /* of the turned window into the network's input */
} mr_view;

/* 1 unless the picture as it is, once, is all. */
int mr_wants_views(const mr_settings *settings, int height, int width);

/* Windows along a side of the picture: all of one length, from the first pixel to the last, evenly
 * spread, with TILE_OVERLAP or more in common. */
int32_t mr_tile_count(const mr_settings *settings, int32_t side);
void mr_tile_span(const mr_settings *settings, int32_t side, int32_t index, int32_t span[2]);

/* Views of each window: orientations of a scale together, scale by scale. */
int mr_view_count(const mr_settings *settings);
mrcnn_status mr_view_make(mr_view *view, const int32_t window[4], int index,
                          const mr_settings *settings, mrcnn_error *err);

/* Network sizes that the views of a picture need at a time, at most. */
int mr_view_sizes(const mr_settings *settings);

/* The view's pixels, to be freed with mrcnn_image_free. */
mrcnn_status mr_view_cut(mrcnn_image *cut, const mr_view *view, const mrcnn_image *image,
                         mrcnn_error *err);

/* A box of the view, in its pixels, as one of the picture. */
void mr_view_restore_box(const mr_view *view, const int32_t box[4], int32_t out[4]);
/* A spot of the view as one of the picture. */
void mr_view_restore_spot(const mr_view *view, const mr_spot *spot, mr_spot *out);
/* What the mask head says of that box (side x side), as it lies in the picture. */
void mr_view_restore_mask(const mr_view *view, const float *small, int side, float *out);

#endif
