/* losses.h - the five losses, the regulariser, and their gradients, on plain arrays (N41-N47).
 *
 * Each function returns the loss itself and writes `scale` times its gradient: scale is the loss's
 * weight (LOSS_WEIGHTS), divided by the number of steps when gradients accumulate. Arrays hold the
 * whole batch, picture after picture, because each mean is over the whole batch (N42). A loss
 * without an element is 0 and so is its gradient (N46). Sums are in double and in the order of the
 * array: the same input gives the same bytes. Gradients are overwritten, not added to, unless said
 * otherwise. Nothing here allocates. */
#ifndef MR_MODEL_LOSSES_H
#define MR_MODEL_LOSSES_H

#include "config/config.h"

/* N42: cross entropy of the anchors that are learnt from. logits: of these anchors only, background
 * and object; matches: 1 object, -1 background. */
double mr_rpn_class_loss(const float (*logits)[2], const int8_t *matches, size_t count,
                         double scale, float (*gradient)[2]);

/* N41, N42: smooth L1 (switch at 1), mean over all 4 * count numbers. Positive anchors only. */
double mr_rpn_bbox_loss(const float (*deltas)[4], const float (*targets)[4], size_t count,
                        double scale, float (*gradient)[4]);

/* What the box head is to answer in one row of its output. */
typedef struct mr_roi_row {
    int32_t class_id;      /* 0 for negatives and padding */
    int32_t copies;        /* how many identical rows it stands for: N44's padding of a picture is
                              one row, all of whose copies have the same logits; else 1 */
    const uint8_t *active; /* the classes that its picture's source annotates; NULL: all */
    const float *target;   /* four deltas of a positive, else not read */
} mr_roi_row;

/* logits: count x classes; gradient: the same, for all copies of a row together.
 *
 * MR_COMPAT_MATTERPORT, N43 and N44: cross entropy of the rows whose *predicted* class is active,
 * divided by their number; when there is none (0/0 there), 0. On purpose not as there: every row
 * asks its own picture's active classes, where matterport asks those of the batch's first picture.
 * That is the same for one source, and right for batches that mix them.
 *
 * MR_COMPAT_PAPER: a softmax over the active classes (and the target), mean over all rows. The
 * caller leaves padding out. */
double mr_mrcnn_class_loss(const mr_roi_row *rows, size_t count, const float *logits, int classes,
                           mr_compat compat, double scale, float *gradient);

/* N45: smooth L1 of the target class's deltas, positives only. deltas: count x classes x 4;
 * gradient: the same. target_gradient: NULL, or one row a positive, in their order: the gradient
 * with respect to the targets, which mr_target_delta_gradient takes on. */
double mr_mrcnn_bbox_loss(const mr_roi_row *rows, size_t count, const float *deltas, int classes,
                          double scale, float *gradient, float (*target_gradient)[4]);

/* N45: Keras's binary_crossentropy of probabilities, clipped to [1e-7, 1 - 1e-7] in float32, mean
 * over all `count` pixels of the positives' target class. targets: 0 or 1. The gradient is with
 * respect to the probabilities, and 0 for what was clipped. */
double mr_mrcnn_mask_loss(const float *probabilities, const float *targets, size_t count,
                          double scale, float *gradient);

/* What matterport's target deltas are a function of: nothing stops gradients there, so that
 * mrcnn_bbox_loss also moves the RPN's deltas through box = clip(anchor moved by deltas). */
typedef struct mr_target_delta {
    const float *anchor; /* normalised */
    const float *deltas; /* the RPN's output for it, four numbers, before RPN_BBOX_STD_DEV */
    const float *object; /* the ground truth box, normalised */
} mr_target_delta;

/* Turns dL/dtarget into dL/ddeltas. At a clipped coordinate the derivative is 0, on the very border
 * 1, as that of TensorFlow's minimum and maximum. Deltas that overflow move nothing. */
void mr_target_delta_gradient(const mr_target_delta *target, const mr_settings *settings,
                              const float target_gradient[4], float gradient[4]);

/* N47: which trainable tensors are regularised, by their parameter's name: in matterport all but
 * gamma and beta, in the paper kernels alone. */
int mr_is_regularised(const char *param, mr_compat compat);

/* N47: WEIGHT_DECAY * sum(w^2) / count in matterport (the mean: far weaker than it looks),
 * WEIGHT_DECAY / 2 * sum(w^2) in the paper. ADDS scale times the gradient to `gradient`. */
double mr_l2_loss(const float *weights, size_t count, double weight_decay, mr_compat compat,
                  double scale, float *gradient);

#endif
