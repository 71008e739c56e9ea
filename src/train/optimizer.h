/* optimizer.h - from gradients to new weights: SGD with momentum as Keras computes it (N48, N49),
 * or AdamW; clipping by the global norm; a moving average of the weights. Knows tensors, neither
 * the network nor files. One thread at a time; a step allocates nothing. */
#ifndef MR_TRAIN_OPTIMIZER_H
#define MR_TRAIN_OPTIMIZER_H

#include "config/config.h"
#include "weights/weights.h"

typedef struct mr_optimizer mr_optimizer;

/* `gradients` are the tensors that are trained (mr_layers_gradients): each has the key and shape of
 * one of `weights`. Both sets belong to the caller and outlive the optimizer, or the next retarget.
 * Reads OPTIMIZER, LEARNING_MOMENTUM, ADAM_BETAS, ADAM_EPSILON, WEIGHT_DECAY (AdamW alone),
 * EMA_DECAY and GRADIENT_CLIP_NORM. The state is zero; the average starts from the weights. */
mrcnn_status mr_optimizer_create(mr_optimizer **optimizer, const mr_settings *settings,
                                 mr_tensors *weights, mr_tensors *gradients, int threads,
                                 mrcnn_error *err);
void mr_optimizer_free(mr_optimizer **optimizer);

/* A new stage: other tensors are trained, from fresh state, as matterport's train() makes a new
 * optimizer each time (N49). The average goes on: of what was averaged before, and from the present
 * weights of what is new. On failure everything is as before. */
mrcnn_status mr_optimizer_retarget(mr_optimizer *optimizer, mr_tensors *gradients,
                                   mrcnn_error *err);

typedef struct mr_update {
    double gradient_norm; /* over all gradients, after the mean over batches, before clipping */
    double scale;         /* what clipping multiplied the gradients by; 1: nothing */
    const mr_tensor *non_finite; /* of the gradients, the first that holds an infinity or a NaN */
} mr_update;

/* One update. The gradients are sums over `batches` batches (GRADIENT_ACCUMULATION), their mean is
 * what counts. If GRADIENT_CLIP_NORM is above 0 and the norm reaches it, all are multiplied by
 * GRADIENT_CLIP_NORM / norm (N48). Then, in float32,
 *   sgd:   v = LEARNING_MOMENTUM v - rate g; w = w + v                               (N49)
 *   adamw: m = b1 m + (1 - b1) g; s = b2 s + (1 - b2) g g;
 *          w = w (1 - rate WEIGHT_DECAY), of kernels alone;
 *          w = w - rate m / (1 - b1^t) / (sqrt(s / (1 - b2^t)) + ADAM_EPSILON)
 *          (Loshchilov, Hutter: Decoupled weight decay regularization, algorithm 2; the loss must
 *          have no L2 term then)
 *   and if EMA_DECAY is above 0: average = average + (1 - EMA_DECAY) (w - average).
 * State smaller than the smallest normal float becomes 0: denormal numbers are slow and change no
 * weight. The gradients become 0. With a gradient that is not finite nothing changes, gradients
 * included, and update->non_finite names it: stop, or mr_optimizer_discard and go on. The norm and
 * all values are the same for any number of threads. */
void mr_optimizer_step(mr_optimizer *optimizer, double rate, int batches, mr_update *update);

/* Sets the gradients to 0. */
void mr_optimizer_discard(mr_optimizer *optimizer);

/* What a checkpoint keeps beside the weights: sets with the weights' keys, and a count. */
typedef enum mr_optimizer_part {
    MR_PART_VELOCITY, /* sgd */
    MR_PART_MOMENT1,  /* adamw: m */
    MR_PART_MOMENT2,  /* adamw: s */
    MR_PART_EMA,      /* the averaged weights */
    MR_OPTIMIZER_PARTS
} mr_optimizer_part;

/* "velocity", "moment1", "moment2", "ema". */
const char *mr_optimizer_part_name(mr_optimizer_part part);

/* NULL when the settings have no such part. Belongs to the optimizer; retarget and restore replace
 * its tensors. */
const mr_tensors *mr_optimizer_state(const mr_optimizer *optimizer, mr_optimizer_part part);

/* Updates since the state was zero: t above. */
int64_t mr_optimizer_updates(const mr_optimizer *optimizer);

/* Takes up a saved state: saved[part] is NULL exactly where mr_optimizer_state is, and has every
 * tensor that is trained with its shape; of the average also tensors that earlier stages trained.
 * On failure everything is as before. */
mrcnn_status mr_optimizer_restore(mr_optimizer *optimizer,
                                  const mr_tensors *const saved[MR_OPTIMIZER_PARTS],
                                  int64_t updates, mrcnn_error *err);

#endif
