/* target_show.c - targets as inspect.h offers them: boxes in pixels, where deltas lead, and how well
 * objects are met. */
#include "train/target_maker.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/mini_mask.h"
#include "image/bits.h"
#include "model/anchor_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct made_targets {
    mrcnn_targets targets; /* first */
    uint8_t *masks;        /* of objects */
    float *roi_masks;
} made_targets;

void mrcnn_targets_free(mrcnn_targets **targets) {
    made_targets *made = targets ? (made_targets *)*targets : NULL;
    if (!made) return;
    mrcnn_image_free(&made->targets.image);
    free(made->targets.objects);
    free(made->targets.anchors);
    free(made->targets.rois);
    free(made->masks);
    free(made->roi_masks);
    free(made);
    *targets = NULL;
}

static int allocate(made_targets *m, const mr_sample *s, const mr_target_source *source,
                    const mr_example *example) {
    const mr_roi_targets *t = source->targets;
    mrcnn_targets *out = &m->targets;
    size_t mask = (size_t)s->mask_height * (size_t)s->mask_width;
    out->mask_height = s->mask_height;
    out->mask_width = s->mask_width;
    out->target_height = source->settings->mask_shape.values[0];
    out->target_width = source->settings->mask_shape.values[1];
    size_t target = (size_t)out->target_height * (size_t)out->target_width;
    out->object_count = (size_t)s->count;
    out->anchor_count = (size_t)example->rpn.count;
    out->roi_count = (size_t)t->positive_count + (size_t)t->negative_count;
    out->objects = mr_calloc(out->object_count, sizeof *out->objects);
    out->anchors = mr_calloc(out->anchor_count, sizeof *out->anchors);
    out->rois = mr_calloc(out->roi_count, sizeof *out->rois);
    m->masks = mr_calloc(out->object_count, mask);
    m->roi_masks = mr_calloc((size_t)t->positive_count, target * sizeof *m->roi_masks);
    return out->objects && out->anchors && out->rois && m->masks && m->roi_masks;
}

/* --------------------------------------------------------------------------------------- boxes */

/* Pixels of a normalised box, not rounded (N10). */
static void to_pixels(const float box[4], int height, int width, double out[4]) {
    for (int i = 0; i < 4; i++) out[i] = (double)box[i] * ((i % 2 ? width : height) - 1) + (i > 1);
}

/* N15 in double, of deltas that were divided by their standard deviations. */
static void move_box(const double box[4], const float deltas[4], const mr_floats *deviation,
                     double out[4]) {
    for (int i = 0; i < 2; i++) {
        double size = box[i + 2] - box[i], centre = box[i] + 0.5 * size;
        centre += (double)deltas[i] * deviation->values[i] * size;
        size *= exp((double)deltas[i + 2] * deviation->values[i + 2]);
        out[i] = centre - 0.5 * size;
        out[i + 2] = out[i] + size;
    }
}

static double overlap(const double a[4], const double b[4]) {
    double h = fmin(a[2], b[2]) - fmax(a[0], b[0]), w = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    double both = fmax(h, 0) * fmax(w, 0);
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}

static void box_of(const mrcnn_target_object *o, double box[4]) {
    box[0] = o->y1;
    box[1] = o->x1;
    box[2] = o->y2;
    box[3] = o->x2;
}

/* --------------------------------------------------------------------------------------- parts */

static void show_objects(made_targets *m, const mr_sample *s, const mr_target_source *source) {
    size_t mask = (size_t)s->mask_height * (size_t)s->mask_width;
    for (size_t i = 0; i < (size_t)s->count; i++) {
        const int32_t *b = s->boxes[i];
        mrcnn_target_object *o = &m->targets.objects[i];
        mr_fit_box box = {(b[0] + b[2]) / 2.0, (b[1] + b[3]) / 2.0, (double)b[2] - b[0],
                          (double)b[3] - b[1], s->height,           s->width};
        uint8_t *bytes = m->masks + i * mask;
        mr_bits_unpack(s->masks + i * mr_bits_size(s->mask_height, s->mask_width), s->mask_height,
                       s->mask_width, bytes);
        *o = (mrcnn_target_object){.class_id = s->class_ids[i],
                                   .y1 = b[0],
                                   .x1 = b[1],
                                   .y2 = b[2],
                                   .x2 = b[3],
                                   .anchor_iou = NAN,
                                   .roi_iou = NAN,
                                   .mask = bytes};
        if (o->class_id > 0) o->anchor_iou = mr_best_anchor(source->settings, &box);
    }
}

/* Training matches RoIs with normalised boxes (N27), so these are compared. */
static void meet_rois(mrcnn_targets *t, const mr_target_source *source) {
    for (size_t i = 0; i < t->object_count; i++) {
        mrcnn_target_object *o = &t->objects[i];
        double pixels[4];
        float box[4], best = 0;
        if (o->class_id <= 0) continue;
        box_of(o, pixels);
        mr_norm_box(pixels, t->image.height, t->image.width, box);
        for (size_t k = 0; k < source->roi_count; k++) {
            float iou = mr_iou(source->rois + 4 * k, box);
            if (iou > best) best = iou;
        }
        o->roi_iou = best;
    }
}

