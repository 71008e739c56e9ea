/* marks.h - marks over a canvas, for the pictures that are made of them. */
#ifndef MR_VIZ_MARKS_H
#define MR_VIZ_MARKS_H

#include "base/error.h"

#include <mrcnn/draw.h>

/* Draws checked marks over an RGB canvas; without cairo only masks can be drawn. */
mrcnn_status mr_draw_marks(mrcnn_image *canvas, const mrcnn_mark *marks, size_t count,
                           mrcnn_error *err);

#endif
