/* convert.h - decoded frames as upright RGB pictures of one size. */
#ifndef MR_VIDEO_CONVERT_H
#define MR_VIDEO_CONVERT_H

#ifdef MRCNN_WITH_VIDEO

#include "video/color.h"

typedef struct mr_converter {
    int width, height; /* of what comes out, before it is turned */
    int orientation;   /* 1 to 8, as EXIF's: what has to be undone */
    struct SwsContext *sws;
    uint8_t *flat; /* the picture before it is turned */
} mr_converter;

/* Sets the size and orientation; of a hostile size the converter refuses more than `max_pixels`. */
mrcnn_status mr_converter_start(mr_converter *converter, const AVFrame *first, int orientation,
                                int64_t max_pixels, const char *name, mrcnn_error *err);

/* Into image->pixels, which are made when they are not there in the right size, with some bytes of
 * room behind them. */
mrcnn_status mr_converter_run(mr_converter *converter, const AVFrame *frame, mrcnn_image *image,
                              const char *name, mrcnn_error *err);
void mr_converter_stop(mr_converter *converter);

/* EXIF's number for a display matrix: turns by quarters, and mirrored; 1 for anything else. */
int mr_orientation_of_matrix(const int32_t *matrix);

#endif
#endif
