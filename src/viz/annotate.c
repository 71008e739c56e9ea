/* annotate.c - carries the picture into a cairo surface and back; see annotate.h. */
#include "viz/annotate.h"

#include "viz/pen.h"

#ifdef MRCNN_WITH_CAIRO

#include "base/memory.h"
#include "viz/surface.h"

#include <math.h>
#include <stdlib.h>

/* The most that an image surface of cairo can be wide or high. */
enum { CAIRO_SIDE_MAX = 32767 };

static mr_pen make_pen(cairo_t *cairo, const mrcnn_image *canvas) {
    double side = sqrt((double)canvas->width * canvas->height);
    mr_pen pen = {cairo, canvas->width, canvas->height, fmax(1.0, side / 320.0),
                  fmax(10.0, side / 48.0)};
    return pen;
}

mrcnn_status mr_draw_on_canvas(mrcnn_image *canvas, mr_drawer draw, void *context,
                               mrcnn_error *err) {
    if (canvas->width > CAIRO_SIDE_MAX || canvas->height > CAIRO_SIDE_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "the picture is %d x %d; contours, boxes and captions can be drawn up to "
                       "%d pixels a side: draw the masks alone",
                       canvas->width, canvas->height, CAIRO_SIDE_MAX);
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, canvas->width, canvas->height);
    cairo_t *cairo = cairo_create(surface); /* one in error if the surface is */
    mrcnn_status status = MRCNN_OK;
    if (cairo_status(cairo) == CAIRO_STATUS_SUCCESS) {
        mr_pen pen = make_pen(cairo, canvas);
        mr_surface_from_image(surface, canvas);
        cairo_set_antialias(cairo, CAIRO_ANTIALIAS_FAST); /* a third of the time of the default */
        status = draw(&pen, context, err);
    }
    if (status == MRCNN_OK && cairo_status(cairo) != CAIRO_STATUS_SUCCESS)
        status = mr_fail(err, MRCNN_E_MEMORY, "cairo can't draw on the picture: %s",
                         cairo_status_to_string(cairo_status(cairo)));
    if (status == MRCNN_OK) mr_surface_to_image(canvas, surface);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return status;
}

typedef struct annotation {
    const mrcnn_result *result;
    const mrcnn_draw_options *options;
    const mr_color *colors;
} annotation;

static mrcnn_status draw_captions(const mr_pen *pen, const annotation *job, mrcnn_error *err) {
    size_t count = job->result->count;
    mr_caption *captions = mr_calloc(count, sizeof *captions);
    if (!captions) return mr_fail_memory(err, count * sizeof *captions, "captions");
    for (size_t i = 0; i < count; i++) {
        const mrcnn_instance *instance = &job->result->instances[i];
        captions[i].box = mr_box_of(instance);
        captions[i].color = job->colors[i];
        captions[i].instance = instance;
        if (job->options->ids) captions[i].id = &job->options->ids[i];
    }
    mrcnn_status status = mr_draw_captions(pen, captions, count, err);
    free(captions);
    return status;
}

/* Best last, so that what is sure lies above what is not. */
static mrcnn_status draw_all(const mr_pen *pen, void *context, mrcnn_error *err) {
    const annotation *job = context;
    mrcnn_status status = MRCNN_OK;
    for (size_t i = job->result->count; i-- > 0 && status == MRCNN_OK;) {
        const mrcnn_instance *instance = &job->result->instances[i];
        mr_stroke stroke = {job->colors[i], 1.0, MRCNN_LINE_DASHED};
        if (job->options->contours) status = mr_draw_contour(pen, &instance->mask, stroke, err);
        if (job->options->boxes) mr_draw_box(pen, mr_box_of(instance), stroke);
    }
    if (status == MRCNN_OK && job->options->captions) status = draw_captions(pen, job, err);
    return status;
}

mrcnn_status mr_annotate(mrcnn_image *canvas, const mrcnn_result *result,
                         const mrcnn_draw_options *options, const mr_color *colors,
                         mrcnn_error *err) {
    annotation job = {result, options, colors};
    if (result->count == 0 || !(options->contours || options->boxes || options->captions))
        return MRCNN_OK;
    return mr_draw_on_canvas(canvas, draw_all, &job, err);
}

#else

mrcnn_status mr_annotate(mrcnn_image *canvas, const mrcnn_result *result,
                         const mrcnn_draw_options *options, const mr_color *colors,
                         mrcnn_error *err) {
    (void)canvas, (void)result, (void)colors;
    if (!(options->contours || options->boxes || options->captions)) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_UNSUPPORTED,
                   "contours, boxes and captions need cairo, which this build of mrcnn is without: "
                   "draw the masks alone, or build with MRCNN_WITH_CAIRO=ON");
}

#endif
