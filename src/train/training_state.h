/* training_state.h - what a training needs beside its weights to go on as if it had never stopped,
 * in memory and in a file of its own. matterport's checkpoints lack it: momentum restarts there
 * (N49).
 *
 * The file is HDF5: numbers as /step, /epoch, ...; tensors as /sets/<set>/<layer>/<param>.
 */
#ifndef MR_TRAIN_TRAINING_STATE_H
#define MR_TRAIN_TRAINING_STATE_H

#include "weights/weights.h"

enum { MR_STATE_SETS = 8, MR_STATE_NAME = 32, MR_STATE_SUMS = 7 };

typedef struct mr_state_set {
    char name[MR_STATE_NAME]; /* "velocity", "moment1", "moment2", "weights" (raw, beside EMA's) */
    mr_tensors *tensors;
} mr_state_set;

/* All zeros is a state of nothing. Who reads one owns all of it (mr_training_state_free); who
 * writes one may borrow everything in it. */
typedef struct mr_training_state {
    int64_t step;          /* steps done since the first epoch */
    int64_t epoch;         /* epochs finished */
    int64_t step_in_epoch; /* steps done of the epoch under way; 0 between epochs */
    int64_t stage;         /* index in STAGES */
    int64_t next_draw;     /* the loader's next draw */
    int64_t optimizer_steps;
    int64_t best_epoch;          /* epochs finished when the run was best; 0: not measured yet */
    int64_t best_by_ap;          /* 1: by the mask AP of an evaluation, best_ap; 0: by best_loss */
    int64_t without_improvement; /* measured so many times since best_epoch */
    int64_t last_epoch;          /* with `layers`: where the run was to end */
    int64_t summed;              /* steps of the epoch under way whose losses are in loss_sums */
    double best_loss;            /* validation loss of best_epoch */
    double best_ap;              /* mask AP of best_epoch */
    double epoch_seconds;        /* that the epoch under way has taken */
    double loss_sums[MR_STATE_SUMS]; /* the loss, its parts, the regulariser */
    char optimizer[MR_STATE_NAME];   /* "sgd", "adamw" */
    int set_count;
    mr_state_set sets[MR_STATE_SETS];
    char *config; /* YAML; NULL: none */
    char *layers; /* what the run trains when that is not told by STAGES; NULL: it is */
    size_t class_count;
    char **class_names;
} mr_training_state;

void mr_training_state_free(mr_training_state *state);

/* NULL if there is no set of that name. */
mr_tensors *mr_training_state_find(const mr_training_state *state, const char *name);

/* Writes the state of the training whose weights have this fingerprint; whole or not at all. */
mrcnn_status mr_training_state_write(const mr_training_state *state, uint64_t fingerprint,
                                     const char *path, mrcnn_error *err);

/* Reads it, bit for bit. Any bytes give a state or a message; damage anywhere is noticed. */
mrcnn_status mr_training_state_read(mr_training_state *state, uint64_t *fingerprint,
                                    const char *path, mrcnn_error *err);

#endif
