/* paper.h - where charts and grids are drawn: a picture, an SVG or a PDF file, made in memory and then
 * written whole or not at all. Knows nothing of what is drawn. */
#ifndef MR_VIZ_PAPER_H
#define MR_VIZ_PAPER_H

#include "base/error.h"

/* What is drawn with (ink.h); without cairo it stays a name. */
typedef struct mr_ink mr_ink;

typedef struct mr_paper {
    double width, height; /* points */
    double scale;         /* pixels a point, in a picture */
    int dark;
    /* Draws in points, y down. Errors of cairo itself are seen by the caller. */
    mrcnn_status (*draw)(void *context, const mr_ink *ink, mrcnn_error *err);
    void *context;
} mr_paper;

/* By the path's extension. `what` begins messages: "the chart". Without cairo MRCNN_E_UNSUPPORTED. */
mrcnn_status mr_paper_write(const mr_paper *paper, const char *path, const char *what,
                            mrcnn_error *err);
mrcnn_status mr_paper_svg(const mr_paper *paper, char **svg, size_t *length, const char *what,
                          mrcnn_error *err);

/* The error of a build without cairo. */
mrcnn_status mr_fail_no_cairo(const char *what, mrcnn_error *err);

#endif
