/* differences.c - what was to be found and what was found in one picture (matterport's
 * display_differences). */
#include "viz/canvas.h"
#include "viz/check.h"
#include "viz/marks.h"

#include "base/memory.h"
#include "image/mask.h"
#include "image/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPTION = 96 };

typedef struct comparison {
    const mrcnn_result *truth, *found;
    double iou, score;
    double *overlaps;  /* found x truth */
    int64_t *match;    /* of each detection: the object, or -1 */
    uint8_t *is_found; /* of each object */
    size_t count;      /* marks */
    mrcnn_mark *marks;
    char (*captions)[CAPTION];
} comparison;

static double overlap(const mrcnn_mask *a, const mrcnn_mask *b) {
    double shared = (double)mr_mask_intersection(a, b);
    double all = (double)mrcnn_mask_area(a) + (double)mrcnn_mask_area(b) - shared;
    return all > 0.0 ? shared / all : 0.0;
}

static int is_left_out(const comparison *c, const mrcnn_instance *detection) {
    return !((double)detection->score >= c->score);
}

static void compare(comparison *c) {
    for (size_t i = 0; i < c->found->count; i++)
        for (size_t k = 0; k < c->truth->count; k++)
            if (c->truth->instances[k].class_id > 0)
                c->overlaps[i * c->truth->count + k] =
                    overlap(&c->found->instances[i].mask, &c->truth->instances[k].mask);
}

/* The best object of the detection's class that nobody has and that overlaps enough; -1 for none. */
static int64_t best_match(const comparison *c, size_t detection) {
    const double *overlaps = c->overlaps + detection * c->truth->count;
    int64_t best = -1;
    for (size_t k = 0; k < c->truth->count; k++) {
        const mrcnn_instance *object = &c->truth->instances[k];
        if (c->is_found[k] || object->class_id != c->found->instances[detection].class_id) continue;
        if (overlaps[k] < c->iou || overlaps[k] <= 0.0) continue;
        if (best < 0 || overlaps[k] > overlaps[best]) best = (int64_t)k;
    }
    return best;
}

/* A result's instances come by falling score (utils.compute_matches, N66). */
static void match(comparison *c) {
    for (size_t i = 0; i < c->found->count; i++) {
        c->match[i] = is_left_out(c, &c->found->instances[i]) ? -1 : best_match(c, i);
        if (c->match[i] >= 0) c->is_found[c->match[i]] = 1;
    }
}

static mrcnn_mark *add_mark(comparison *c, const mrcnn_instance *instance) {
    mrcnn_mark *mark = &c->marks[c->count++];
    *mark = (mrcnn_mark){.y1 = instance->y1,
                         .x1 = instance->x1,
                         .y2 = instance->y2,
                         .x2 = instance->x2,
                         .alpha = 1.0,
                         .mask = &instance->mask};
    return mark;
}

/* "0.98 / 0.87" in every locale. */
static void write_caption(char text[CAPTION], double score, double iou) {
    int a = (int)lrint(fmin(fmax(score, 0.0), 1.0) * 100.0);
    int b = (int)lrint(fmin(fmax(iou, 0.0), 1.0) * 100.0);
    snprintf(text, CAPTION, "%d.%02d / %d.%02d", a / 100, a % 100, b / 100, b % 100);
}

static void add_detection(comparison *c, size_t i) {
    const double *overlaps = c->overlaps + i * c->truth->count;
    double iou = 0.0;
    for (size_t k = 0; k < c->truth->count; k++) iou = fmax(iou, overlaps[k]);
    if (c->match[i] >= 0) iou = overlaps[c->match[i]];
    char *caption = c->captions[c->count];
    mrcnn_mark *mark = add_mark(c, &c->found->instances[i]);
    write_caption(caption, c->found->instances[i].score, iou);
    mark->red = 1.0;
    mark->line = c->match[i] >= 0 ? MRCNN_LINE_SOLID : MRCNN_LINE_DASHED;
    mark->caption = caption;
}

static void add_object(comparison *c, size_t k) {
    const mrcnn_instance *object = &c->truth->instances[k];
    if (object->class_id <= 0) return;
    mrcnn_mark *mark = add_mark(c, object);
    mark->green = 1.0;
    mark->line = c->is_found[k] ? MRCNN_LINE_SOLID : MRCNN_LINE_DASHED;
    mark->caption = c->is_found[k] ? NULL : object->class_name;
}

static mrcnn_status allocate(comparison *c, mrcnn_error *err) {
    size_t pairs, marks = c->found->count + c->truth->count;
    if (!mr_mul_size(c->found->count, c->truth->count, &pairs)) pairs = SIZE_MAX;
    c->overlaps = mr_calloc(pairs, sizeof *c->overlaps);
    c->match = mr_calloc(c->found->count, sizeof *c->match);
    c->is_found = mr_calloc(c->truth->count, sizeof *c->is_found);
    c->marks = mr_calloc(marks, sizeof *c->marks);
    c->captions = mr_calloc(marks, sizeof *c->captions);
    if (c->overlaps && c->match && c->is_found && c->marks && c->captions) return MRCNN_OK;
    return mr_fail_memory(err, pairs * sizeof *c->overlaps, "the overlaps");
}

static void release(comparison *c) {
    free(c->overlaps);
    free(c->match);
    free(c->is_found);
    free(c->marks);
    free(c->captions);
}

mrcnn_status mrcnn_draw_differences(mrcnn_image *out, const mrcnn_image *image,
                                    const mrcnn_result *truth, const mrcnn_result *found,
                                    double iou, double score, mrcnn_error *err) {
    mrcnn_status status = mr_check_drawing(out, image, truth, err);
    if (status == MRCNN_OK) status = mr_check_drawing(out, image, found, err);
    if (status != MRCNN_OK) return status;
    if (!(iou >= 0.0 && iou <= 1.0) || !(score >= 0.0 && score <= 1.0))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "differences: IoU %g and score %g; both must be 0 .. 1", iou, score);
    mrcnn_image canvas = {0};
    comparison c = {.truth = truth, .found = found, .iou = iou, .score = score};
    status = allocate(&c, err);
    if (status == MRCNN_OK) status = mr_canvas_like(&canvas, image, err);
    if (status != MRCNN_OK) goto cleanup;
    compare(&c);
    match(&c);
    for (size_t i = 0; i < found->count; i++)
        if (!is_left_out(&c, &found->instances[i])) add_detection(&c, i);
    for (size_t k = 0; k < truth->count; k++) add_object(&c, k);
    mr_copy_as_rgb(canvas.pixels, image);
    status = mr_draw_marks(&canvas, c.marks, c.count, err);
    if (status != MRCNN_OK) goto cleanup;
    *out = canvas;
    canvas.pixels = NULL;

cleanup:
    free(canvas.pixels);
    release(&c);
    return status;
}
