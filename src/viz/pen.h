/* pen.h - what the parts of annotate.c share: the cairo context and sizes that grow with the
 * picture. */
#ifndef MR_VIZ_PEN_H
#define MR_VIZ_PEN_H

#ifdef MRCNN_WITH_CAIRO

#include "viz/color.h"

#include <cairo.h>

typedef struct mr_pen {
    cairo_t *cairo;
    double width, height; /* of the picture */
    double line;          /* pixels */
    double font;          /* pixels */
} mr_pen;

/* x1 < x2 and y1 < y2 inside the picture. */
typedef struct mr_rectangle {
    double x1, y1, x2, y2;
} mr_rectangle;

/* The part of the instance's box that lies in the picture; 0 if there is none. */
int mr_visible_box(const mr_pen *pen, const mrcnn_instance *instance, mr_rectangle *box);

mrcnn_status mr_draw_contour(const mr_pen *pen, const mrcnn_mask *mask, mr_color color,
                             mrcnn_error *err);
void mr_draw_box(const mr_pen *pen, const mrcnn_instance *instance, mr_color color);

/* "person 0.998" for each instance whose box is visible, unless not even the shortest form fits
 * into the picture; with `ids` (NULL: none) "person #3 0.998". */
mrcnn_status mr_draw_captions(const mr_pen *pen, const mrcnn_result *result, const int32_t *ids,
                              const mr_color *colors, mrcnn_error *err);

#endif
#endif
