/* inspect_targets.h - what `mrcnn inspect targets` counts over its pictures, and the page's parts. */
#ifndef CLI_INSPECT_TARGETS_H
#define CLI_INSPECT_TARGETS_H

#include "inspect_set.h"
#include "show.h"

/* Over all pictures. Deltas are kept as they are learnt: divided by their standard deviations. */
typedef struct delta_list {
    size_t count;
    double *values[4];
} delta_list;

typedef struct target_sums {
    size_t pictures, nothing; /* looked at; with nothing to learn from */
    size_t objects;           /* without crowds */
    size_t objects_in_reach;  /* of them, met by an anchor with IoU 0.7 or more */
    size_t objects_proposed;  /* met by a RoI with IoU 0.5 or more */
    size_t anchors, positive_anchors, negative_anchors;
    size_t rois, positive_rois, negative_rois, padding;
    size_t empty_masks, full_masks; /* targets of positive RoIs without a 1, and without a 0 */
    delta_list rpn, heads;
    double *class_rois; /* positive RoIs of each class */
    int class_count, are_proposals;
    mrcnn_losses losses; /* summed */
} target_sums;

void target_sums_add(target_sums *sums, const mrcnn_targets *targets);
void target_sums_free(target_sums *sums);

/* Mean and standard deviation of one of the four deltas. */
void delta_moments(const delta_list *list, int which, double *mean, double *deviation);

void targets_show_summary(show *s, const target_sums *sums, const mrcnn_dataset *set);
void targets_show_picture(show *s, const mrcnn_targets *targets, const mrcnn_dataset *set);

#endif
