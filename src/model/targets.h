/* targets.h - what the network is to answer: RPN targets for anchors (N56-N60) and detection targets
 * for proposals (N25-N33). */
#ifndef MR_MODEL_TARGETS_H
#define MR_MODEL_TARGETS_H

#include "model/boxes.h"

/* The objects of one picture. */
typedef struct mr_ground_truth {
    int count;
    const int32_t *class_ids;  /* negative: crowd */
    const int32_t (*boxes)[4]; /* pixels of the network's input */
    int mask_height, mask_width;
    const uint8_t *masks; /* count masks of bits (image/bits.h) */
} mr_ground_truth;

/* Anchors that are learnt from, by rising index; at most RPN_TRAIN_ANCHORS_PER_IMAGE. deltas has
 * one row a positive anchor, in their order (N58), divided by RPN_BBOX_STD_DEV. */
typedef struct mr_rpn_targets {
    int count, positive_count;
    int32_t *anchors;
    int8_t *matches; /* 1 or -1 */
    float (*deltas)[4];
} mr_rpn_targets;

/* N56-N60: matches anchors with objects. anchors: pixels, doubles (mr_anchors_pixels). stream: a
 * random stream (prng.h) for SAMPLING random; SAMPLING first takes the lowest indices. Masks aren't
 * looked at. A picture without an object (crowds don't count) has negative anchors only. An object
 * with an empty box is an error. Free the result with mr_rpn_targets_free. */
mrcnn_status mr_build_rpn_targets(mr_rpn_targets *targets, const double *anchors,
                                  size_t anchor_count, const mr_ground_truth *truth,
                                  const mr_settings *settings, uint64_t stream, mrcnn_error *err);
void mr_rpn_targets_free(mr_rpn_targets *targets);
size_t mr_rpn_targets_bytes(const mr_rpn_targets *targets);

/* RoIs of one picture: positives first, then negatives (N32), each by rising proposal. `padding`
 * counts the zero rows that the reference puts behind them; it is 0 with COMPAT paper, which has
 * none. Arrays have TRAIN_ROIS_PER_IMAGE entries; those of positives, int(TRAIN_ROIS_PER_IMAGE *
 * ROI_POSITIVE_RATIO). */
typedef struct mr_roi_targets {
    int positive_count, negative_count, padding;
    int32_t *proposals; /* index of the proposal; -1: a ground truth box itself (COMPAT paper, whose
                           program lists them before the proposals) */
    int32_t *objects;   /* index of the object that a positive is matched with, else -1 */
    float (*rois)[4];   /* normalised */
    int32_t *class_ids; /* 0 for negatives */
    float (*deltas)[4]; /* of positives, divided by BBOX_STD_DEV */
    float *masks;       /* of positives: MASK_SHAPE values of 0 or 1 each */
} mr_roi_targets;

/* Buffers, so that a step allocates nothing. They grow when there are more proposals than
 * POST_NMS_ROIS_TRAINING or more objects than MAX_GT_INSTANCES. One thread at a time. */
typedef struct mr_roi_matcher mr_roi_matcher;

/* NULL: no memory. */
mr_roi_matcher *mr_roi_matcher_create(const mr_settings *settings);
void mr_roi_matcher_free(mr_roi_matcher **matcher);
size_t mr_roi_matcher_bytes(const mr_roi_matcher *matcher);

/* N25-N33. proposals: count x 4, normalised to height x width; rows of zeros, or of anything that
 * isn't finite, are skipped. truth->masks are mini masks (N54) with USE_MINI_MASK, else as large as
 * the picture. stream: a random stream (prng.h), another for each picture and step; with SAMPLING
 * first it isn't used. The result's arrays belong to the matcher until its next call. Fails when a
 * class id isn't below NUM_CLASSES. */
mrcnn_status mr_match_rois(mr_roi_matcher *matcher, const float *proposals, size_t count,
                           const mr_ground_truth *truth, int height, int width, uint64_t stream,
                           mr_roi_targets *targets, mrcnn_error *err);

#endif
