/* marks.c - boxes, masks and captions over a picture, as the caller wants them. */
#include "viz/marks.h"

#include "viz/blend.h"
#include "viz/canvas.h"
#include "viz/check.h"
#include "viz/paper.h"
#include "viz/pen.h"

#include "base/memory.h"
#include "image/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void mrcnn_class_color(int class_id, double rgb[3]) {
    mr_color color = mr_color_of_class(class_id);
    rgb[0] = color.r;
    rgb[1] = color.g;
    rgb[2] = color.b;
}

static int is_share(double value) {
    return value >= 0.0 && value <= 1.0;
}

static mrcnn_status check_mark(const mrcnn_mark *mark, size_t index, const mrcnn_image *image,
                               mrcnn_error *err) {
    char who[32];
    snprintf(who, sizeof who, "mark %zu", index);
    if (!is_share(mark->red) || !is_share(mark->green) || !is_share(mark->blue) ||
        !is_share(mark->alpha))
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: colour and alpha must be 0 .. 1", who);
    if (!isfinite(mark->y1) || !isfinite(mark->x1) || !isfinite(mark->y2) || !isfinite(mark->x2))
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: its box has a number that is not finite", who);
    if ((int)mark->line < MRCNN_LINE_NONE || (int)mark->line > MRCNN_LINE_DOTTED)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: its line is %d; there is 0 to %d", who,
                       (int)mark->line, (int)MRCNN_LINE_DOTTED);
    if (!mark->mask) return MRCNN_OK;
    if (mark->mask->height != image->height || mark->mask->width != image->width)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: its mask is %d x %d, the picture %d x %d", who,
                       mark->mask->width, mark->mask->height, image->width, image->height);
    return mr_check_mask(mark->mask, who, err);
}

static mr_color color_of(const mrcnn_mark *mark) {
    return (mr_color){mark->red, mark->green, mark->blue};
}

/* The first mark lies on top. */
static mrcnn_status blend_masks(mrcnn_image *canvas, const mrcnn_mark *marks, size_t count,
                                mrcnn_error *err) {
    uint64_t *rows = mr_calloc((size_t)canvas->height, sizeof *rows);
    if (!rows) return mr_fail_memory(err, (size_t)canvas->height * sizeof *rows, "mask rows");
    for (size_t i = count; i-- > 0;)
        if (marks[i].mask)
            mr_blend_mask(canvas, marks[i].mask, color_of(&marks[i]), 0.5 * marks[i].alpha, rows);
    free(rows);
    return MRCNN_OK;
}

#ifdef MRCNN_WITH_CAIRO

typedef struct job {
    const mrcnn_mark *marks;
    size_t count;
} job;

static mr_rectangle box_of(const mrcnn_mark *mark) {
    return (mr_rectangle){mark->x1, mark->y1, mark->x2, mark->y2};
}

static mrcnn_status draw_captions(const mr_pen *pen, const job *all, mrcnn_error *err) {
    mr_caption *captions = mr_calloc(all->count, sizeof *captions);
    if (!captions) return mr_fail_memory(err, all->count * sizeof *captions, "captions");
    for (size_t i = 0; i < all->count; i++)
        captions[i] = (mr_caption){
            box_of(&all->marks[i]), color_of(&all->marks[i]), NULL, NULL,
            all->marks[i].caption && all->marks[i].caption[0] ? all->marks[i].caption : NULL};
    mrcnn_status status = mr_draw_captions(pen, captions, all->count, err);
    free(captions);
    return status;
}

static mrcnn_status draw_all(const mr_pen *pen, void *context, mrcnn_error *err) {
    const job *all = context;
    mrcnn_status status = MRCNN_OK;
    for (size_t i = all->count; i-- > 0 && status == MRCNN_OK;) {
        const mrcnn_mark *mark = &all->marks[i];
        mr_stroke stroke = {color_of(mark), mark->alpha, mark->line};
        if (mark->mask) status = mr_draw_contour(pen, mark->mask, stroke, err);
        mr_draw_box(pen, box_of(mark), stroke);
    }
    return status == MRCNN_OK ? draw_captions(pen, all, err) : status;
}

mrcnn_status mr_draw_marks(mrcnn_image *canvas, const mrcnn_mark *marks, size_t count,
                           mrcnn_error *err) {
    job all = {marks, count};
    mrcnn_status status = blend_masks(canvas, marks, count, err);
    if (status == MRCNN_OK && count > 0) status = mr_draw_on_canvas(canvas, draw_all, &all, err);
    return status;
}

#else

mrcnn_status mr_draw_marks(mrcnn_image *canvas, const mrcnn_mark *marks, size_t count,
                           mrcnn_error *err) {
    return count > 0 ? mr_fail_no_cairo("drawing boxes and captions", err)
                     : blend_masks(canvas, marks, count, err);
}

#endif

mrcnn_status mrcnn_draw_marks(mrcnn_image *out, const mrcnn_image *image, const mrcnn_mark *marks,
                              size_t count, mrcnn_error *err) {
    mrcnn_image canvas = {0};
    mrcnn_status status = mr_check_picture(image, err);
    if (status != MRCNN_OK) return status;
    if (!out || out == image || (count > 0 && !marks))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "the drawn picture needs marks, and an mrcnn_image of its own to go to");
    for (size_t i = 0; i < count && status == MRCNN_OK; i++)
        status = check_mark(&marks[i], i, image, err);
    if (status == MRCNN_OK) status = mr_canvas_like(&canvas, image, err);
    if (status != MRCNN_OK) return status;
    mr_copy_as_rgb(canvas.pixels, image);
    status = mr_draw_marks(&canvas, marks, count, err);
    if (status == MRCNN_OK)
        *out = canvas;
    else
        free(canvas.pixels);
    return status;
}
