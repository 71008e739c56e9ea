/* rois.c - regions of interest over a picture: where they were proposed and where they were moved to. */
#include "viz/color.h"

#include "base/memory.h"
#include "base/prng.h"

#include <mrcnn/draw.h>

#include <stdlib.h>

/* Moves `limit` of the indices, chosen at random, to the front (Fisher and Yates). */
static void choose(size_t *indices, size_t count, size_t limit, uint64_t seed) {
    uint64_t stream = mr_prng_stream(seed, "draw rois");
    for (size_t i = 0; i < limit && i + 1 < count; i++) {
        size_t k = i + (size_t)(mr_prng_value(stream, i) % (count - i)), taken = indices[k];
        indices[k] = indices[i];
        indices[i] = taken;
    }
}

static mrcnn_mark proposed(const mrcnn_roi *roi, mr_color color) {
    int is_positive = roi->class_id > 0;
    mrcnn_mark mark = {roi->y1,
                       roi->x1,
                       roi->y2,
                       roi->x2,
                       color.r,
                       color.g,
                       color.b,
                       1.0,
                       MRCNN_LINE_DASHED,
                       NULL,
                       is_positive ? roi->mask : NULL};
    if (is_positive) return mark;
    mark.red = mark.green = mark.blue = 0.7;
    mark.alpha = 0.8;
    mark.line = MRCNN_LINE_DOTTED;
    return mark;
}

static mrcnn_mark refined(const mrcnn_roi *roi, mr_color color) {
    return (mrcnn_mark){roi->refined_y1,
                        roi->refined_x1,
                        roi->refined_y2,
                        roi->refined_x2,
                        color.r,
                        color.g,
                        color.b,
                        1.0,
                        MRCNN_LINE_SOLID,
                        roi->class_name,
                        NULL};
}

/* Refined boxes first, and so on top; positive ones before the grey. Returns the number of marks. */
static size_t make_marks(mrcnn_mark *marks, const mrcnn_roi *rois, const size_t *indices,
                         size_t shown, const mr_color *colors) {
    size_t used = 0;
    for (size_t i = 0; i < shown; i++)
        if (rois[indices[i]].class_id > 0) marks[used++] = refined(&rois[indices[i]], colors[i]);
    for (size_t i = 0; i < shown; i++)
        if (rois[indices[i]].class_id > 0) marks[used++] = proposed(&rois[indices[i]], colors[i]);
    for (size_t i = 0; i < shown; i++)
        if (rois[indices[i]].class_id <= 0) marks[used++] = proposed(&rois[indices[i]], colors[i]);
    return used;
}

mrcnn_status mrcnn_draw_rois(mrcnn_image *out, const mrcnn_image *image, const mrcnn_roi *rois,
                             size_t count, size_t limit, uint64_t seed, mrcnn_error *err) {
    if (count > 0 && !rois) return mr_fail(err, MRCNN_E_ARGUMENT, "there are no RoIs to draw");
    size_t shown = limit > 0 && limit < count ? limit : count, most = 0;
    size_t *indices = mr_calloc(count, sizeof *indices);
    mr_color *colors = mr_calloc(shown, sizeof *colors);
    mrcnn_mark *marks = mr_mul_size(shown, 2, &most) ? mr_calloc(most, sizeof *marks) : NULL;
    mrcnn_status status = MRCNN_OK;
    if (!indices || !colors || !marks)
        status = mr_fail_memory(err, count * sizeof *indices, "RoIs to draw");
    for (size_t i = 0; i < count && status == MRCNN_OK; i++) indices[i] = i;
    if (status == MRCNN_OK) status = mr_colors_of_instances(colors, shown, err);
    if (status == MRCNN_OK) {
        choose(indices, count, shown < count ? shown : 0, seed);
        size_t used = make_marks(marks, rois, indices, shown, colors);
        status = mrcnn_draw_marks(out, image, marks, used, err);
    }
    free(indices);
    free(colors);
    free(marks);
    return status;
}
