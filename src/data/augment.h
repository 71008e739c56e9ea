/* augment.h - one draw from AUGMENTATION, and what it does to a sample: steps that move pixels go to
 * the picture and its masks, the others to the picture alone (N52). Knows nothing of data sets. */
#ifndef MR_DATA_AUGMENT_H
#define MR_DATA_AUGMENT_H

#include "config/augmentation.h"
#include "image/warp.h"

/* An operation with its numbers drawn. */
typedef struct mr_augment_step {
    mr_augment_op op;
    uint64_t stream;        /* for draws beyond those */
    const mr_range *ranges; /* that the numbers were drawn from; part of the tree */
    double values[MR_AUGMENT_MOST_SLOTS];
} mr_augment_step;

typedef struct mr_augment_plan {
    int count;
    mr_augment_step steps[MR_AUGMENT_NODES];
} mr_augment_plan;

/* What happens to the picture of that stream. A draw depends on the stream and the operation's place
 * in the tree, and on nothing else. */
void mr_augment_draw(mr_augment_plan *plan, const mr_augmentation *tree, uint64_t stream);

/* The plan's movements for a frame; free it with mr_warp_free. */
mrcnn_status mr_augment_warp(mr_warp *warp, const mr_augment_plan *plan, int height, int width,
                             mrcnn_error *err);

/* Carries the plan out on a frame of height x width x channels bytes, which may be replaced by
 * another malloc'ed one. `warp` is the plan's. */
mrcnn_status mr_augment_picture(const mr_augment_plan *plan, const mr_warp *warp, uint8_t **pixels,
                                int channels, mrcnn_error *err);

#endif