/* The object on which a box lies after it was moved there. */
static mrcnn_target_object *object_at(mrcnn_targets *t, const double refined[4]) {
    const double exact = 0.98; /* but for rounding to float */
    for (size_t i = 0; i < t->object_count; i++) {
        double box[4];
        box_of(&t->objects[i], box);
        if (t->objects[i].class_id > 0 && overlap(box, refined) > exact) return &t->objects[i];
    }
    return NULL; /* one beyond MAX_GT_INSTANCES (N60) */
}

static void show_anchors(mrcnn_targets *t, const mr_rpn_targets *rpn,
                         const mr_target_source *source) {
    size_t positive = 0;
    for (size_t i = 0; i < t->anchor_count; i++) {
        mrcnn_target_anchor *a = &t->anchors[i];
        a->index = (size_t)rpn->anchors[i];
        a->match = rpn->matches[i] > 0 ? 1 : -1;
        memcpy(a->box, source->anchors + 4 * a->index, sizeof a->box);
        if (a->match < 0) continue;
        memcpy(a->deltas, rpn->deltas[positive++], sizeof a->deltas);
        move_box(a->box, a->deltas, &source->settings->rpn_bbox_std_dev, a->refined);
        mrcnn_target_object *o = object_at(t, a->refined);
        if (o) o->anchors++;
    }
    t->positive_anchors = positive;
    t->all_anchors = source->anchor_count;
}

static void show_rois(made_targets *m, const mr_target_source *source) {
    mrcnn_targets *t = &m->targets;
    const mr_roi_targets *from = source->targets;
    size_t mask = (size_t)t->target_height * (size_t)t->target_width;
    t->all_rois = source->roi_count;
    t->positive_rois = (size_t)from->positive_count;
    t->padding = (size_t)from->padding;
    memcpy(m->roi_masks, from->masks, t->positive_rois * mask * sizeof *m->roi_masks);
    for (size_t i = 0; i < t->roi_count; i++) {
        mrcnn_target_roi *roi = &t->rois[i];
        to_pixels(from->rois[i], t->image.height, t->image.width, roi->box);
        roi->class_id = from->class_ids[i];
        roi->object = from->objects[i];
        if (i >= t->positive_rois) continue;
        float refined[4], deltas[4];
        memcpy(roi->deltas, from->deltas[i], sizeof roi->deltas);
        for (int k = 0; k < 4; k++)
            deltas[k] = roi->deltas[k] * (float)source->settings->bbox_std_dev.values[k];
        mr_apply_deltas(from->rois[i], deltas, refined);
        to_pixels(refined, t->image.height, t->image.width, roi->refined);
        roi->mask = m->roi_masks + i * mask;
        t->objects[roi->object].rois++;
    }
}

mrcnn_status mr_targets_show(mrcnn_targets **targets, mr_example *example,
                             const mr_target_source *source, mrcnn_error *err) {
    mr_sample *s = example->sample;
    made_targets *m = mr_calloc(1, sizeof *m);
    if (!m) return mr_fail_memory(err, sizeof *m, "targets");
    mrcnn_targets *t = &m->targets;
    if (!allocate(m, s, source, example)) {
        mrcnn_targets_free(&t);
        return mr_fail_memory(err, s->bytes, "targets");
    }
    t->picture = s->picture;
    t->number = (int64_t)s->number;
    t->has_mini_masks = source->settings->use_mini_mask;
    t->image = (mrcnn_image){s->width, s->height, s->channels, s->pixels};
    s->pixels = NULL;
    show_objects(m, s, source);
    meet_rois(t, source);
    show_anchors(t, &example->rpn, source);
    show_rois(m, source);
    *targets = t;
    return MRCNN_OK;
}

mrcnn_status mrcnn_targets_mask(const mrcnn_targets *t, size_t object, mrcnn_mask *mask,
                                mrcnn_error *err) {
    if (!t || !mask || object >= t->object_count)
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no object %zu among these targets", object);
    const mrcnn_target_object *o = &t->objects[object];
    int height = t->image.height, width = t->image.width;
    if (!t->has_mini_masks) return mrcnn_mask_from_bytes(mask, o->mask, height, width, err);
    const int32_t box[4] = {o->y1, o->x1, o->y2, o->x2};
    uint8_t *bytes = mr_calloc((size_t)height, (size_t)width);
    if (!bytes) return mr_fail_memory(err, (size_t)height * (size_t)width, "a mask");
    mrcnn_status status =
        mr_expand_mask(o->mask, t->mask_height, t->mask_width, bytes, width, box, err);
    if (status == MRCNN_OK) status = mrcnn_mask_from_bytes(mask, bytes, height, width, err);
    free(bytes);
    return status;
}
