/* pen.h - what the parts of annotate.c share: the cairo context and sizes that grow with the
 * picture. */
#ifndef MR_VIZ_PEN_H
#define MR_VIZ_PEN_H

#ifdef MRCNN_WITH_CAIRO

#include "viz/color.h"

#include <mrcnn/draw.h>

#include <cairo.h>

typedef struct mr_pen {
    cairo_t *cairo;
    double width, height; /* of the picture */
    double line;          /* pixels */
    double font;          /* pixels */
} mr_pen;

typedef struct mr_rectangle {
    double x1, y1, x2, y2;
} mr_rectangle;

/* Draws with a pen over a picture, which is changed if that succeeds. */
typedef mrcnn_status (*mr_drawer)(const mr_pen *pen, void *context, mrcnn_error *err);
mrcnn_status mr_draw_on_canvas(mrcnn_image *canvas, mr_drawer draw, void *context,
                               mrcnn_error *err);

mr_rectangle mr_box_of(const mrcnn_instance *instance);

/* The part of a box that lies in the picture; 0 if there is none. */
int mr_visible_box(const mr_pen *pen, mr_rectangle box, mr_rectangle *visible);

typedef struct mr_stroke {
    mr_color color;
    double alpha;
    mrcnn_line line;
} mr_stroke;

/* Contours are solid whatever the stroke's line is. */
mrcnn_status mr_draw_contour(const mr_pen *pen, const mrcnn_mask *mask, mr_stroke stroke,
                             mrcnn_error *err);
void mr_draw_box(const mr_pen *pen, mr_rectangle box, mr_stroke stroke);

/* What a caption says: an instance's name and score ("person 0.998"), or a text. */
typedef struct mr_caption {
    mr_rectangle box; /* beside or in which it stands */
    mr_color color;
    const mrcnn_instance *instance; /* or NULL, and then the text */
    const int32_t *id;              /* of the instance ("person #3 0.998"); NULL: none */
    const char *text;               /* NULL: no caption */
} mr_caption;

/* Each caption whose box is visible, unless not even its shortest form fits into the picture. The first
 * ones choose their places first, and lie above. */
mrcnn_status mr_draw_captions(const mr_pen *pen, const mr_caption *captions, size_t count,
                              mrcnn_error *err);

#endif
#endif
