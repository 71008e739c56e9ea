/* learner_heads.c - the losses of the box head (N43-N45) and of the mask head, which sees positive
 * RoIs only: its loss has no other term. */
#include "train/learner_internal.h"

#include <string.h>

static void set_roi(const mr_learner *l, float *roi, int image, const float box[4]) {
    double area = (double)l->options.height * l->options.width;
    roi[0] = (float)image;
    roi[1] = (float)(mr_roi_level(box, area) - 2);
    memcpy(roi + 2, box, 4 * sizeof *box);
}

static void add_row(mr_learner *l, int image, const float box[4], const mr_roi_row *row) {
    set_roi(l, l->box_rois + (size_t)l->row_count * MR_ROI_COLUMNS, image, box);
    l->rows[l->row_count++] = *row;
}

/* N44: what the reference pads with zeros counts as background. The padding of a picture is one row,
 * because all of it has the same logits, unless batch statistics ask for every row. */
static void add_padding(mr_learner *l, int image, const uint8_t *active, int padding) {
    static const float zeros[4] = {0, 0, 0, 0};
    const mr_settings *s = l->options.settings;
    if (padding == 0 || s->compat == MR_COMPAT_PAPER) return;
    int rows = s->train_bn == MR_BN_FROZEN ? 1 : padding;
    mr_roi_row row = {0, padding / rows, active, NULL};
    for (int i = 0; i < rows; i++) add_row(l, image, zeros, &row);
}

static void add_positive(mr_learner *l, int image, const mr_roi_targets *t, int i) {
    const mr_ints *shape = &l->options.settings->mask_shape;
    size_t size = (size_t)shape->values[0] * (size_t)shape->values[1];
    size_t at = (size_t)l->positive_count++;
    set_roi(l, l->mask_rois + at * MR_ROI_COLUMNS, image, t->rois[i]);
    l->mask_classes[at] = (float)t->class_ids[i];
    memcpy(l->mask_targets + at * size, t->masks + (size_t)i * size, size * sizeof(float));
}

void mr_learner_set_rois(mr_learner *l, const mr_lesson *lessons) {
    l->row_count = l->positive_count = 0;
    for (int b = 0; b < l->options.batch; b++) {
        const mr_roi_targets *t = &l->targets[b];
        for (int i = 0; i < t->positive_count + t->negative_count; i++) {
            const float *target = i < t->positive_count ? t->deltas[i] : NULL;
            mr_roi_row row = {t->class_ids[i], 1, lessons[b].active, target};
            add_row(l, b, t->rois[i], &row);
            if (i < t->positive_count) add_positive(l, b, t, i);
        }
        add_padding(l, b, lessons[b].active, t->padding);
    }
}

/* matterport's target deltas are a function of the RPN's output. */
static void pass_through_targets(mr_learner *l, const mr_lesson *lessons) {
    int at = 0;
    for (int b = 0; b < l->options.batch; b++) {
        const mr_roi_targets *t = &l->targets[b];
        const mr_ground_truth *truth = &lessons[b].truth;
        const int32_t *anchors =
            lessons[b].proposals ? lessons[b].proposal_anchors : l->proposal_anchors[b];
        for (int i = 0; i < t->positive_count; i++, at++) {
            if (!anchors || t->proposals[i] < 0) continue;
            int32_t anchor = anchors[t->proposals[i]];
            double pixels[4];
            float object[4], gradient[4];
            for (int k = 0; k < 4; k++) pixels[k] = truth->boxes[t->objects[i]][k];
            mr_norm_box(pixels, l->options.height, l->options.width, object);
            mr_target_delta d = {l->anchors + 4 * (size_t)anchor,
                                 mr_learner_anchor_deltas(l, b, anchor), object};
            mr_target_delta_gradient(&d, l->options.settings, l->target_gradients[at], gradient);
            mr_learner_add_delta_gradient(l, b, anchor, gradient);
        }
    }
}

/* Where dL/doutput goes: what the plan reads, or a buffer nobody reads when nothing below the output
 * is trained. */
static float *gradient_of(mr_learner *l, mr_plan *plan, const char *output, float *spare) {
    float *gradient = mr_plan_output_gradient(plan, l->roi_workspace, output);
    return gradient ? gradient : spare;
}

void mr_learner_box(mr_learner *l, const mr_lesson *lessons, mr_lesson_result *result) {
    const mr_settings *s = l->options.settings;
    const double *weights = s->loss_weights.values;
    int rows[MR_ROWS_KINDS] = {l->options.batch, l->row_count};
    result->rois = l->row_count;
    result->positive_rois = l->positive_count;
    if (l->row_count == 0) return;
    mr_plan_run(l->box, l->roi_workspace, rows);
    mr_learner_plan_times(l, l->box);
    const float *logits = mr_plan_output(l->box, "mrcnn_class_logits", NULL);
    const float *deltas = mr_plan_output(l->box, "mrcnn_bbox", NULL);
    size_t count = (size_t)l->row_count;
    float *logits_gradient = gradient_of(l, l->box, "mrcnn_class_logits", l->class_gradient);
    float *deltas_gradient = gradient_of(l, l->box, "mrcnn_bbox", l->bbox_gradient);
    result->losses[2] = mr_mrcnn_class_loss(l->rows, count, logits, s->num_classes, s->compat,
                                            weights[2], logits_gradient);
    result->losses[3] = mr_mrcnn_bbox_loss(l->rows, count, deltas, s->num_classes, weights[3],
                                           deltas_gradient, l->target_gradients);
    if (!l->backward) return;
    if (!l->options.detach_targets && s->compat == MR_COMPAT_MATTERPORT)
        pass_through_targets(l, lessons);
    mr_plan_backward(l->box, l->roi_workspace, rows);
    mr_learner_backward_times(l, l->box);
}

void mr_learner_mask(mr_learner *l, mr_lesson_result *result) {
    const mr_settings *s = l->options.settings;
    int rows[MR_ROWS_KINDS] = {l->options.batch, l->positive_count};
    if (l->positive_count == 0) return;
    mr_plan_run(l->mask, l->roi_workspace, rows);
    mr_learner_plan_times(l, l->mask);
    mrcnn_shape shape;
    const float *masks = mr_plan_output(l->mask, "mrcnn_mask", &shape);
    size_t count = (size_t)l->positive_count * mr_shape_size(shape);
    float *gradient = gradient_of(l, l->mask, "mrcnn_mask", l->mask_gradient);
    result->losses[4] =
        mr_mrcnn_mask_loss(masks, l->mask_targets, count, s->loss_weights.values[4], gradient);
    if (!l->backward) return;
    mr_plan_backward(l->mask, l->roi_workspace, rows);
    mr_learner_backward_times(l, l->mask);
}
