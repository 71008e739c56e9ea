/* inspect_target_sums.c - what the targets of several pictures are like together: counts, deltas,
 * masks that say nothing. */
#include "inspect_targets.h"

#include <math.h>
#include <stdlib.h>

static void add_deltas(delta_list *list, const float deltas[4]) {
    for (int i = 0; i < 4; i++) {
        list->values[i] = text_grow(list->values[i], list->count + 1, sizeof(double));
        list->values[i][list->count] = deltas[i];
    }
    list->count++;
}

static void add_objects(target_sums *sums, const mrcnn_targets *t) {
    for (size_t i = 0; i < t->object_count; i++) {
        if (t->objects[i].class_id < 0) continue;
        sums->objects++;
        sums->objects_in_reach += t->objects[i].anchor_iou >= 0.7;
        sums->objects_proposed += t->objects[i].roi_iou >= 0.5;
    }
}

/* A target of zeros alone, or of ones alone. */
static void add_mask(target_sums *sums, const mrcnn_targets *t, const float *mask) {
    size_t values = (size_t)t->target_height * (size_t)t->target_width, ones = 0;
    for (size_t i = 0; i < values; i++) ones += mask[i] != 0;
    sums->empty_masks += ones == 0;
    sums->full_masks += ones == values;
}

static void add_rois(target_sums *sums, const mrcnn_targets *t) {
    for (size_t i = 0; i < t->positive_rois; i++) {
        const mrcnn_target_roi *roi = &t->rois[i];
        add_deltas(&sums->heads, roi->deltas);
        add_mask(sums, t, roi->mask);
        if (roi->class_id > 0 && roi->class_id < sums->class_count)
            sums->class_rois[roi->class_id]++;
    }
    sums->rois += t->all_rois;
    sums->positive_rois += t->positive_rois;
    sums->negative_rois += t->roi_count - t->positive_rois;
    sums->padding += t->padding;
}

static void add_losses(mrcnn_losses *sum, const mrcnn_losses *more) {
    sum->total += more->total;
    sum->rpn_class += more->rpn_class;
    sum->rpn_bbox += more->rpn_bbox;
    sum->mrcnn_class += more->mrcnn_class;
    sum->mrcnn_bbox += more->mrcnn_bbox;
    sum->mrcnn_mask += more->mrcnn_mask;
}

void target_sums_add(target_sums *sums, const mrcnn_targets *t) {
    sums->pictures++;
    sums->are_proposals = t->are_proposals;
    add_objects(sums, t);
    for (size_t i = 0; i < t->anchor_count; i++)
        if (t->anchors[i].match > 0) add_deltas(&sums->rpn, t->anchors[i].deltas);
    sums->anchors += t->all_anchors;
    sums->positive_anchors += t->positive_anchors;
    sums->negative_anchors += t->anchor_count - t->positive_anchors;
    add_rois(sums, t);
    add_losses(&sums->losses, &t->losses);
}

void target_sums_free(target_sums *sums) {
    for (int i = 0; i < 4; i++) {
        free(sums->rpn.values[i]);
        free(sums->heads.values[i]);
    }
    free(sums->class_rois);
}

void delta_moments(const delta_list *list, int which, double *mean, double *deviation) {
    double sum = 0, squares = 0, n = (double)list->count;
    *mean = *deviation = NAN;
    if (!list->count) return;
    for (size_t i = 0; i < list->count; i++) sum += list->values[which][i];
    for (size_t i = 0; i < list->count; i++) squares += pow(list->values[which][i] - sum / n, 2);
    *mean = sum / n;
    *deviation = sqrt(squares / n);
}
