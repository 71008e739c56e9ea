/* annotate.c - carries the picture into a cairo surface and back; see annotate.h. */
#include "viz/annotate.h"

#include "viz/pen.h"

#ifdef MRCNN_WITH_CAIRO

#include <math.h>

/* The most that an image surface of cairo can be wide or high. */
enum { CAIRO_SIDE_MAX = 32767 };

static void copy_in(cairo_surface_t *surface, const mrcnn_image *image) {
    unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    const uint8_t *from = image->pixels;
    for (int32_t y = 0; y < image->height; y++) {
        uint32_t *to = (uint32_t *)(void *)(data + (size_t)y * stride);
        for (int32_t x = 0; x < image->width; x++, from += 3)
            to[x] = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    }
    cairo_surface_mark_dirty(surface);
}

static void copy_out(mrcnn_image *image, cairo_surface_t *surface) {
    cairo_surface_flush(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    uint8_t *to = image->pixels;
    for (int32_t y = 0; y < image->height; y++) {
        const uint32_t *from = (const uint32_t *)(const void *)(data + (size_t)y * stride);
        for (int32_t x = 0; x < image->width; x++, to += 3) {
            to[0] = (uint8_t)(from[x] >> 16);
            to[1] = (uint8_t)(from[x] >> 8);
            to[2] = (uint8_t)from[x];
        }
    }
}

static mr_pen make_pen(cairo_t *cairo, const mrcnn_image *canvas) {
    double side = sqrt((double)canvas->width * canvas->height);
    mr_pen pen = {cairo, canvas->width, canvas->height, fmax(1.0, side / 320.0),
                  fmax(10.0, side / 48.0)};
    return pen;
}

/* Best last, so that what is sure lies above what is not. */
static mrcnn_status draw_all(const mr_pen *pen, const mrcnn_result *result,
                             const mrcnn_draw_options *options, const mr_color *colors,
                             mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = result->count; i-- > 0 && status == MRCNN_OK;) {
        const mrcnn_instance *instance = &result->instances[i];
        if (options->contours) status = mr_draw_contour(pen, &instance->mask, colors[i], err);
        if (options->boxes) mr_draw_box(pen, instance, colors[i]);
    }
    if (status == MRCNN_OK && options->captions)
        status = mr_draw_captions(pen, result, options->ids, colors, err);
    return status;
}

mrcnn_status mr_annotate(mrcnn_image *canvas, const mrcnn_result *result,
                         const mrcnn_draw_options *options, const mr_color *colors,
                         mrcnn_error *err) {
    if (result->count == 0 || !(options->contours || options->boxes || options->captions))
        return MRCNN_OK;
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
        copy_in(surface, canvas);
        cairo_set_antialias(cairo, CAIRO_ANTIALIAS_FAST); /* a third of the time of the default */
        status = draw_all(&pen, result, options, colors, err);
    }
    if (status == MRCNN_OK && cairo_status(cairo) != CAIRO_STATUS_SUCCESS)
        status = mr_fail(err, MRCNN_E_MEMORY, "cairo can't draw on the picture: %s",
                         cairo_status_to_string(cairo_status(cairo)));
    if (status == MRCNN_OK) copy_out(canvas, surface);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return status;
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
