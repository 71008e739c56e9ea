/* learner_internal.h - a learner's insides: learner.c (plans, order of the work), learner_rpn.c (RPN
 * losses), learner_heads.c (box and mask losses). */
#ifndef MR_TRAIN_LEARNER_INTERNAL_H
#define MR_TRAIN_LEARNER_INTERNAL_H

#include "graph/plan.h"
#include "model/losses.h"
#include "model/network.h"
#include "model/proposals.h"
#include "train/learner.h"

enum { MR_MAX_LEARNER_STAGES = 40 };

/* dL/d(RPN's outputs) of one anchor. */
typedef struct mr_anchor_gradient {
    int32_t pixel; /* of the batch's maps: (picture * height + y) * width + x */
    int32_t ratio; /* which of the pixel's anchors */
    float logits[2], deltas[4];
} mr_anchor_gradient;

/* One pyramid level of the RPN. */
typedef struct mr_learner_level {
    const float *logits, *deltas; /* outputs of the pyramid plan, of the whole batch */
    size_t anchors;               /* of one picture */
    size_t first;                 /* index of the level's first anchor */
    mr_anchor_gradient *entries;  /* room for max_pixels a picture */
    int entry_count;
    int32_t *pixel_list;
    mr_pixels pixels;
} mr_learner_level;

struct mr_learner {
    mr_learner_options options;
    int backward; /* of this run */
    int pyramid_trains;
    mr_plan *pyramid, *box, *mask;
    void *workspace, *roi_workspace; /* the second is a part of the first */
    size_t workspace_bytes, buffer_bytes;
    float *image;
    float *anchors; /* normalised, of one picture */
    size_t anchor_count;
    mr_proposer *proposer;
    int max_pixels; /* anchors of a picture that can have a gradient */
    mr_learner_level levels[MR_LEVELS];

    /* of each picture of the batch */
    float **proposals; /* POST_NMS_ROIS_TRAINING x 4 */
    int32_t **proposal_anchors;
    size_t *proposal_counts;
    mr_roi_matcher **matchers;
    mr_roi_targets *targets;

    /* RPN: the batch's anchors that are learnt from, gathered */
    float (*rpn_logits)[2], (*rpn_logits_gradient)[2];
    float (*rpn_deltas)[4], (*rpn_deltas_gradient)[4], (*rpn_targets)[4];
    int8_t *rpn_matches;

    /* box head: the batch's RoIs */
    int row_count, max_rows;
    float *box_rois; /* row_count x MR_ROI_COLUMNS */
    mr_roi_row *rows;
    int positive_count, max_positives; /* of the batch */
    float (*target_gradients)[4];      /* of the positives */
    float *class_gradient, *bbox_gradient;

    /* mask head */
    float *mask_rois, *mask_classes, *mask_targets, *mask_gradient;

    mrcnn_stage_time stages[MR_MAX_LEARNER_STAGES];
    size_t stage_count;
};

/* Adds to a stage's time. `name` is a string constant. */
void mr_learner_time(mr_learner *learner, const char *name, double milliseconds, double gflop);
void mr_learner_plan_times(mr_learner *learner, const mr_plan *plan);
void mr_learner_backward_times(mr_learner *learner, const mr_plan *plan);

/* learner_rpn.c */
void mr_learner_rpn_losses(mr_learner *learner, const mr_lesson *lessons, mr_lesson_result *result);
/* Adds dL/d(deltas) of one anchor, which came through the targets. */
void mr_learner_add_delta_gradient(mr_learner *learner, int image, int32_t anchor,
                                   const float gradient[4]);
const float *mr_learner_anchor_deltas(const mr_learner *learner, int image, int32_t anchor);
/* Writes the collected gradients where the pyramid's backward reads them. */
void mr_learner_rpn_gradients(mr_learner *learner);

/* learner_heads.c */
void mr_learner_set_rois(mr_learner *learner, const mr_lesson *lessons);
void mr_learner_box(mr_learner *learner, const mr_lesson *lessons, mr_lesson_result *result);
void mr_learner_mask(mr_learner *learner, mr_lesson_result *result);

#endif
