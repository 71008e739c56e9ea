/* anchors_public.c - anchors as inspect.h offers them: with the levels that they belong to. */
#include "model/boxes.h"

#include "base/error.h"
#include "base/memory.h"

#include <mrcnn/inspect.h>

#include <stdlib.h>

enum { MOST_SIDE = 32768 };

static mrcnn_status check(const mrcnn_config *config, int height, int width, mrcnn_error *err) {
    const mr_settings *s = mr_config_settings(config);
    mrcnn_status status = mr_config_validate(config, err);
    if (status != MRCNN_OK) return status;
    if (height < 1 || width < 1 || height > MOST_SIDE || width > MOST_SIDE)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "anchors of %d x %d pixels: each side must have 1 to %d", width, height,
                       MOST_SIDE);
    if (s->backbone_strides.count > MRCNN_MOST_LEVELS ||
        s->rpn_anchor_ratios.count > MRCNN_MOST_RATIOS)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "anchors of %d levels and %d ratios are too many",
                       s->backbone_strides.count, s->rpn_anchor_ratios.count);
    return MRCNN_OK;
}

static void fill_levels(mrcnn_anchors *a, const mr_settings *s) {
    a->level_count = s->backbone_strides.count;
    a->ratio_count = s->rpn_anchor_ratios.count;
    for (int r = 0; r < a->ratio_count; r++) a->ratios[r] = s->rpn_anchor_ratios.values[r];
    for (int l = 0; l < a->level_count; l++) {
        mrcnn_anchor_level *level = &a->levels[l];
        level->stride = s->backbone_strides.values[l] * s->rpn_anchor_stride;
        level->rows = mr_anchor_steps(s, l, a->height);
        level->columns = mr_anchor_steps(s, l, a->width);
        level->scale = s->rpn_anchor_scales.values[l];
        level->first = a->count;
        level->count = (size_t)level->rows * (size_t)level->columns * (size_t)a->ratio_count;
        a->count += level->count;
    }
}

/* IMAGE_SHAPE: that of the square and crop modes, and the usual one elsewhere. */
static int default_side(const mr_settings *s) {
    return s->image_resize_mode == MR_RESIZE_CROP ? s->image_min_dim : s->image_max_dim;
}

mrcnn_status mrcnn_anchors_make(mrcnn_anchors *anchors, const mrcnn_config *config, int32_t height,
                                int32_t width, mrcnn_error *err) {
    if (!anchors || !config)
        return mr_fail(err, MRCNN_E_ARGUMENT, "anchors: %s is NULL",
                       anchors ? "config" : "anchors");
    const mr_settings *s = mr_config_settings(config);
    mrcnn_anchors made = {.height = height ? height : default_side(s),
                          .width = width ? width : default_side(s)};
    mrcnn_status status = check(config, made.height, made.width, err);
    if (status != MRCNN_OK) return status;
    fill_levels(&made, s);
    made.boxes = mr_calloc(made.count, sizeof *made.boxes);
    if (!made.boxes) return mr_fail_memory(err, made.count * sizeof *made.boxes, "anchors");
    mr_anchors_pixels(s, made.height, made.width, (double *)made.boxes);
    *anchors = made;
    return MRCNN_OK;
}

void mrcnn_anchors_free(mrcnn_anchors *anchors) {
    if (!anchors) return;
    free(anchors->boxes);
    *anchors = (mrcnn_anchors){0};
}
