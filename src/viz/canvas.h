/* canvas.h - the pictures that this room makes. */
#ifndef MR_VIZ_CANVAS_H
#define MR_VIZ_CANVAS_H

#include "base/error.h"

/* An RGB picture of `like`'s size; its pixels are not set. Free it with mrcnn_image_free or
 * free(). */
mrcnn_status mr_canvas_like(mrcnn_image *canvas, const mrcnn_image *like, mrcnn_error *err);

/* Bytes of a checked picture. */
size_t mr_canvas_bytes(const mrcnn_image *image);

#endif
