/* losses.c - see losses.h. */
#include "model/losses.h"

#include "model/boxes.h"

#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------------------------- the classes */

/* Classes that a row's softmax runs over: all, or those that are set, and always the target. */
typedef struct softmax_row {
    const float *logits;
    int classes, target;
    const uint8_t *active; /* NULL: all */
} softmax_row;

static int takes_part(const softmax_row *r, int c) {
    return !r->active || r->active[c] || c == r->target;
}

/* log sum exp, from which follow the probabilities exp(logit - it) and the cross entropy. */
static double log_partition(const softmax_row *r) {
    double most = r->logits[r->target], sum = 0;
    for (int c = 0; c < r->classes; c++)
        if (takes_part(r, c) && (double)r->logits[c] > most) most = r->logits[c];
    for (int c = 0; c < r->classes; c++)
        if (takes_part(r, c)) sum += exp((double)r->logits[c] - most);
    return most + log(sum);
}

/* The row's cross entropy; writes scale times its gradient. */
static double cross_entropy(const softmax_row *r, double scale, float *gradient) {
    double partition = log_partition(r);
    for (int c = 0; c < r->classes; c++) {
        double p = takes_part(r, c) ? exp((double)r->logits[c] - partition) : 0;
        gradient[c] = (float)(scale * (p - (c == r->target)));
    }
    return partition - (double)r->logits[r->target];
}

double mr_rpn_class_loss(const float (*logits)[2], const int8_t *matches, size_t count,
                         double scale, float (*gradient)[2]) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        softmax_row row = {logits[i], 2, matches[i] == 1, NULL};
        sum += cross_entropy(&row, scale / (double)count, gradient[i]);
    }
    return count ? sum / (double)count : 0;
}

/* tf.argmax: the first of equals. */
static int predicted_class(const float *logits, int classes) {
    int best = 0;
    for (int c = 1; c < classes; c++)
        if (logits[c] > logits[best]) best = c;
    return best;
}

/* How many rows of the reference's loss this one is. */
static double row_weight(const mr_roi_row *row, const float *logits, int classes,
                         mr_compat compat) {
    if (compat == MR_COMPAT_PAPER || !row->active) return row->copies;
    return row->active[predicted_class(logits, classes)] ? row->copies : 0; /* N43 */
}

double mr_mrcnn_class_loss(const mr_roi_row *rows, size_t count, const float *logits, int classes,
                           mr_compat compat, double scale, float *gradient) {
    size_t width = (size_t)classes;
    double total = 0, sum = 0;
    for (size_t i = 0; i < count; i++)
        total += row_weight(&rows[i], logits + i * width, classes, compat);
    memset(gradient, 0, count * width * sizeof *gradient);
    if (total == 0) return 0;
    for (size_t i = 0; i < count; i++) {
        double weight = row_weight(&rows[i], logits + i * width, classes, compat);
        softmax_row row = {logits + i * width, classes, rows[i].class_id,
                           compat == MR_COMPAT_PAPER ? rows[i].active : NULL};
        if (weight > 0)
            sum += weight * cross_entropy(&row, scale * weight / total, gradient + i * width);
    }
    return sum / total;
}

/* ------------------------------------------------------------------------------------ the boxes */

/* Sum of smooth L1 (N41) over four numbers; writes scale times the gradient. */
static double smooth_l1(const float prediction[4], const float target[4], double scale,
                        float gradient[4]) {
    double sum = 0;
    for (int k = 0; k < 4; k++) {
        double d = (double)prediction[k] - (double)target[k], size = fabs(d);
        sum += size < 1 ? 0.5 * d * d : size - 0.5;
        gradient[k] = (float)(scale * (size < 1 ? d : d / size)); /* NaN stays NaN */
    }
    return sum;
}

double mr_rpn_bbox_loss(const float (*deltas)[4], const float (*targets)[4], size_t count,
                        double scale, float (*gradient)[4]) {
    double elements = 4 * (double)count, sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += smooth_l1(deltas[i], targets[i], scale / elements, gradient[i]);
    return count ? sum / elements : 0;
}

double mr_mrcnn_bbox_loss(const mr_roi_row *rows, size_t count, const float *deltas, int classes,
                          double scale, float *gradient, float (*target_gradient)[4]) {
    size_t width = 4 * (size_t)classes, positives = 0;
    double sum = 0, elements = 0;
    for (size_t i = 0; i < count; i++) elements += rows[i].class_id > 0 ? 4 : 0;
    memset(gradient, 0, count * width * sizeof *gradient);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].class_id <= 0) continue;
        size_t at = i * width + 4 * (size_t)rows[i].class_id;
        sum += smooth_l1(deltas + at, rows[i].target, scale / elements, gradient + at);
        for (int k = 0; target_gradient && k < 4; k++)
            target_gradient[positives][k] = -gradient[at + k];
        positives++;
    }
    return positives ? sum / elements : 0;
}

