/* target_maker.h - mrcnn_target_maker's parts: target_maker.c makes the targets, as training does;
 * target_show.c turns them into pixels to be looked at; random_rois.c has RoIs for want of a network. */
#ifndef MR_TRAIN_TARGET_MAKER_H
#define MR_TRAIN_TARGET_MAKER_H

#include "train/example.h"

#include <mrcnn/inspect.h>

/* N63: count x 4 normalised boxes, nine out of ten of them around the objects, equally many for each,
 * the rest anywhere. `stream`: of random numbers (prng.h). */
void mr_random_rois(float *rois, size_t count, const mr_ground_truth *truth, int height, int width,
                    uint64_t stream);

/* What targets were made of. */
typedef struct mr_target_source {
    const mr_settings *settings;
    const double *anchors; /* pixels */
    size_t anchor_count;
    const float *rois; /* all of them, normalised */
    size_t roi_count;
    const mr_roi_targets *targets;
} mr_target_source;

/* The example's picture changes hands. */
mrcnn_status mr_targets_show(mrcnn_targets **targets, mr_example *example,
                             const mr_target_source *source, mrcnn_error *err);

#endif
