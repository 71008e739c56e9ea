/* slots.h - what the optimizer keeps for the tensors that are trained: their state (Keras calls
 * these slots) and the blocks that threads walk. Made anew for each stage. Private to this room. */
#ifndef MR_TRAIN_SLOTS_H
#define MR_TRAIN_SLOTS_H

#include "train/optimizer.h"

/* A tensor and its state, each NULL where there is none: a tensor of an earlier stage has an
 * average alone. */
typedef struct mr_slot {
    mr_tensor *weight, *gradient, *state[MR_OPTIMIZER_PARTS];
} mr_slot;

/* A stretch of a tensor that a core's cache holds with all its state. */
typedef struct mr_block {
    size_t slot, begin, count;
} mr_block;

typedef struct mr_slots {
    mr_tensors *gradients; /* not owned */
    mr_tensors *state[MR_OPTIMIZER_PARTS];
    mr_slot *slots;
    mr_block *blocks; /* those with gradients come first */
    double *sums;     /* of squared gradients, one a block */
    size_t slot_count, block_count, trained_blocks;
} mr_slots;

/* State of zeros; averages from `average` (may be NULL) where it has the tensor, else from the
 * weights. *slots is untouched on failure. */
mrcnn_status mr_slots_create(mr_slots *slots, const mr_settings *settings,
                             const mr_tensors *weights, mr_tensors *gradients,
                             const mr_tensors *average, mrcnn_error *err);
void mr_slots_free(mr_slots *slots);

/* Checks that mr_optimizer_restore can take `saved`. */
mrcnn_status mr_slots_check(const mr_slots *slots, const mr_tensors *weights,
                            const mr_tensors *const saved[MR_OPTIMIZER_PARTS], mrcnn_error *err);

#endif