/* ------------------------------------------------------------------------------------ the masks */

/* Back to logits and through a sigmoid, as Keras does it, is the identity: what is left is the
 * cross entropy of the clipped probability. */
double mr_mrcnn_mask_loss(const float *probabilities, const float *targets, size_t count,
                          double scale, float *gradient) {
    const float low = 1e-7f, high = 1.0f - 1e-7f;
    double sum = 0, share = count ? scale / (double)count : 0;
    for (size_t i = 0; i < count; i++) {
        float p = probabilities[i];
        double clipped = p < low ? low : p > high ? high : p;
        double hit = targets[i] > 0.5f ? clipped : 1 - clipped;
        double slope = targets[i] > 0.5f ? -1 / hit : 1 / hit;
        sum -= log(hit);
        gradient[i] = p < low || p > high ? 0.0f : (float)(share * slope);
    }
    return count ? sum / (double)count : 0;
}

/* ---------------------------------------------------------- the way through the targets' boxes */

/* A moved anchor along y or x. Its ends are those of the RoI; a clipped one no longer moves. */
typedef struct axis {
    double anchor_size, moved_size; /* of the anchor, before and after its deltas */
    double low, high;
    int low_moves, high_moves;
    double object_low, object_high;
} axis;

/* From the gradients of the target's centre, (object centre - RoI centre) / RoI size, and of its
 * size, log(object size / RoI size), to those of the anchor's two deltas. */
static void back_axis(const axis *a, double center, double size, double out[2]) {
    double roi = a->high - a->low;
    double off = 0.5 * (a->object_low + a->object_high - a->low - a->high) / roi;
    double to_low = a->low_moves ? (center * (off - 0.5) + size) / roi : 0;
    double to_high = a->high_moves ? (center * (-off - 0.5) - size) / roi : 0;
    double stretch = 0.5 * (to_high - to_low);
    out[0] = (to_low + to_high) * a->anchor_size;
    out[1] = stretch != 0 ? stretch * a->moved_size : 0; /* the size may be infinite */
}

/* On the very border too: TensorFlow's minimum and maximum pass ties on. */
static int moves(float end) {
    return end >= 0 && end <= 1;
}

void mr_target_delta_gradient(const mr_target_delta *t, const mr_settings *settings,
                              const float target_gradient[4], float gradient[4]) {
    static const float whole[4] = {0, 0, 1, 1};
    const double *rpn = settings->rpn_bbox_std_dev.values, *box = settings->bbox_std_dev.values;
    float deltas[4], moved[4], roi[4];
    for (int k = 0; k < 4; k++) deltas[k] = t->deltas[k] * (float)rpn[k];
    mr_apply_deltas(t->anchor, deltas, moved); /* in float, as mr_propose: the step's very RoI */
    memcpy(roi, moved, sizeof roi);
    mr_clip_box(roi, whole);
    for (int k = 0; k < 2; k++) {
        double size = (double)t->anchor[2 + k] - (double)t->anchor[k], back[2];
        axis a = {.anchor_size = size,
                  .moved_size = size * exp((double)deltas[2 + k]),
                  .low = roi[k],
                  .high = roi[2 + k],
                  .low_moves = moves(moved[k]),
                  .high_moves = moves(moved[2 + k]),
                  .object_low = t->object[k],
                  .object_high = t->object[2 + k]};
        back_axis(&a, target_gradient[k] / box[k], target_gradient[2 + k] / box[2 + k], back);
        gradient[k] = (float)(back[0] * rpn[k]);
        gradient[2 + k] = (float)(back[1] * rpn[2 + k]);
    }
}

/* ---------------------------------------------------------------------------------- the weights */

int mr_is_regularised(const char *param, mr_compat compat) {
    if (compat == MR_COMPAT_PAPER) return strcmp(param, "kernel") == 0;
    return strcmp(param, "gamma") != 0 && strcmp(param, "beta") != 0;
}

double mr_l2_loss(const float *weights, size_t count, double weight_decay, mr_compat compat,
                  double scale, float *gradient) {
    enum { LANES = 8 }; /* sums beside each other: one alone waits for every addition */
    double factor = compat == MR_COMPAT_PAPER ? 0.5 * weight_decay : weight_decay / (double)count;
    double slope = 2 * factor * scale, lanes[LANES] = {0}, sum = 0;
    size_t whole = count - count % LANES;
    if (count == 0) return 0;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            double w = weights[i + k];
            lanes[k] += w * w;
            gradient[i + k] += (float)(slope * w);
        }
    for (size_t i = whole; i < count; i++) {
        lanes[0] += (double)weights[i] * (double)weights[i];
        gradient[i] += (float)(slope * (double)weights[i]);
    }
    for (size_t k = 0; k < LANES; k++) sum += lanes[k];
    return factor * sum;
}
