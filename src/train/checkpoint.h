/* checkpoint.h - a training on disk: the Keras file of weights, which any program of the family
 * reads, and beside it the state of the training, which only this one does.
 *
 *     mask_rcnn_balloon_0007.h5       weights, configuration, class names
 *     mask_rcnn_balloon_0007.state    training_state.h; only the newest checkpoint has one
 *
 * At every moment of a save there is a whole pair on disk: both files are written beside, as .new;
 * then the weights are renamed, then the state. A crash between the two leaves weights whose state
 * is still called .state.new, and there it is looked for. Which state belongs to which weights is
 * told by the fingerprint of the weights, not by names or dates.
 */
#ifndef MR_TRAIN_CHECKPOINT_H
#define MR_TRAIN_CHECKPOINT_H

#include "train/run_folder.h"
#include "train/training_state.h"

/* Saves the pair of state->epoch, or of the interrupted run, then removes what it supersedes: state
 * files of older checkpoints and leftovers of saves that were killed.
 *   weights   what detection is to use: with EMA the average (the raw ones are then a set of the
 *             state)
 *   state     its config and class_names go into the weight file too
 *   keep      KEEP_CHECKPOINTS: so many newest epochs stay, and that of state->best_epoch; 0: all
 *   best      KEEP_BEST: if this epoch is state->best_epoch, it also becomes the checkpoint "best"
 * On failure (a full disk) older checkpoints are as they were and no part of the new one is left;
 * only "best" may be missing beside a new pair that is whole. `keep` and `best` do not count for an
 * interrupted run. A checkpoint of a step that was skipped supersedes nothing, is superseded by the
 * next of its kind alone, and is not found as the last one. */
mrcnn_status mr_checkpoint_save(const mr_run_folder *run, mr_checkpoint_kind kind,
                                const mr_tensors *weights, const mr_training_state *state, int keep,
                                int best, mrcnn_error *err);

typedef struct mr_checkpoint {
    char *path;          /* of the weights */
    mr_tensors *weights; /* as the file has them */
    mr_weights_info info;
    int has_state;           /* 0: only the weights can be continued from */
    mr_training_state state; /* if has_state */
    char *note;              /* why there is no state, one sentence; NULL if there is one */
} mr_checkpoint;

void mr_checkpoint_free(mr_checkpoint *checkpoint);

/* Loads weights, and the state that belongs to them if there is one; a state that is missing,
 * damaged or of other weights is no error but a note. */
mrcnn_status mr_checkpoint_load(mr_checkpoint *checkpoint, const char *path, mrcnn_error *err);

/* --weights last: loads the newest usable checkpoint of this NAME below `logs`. Folders are taken
 * newest first by the date in their names. In a folder, weights with their state go before weights
 * alone; then the later epoch goes first, an interrupted run at the place where it stopped.
 * matterport's find_last gives up when the newest folder is empty; here older ones follow.
 * *passed_over is malloc'ed text, one line for each checkpoint or folder that was not usable and
 * why; "" if there was none. MRCNN_E_IO if nothing is usable. */
mrcnn_status mr_checkpoint_find_last(mr_checkpoint *checkpoint, char **passed_over,
                                     const char *logs, const char *name, mrcnn_error *err);

/* Where the state of these weights is kept: ".h5" replaced by `ending`, ".state" or ".state.new".
 * malloc'ed. */
char *mr_checkpoint_state_path(const char *path, const char *ending);

#endif
