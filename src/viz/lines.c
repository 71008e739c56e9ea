/* lines.c - contours of masks and dashed boxes. Each line lies on a wider dark one, so that it
 * shows on its own colour too. */
#include "viz/pen.h"

#ifdef MRCNN_WITH_CAIRO

#include "viz/outline.h"

mr_rectangle mr_box_of(const mrcnn_instance *instance) {
    return (mr_rectangle){instance->x1, instance->y1, instance->x2, instance->y2};
}

int mr_visible_box(const mr_pen *pen, mr_rectangle box, mr_rectangle *visible) {
    visible->x1 = box.x1 > 0.0 ? box.x1 : 0.0;
    visible->y1 = box.y1 > 0.0 ? box.y1 : 0.0;
    visible->x2 = box.x2 < pen->width ? box.x2 : pen->width;
    visible->y2 = box.y2 < pen->height ? box.y2 : pen->height;
    return visible->x1 < visible->x2 && visible->y1 < visible->y2;
}

static void stroke_twice(const mr_pen *pen, mr_stroke stroke) {
    cairo_set_source_rgba(pen->cairo, 0.0, 0.0, 0.0, 0.4 * stroke.alpha);
    cairo_set_line_width(pen->cairo, 1.5 * pen->line + 0.5);
    cairo_stroke_preserve(pen->cairo);
    cairo_set_source_rgba(pen->cairo, stroke.color.r, stroke.color.g, stroke.color.b, stroke.alpha);
    cairo_set_line_width(pen->cairo, pen->line);
    cairo_stroke(pen->cairo);
}

/* Half a line's width, at least what takes the steps off slanting outlines. */
static double contour_tolerance(const mr_pen *pen) {
    return pen->line > 1.5 ? pen->line / 2.0 : 0.75;
}

/* cairo's time for one path grows faster than its points: masks of noise have millions. */
enum { POINTS_AT_ONCE = 2000 };

typedef struct contour {
    const mr_pen *pen;
    mr_stroke stroke;
    size_t points; /* of the path so far */
} contour;

static mrcnn_status add_ring(void *context, mr_point *points, size_t count, int hole,
                             mrcnn_error *err) {
    contour *job = context;
    cairo_t *cairo = job->pen->cairo;
    (void)hole, (void)err;
    count = mr_simplify_ring(points, count, contour_tolerance(job->pen));
    cairo_new_sub_path(cairo);
    for (size_t i = 0; i < count; i++) cairo_line_to(cairo, points[i].x, points[i].y);
    cairo_close_path(cairo);
    job->points += count;
    if (job->points >= POINTS_AT_ONCE) {
        stroke_twice(job->pen, job->stroke);
        job->points = 0;
    }
    return MRCNN_OK;
}

mrcnn_status mr_draw_contour(const mr_pen *pen, const mrcnn_mask *mask, mr_stroke stroke,
                             mrcnn_error *err) {
    contour job = {pen, stroke, 0};
    cairo_new_path(pen->cairo);
    cairo_set_line_join(pen->cairo, CAIRO_LINE_JOIN_BEVEL);
    mrcnn_status status = mr_trace_mask(mask, add_ring, &job, err);
    if (status == MRCNN_OK) stroke_twice(pen, stroke);
    return status;
}

static void set_dash(const mr_pen *pen, mrcnn_line line) {
    static const double dashed[] = {4.0, 3.0}, dotted[] = {1.0, 2.0};
    const double *lengths = line == MRCNN_LINE_DASHED ? dashed : dotted;
    double dashes[] = {lengths[0] * pen->line, lengths[1] * pen->line};
    /* Lines run through the middle of pixels: from there to the pixel's edge the first dash is spent. */
    cairo_set_dash(pen->cairo, dashes, line == MRCNN_LINE_SOLID ? 0 : 2, pen->line / 2.0);
}

void mr_draw_box(const mr_pen *pen, mr_rectangle whole, mr_stroke stroke) {
    mr_rectangle box;
    double inset = pen->line / 2.0;
    if (stroke.line == MRCNN_LINE_NONE || !mr_visible_box(pen, whole, &box)) return;
    cairo_save(pen->cairo);
    /* Inside the box, so that it shows at the picture's border. */
    cairo_rectangle(pen->cairo, box.x1 + inset, box.y1 + inset, box.x2 - box.x1 - pen->line,
                    box.y2 - box.y1 - pen->line);
    set_dash(pen, stroke.line);
    cairo_set_line_join(pen->cairo, CAIRO_LINE_JOIN_MITER);
    stroke_twice(pen, stroke);
    cairo_restore(pen->cairo);
}

#endif
