/* learner.h - what one batch teaches: forward through the three graphs, targets, the five losses,
 * and backward through the graphs into the gradients of all trainable tensors. One learner serves
 * one input size; it allocates nothing while it runs. */
#ifndef MR_TRAIN_LEARNER_H
#define MR_TRAIN_LEARNER_H

#include "graph/executor.h"
#include "model/targets.h"

enum { MR_LOSSES = 5 }; /* in the order of LOSS_WEIGHTS */

/* One picture of a batch. Pointers are read while mr_learner_run runs. */
typedef struct mr_lesson {
    const uint8_t *pixels; /* height x width x channels, before the mean is subtracted */
    mr_ground_truth truth;
    mr_rpn_targets rpn;
    const uint8_t *active;  /* a byte for each class */
    uint64_t stream;        /* of random numbers, for sampling RoIs */
    const float *proposals; /* proposal_count x 4 instead of the RPN's; NULL: the RPN's */
    size_t proposal_count;
    /* Which anchor each of `proposals` came from; negative or NULL: from none, so that no gradient
     * reaches the RPN through the target deltas (COMPAT). */
    const int32_t *proposal_anchors;
} mr_lesson;

typedef struct mr_learner_options {
    const mr_settings *settings;
    const mr_executor *executor;
    mr_tensors *weights;
    mr_tensors *gradients; /* of the trainable tensors; they are added to. NULL: validation, which
                              computes losses only */
    mr_packs *packs;       /* of what is not trained; to be made anew when that changes */
    int height, width, batch, threads;
    int detach_targets; /* no gradient through the target deltas, as in COMPAT paper */
    int recompute; /* activations of the backbone are computed again for the backward, not kept */
} mr_learner_options;

/* What a batch gave. */
typedef struct mr_lesson_result {
    double losses[MR_LOSSES]; /* before their weights; 0 where nothing counts (N46) */
    int anchors, positive_anchors;
    int rois, positive_rois;
} mr_lesson_result;

typedef struct mr_learner mr_learner;

mrcnn_status mr_learner_create(mr_learner **learner, const mr_learner_options *options,
                               mrcnn_error *err);
void mr_learner_free(mr_learner **learner);

/* Activations, gradients of activations, scratch, buffers: all that it holds. */
size_t mr_learner_bytes(const mr_learner *learner);
/* How many layers of the backbone are computed again. */
int mr_learner_recomputed(const mr_learner *learner);

/* lessons: `batch` pictures. backward: 0 computes the losses alone. Losses that are no finite
 * numbers are no error here; the gradients mean nothing then. */
mrcnn_status mr_learner_run(mr_learner *learner, const mr_lesson *lessons, int backward,
                            mr_lesson_result *result, mrcnn_error *err);

/* The targets of picture `image` in the last run, for tests and inspection. */
const mr_roi_targets *mr_learner_targets(const mr_learner *learner, int image);
/* Proposals of picture `image` in the last run that asked the RPN: *count x 4, and the anchors that
 * they came from. */
const float *mr_learner_proposals(const mr_learner *learner, int image, size_t *count,
                                  const int32_t **anchors);

/* Time of the last run by stage; a stage's backward follows under "... backward". NULL past the
 * end. */
const mrcnn_stage_time *mr_learner_stage(const mr_learner *learner, size_t index);

/* N47: the regulariser's value over the trainable tensors; `scale` times its gradient is added to
 * theirs. */
double mr_regularise(const mr_tensors *weights, mr_tensors *gradients, const mr_settings *settings,
                     double scale);

#endif
