/* annotate.h - outlines, boxes and captions over a picture: what needs cairo. */
#ifndef MR_VIZ_ANNOTATE_H
#define MR_VIZ_ANNOTATE_H

#include "viz/color.h"

/* Draws what `options` ask for over `canvas`; colors[i] is for instance i. The result has been
 * checked (mr_check_drawing). Without cairo anything but nothing is MRCNN_E_UNSUPPORTED. */
mrcnn_status mr_annotate(mrcnn_image *canvas, const mrcnn_result *result,
                         const mrcnn_draw_options *options, const mr_color *colors,
                         mrcnn_error *err);

#endif
