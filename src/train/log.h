/* log.h - a training's logs in its run folder: log.jsonl, one JSON object a step and an epoch, for
 * programs; events.out.tfevents.*, scalars of epochs and pictures of evaluations, for TensorBoard.
 * Knows nothing of how a training works.
 */
#ifndef MR_TRAIN_LOG_H
#define MR_TRAIN_LOG_H

#include "config/keys.h"

#include <mrcnn/eval.h>

/* Losses as they are optimised and as matterport's logs have them. */
typedef struct mr_log_losses {
    double loss;                 /* the weighted sum with the regulariser */
    double parts[MR_LOSS_COUNT]; /* in the order of mr_loss_names */
    double regulariser;
} mr_log_losses;

typedef struct mr_log_step {
    int64_t step;  /* steps done, this one too */
    int64_t epoch; /* of the step, from 1 */
    mr_log_losses losses;
    double learning_rate;
    double grad_norm;         /* before clipping */
    double seconds;           /* of the step */
    double images_per_second; /* of the step */
    double waited_ms;         /* for the loader */
    int64_t memory;           /* bytes */
} mr_log_step;

/* What an evaluation of the validation set gave; figures below 0 are about no object. */
typedef struct mr_log_evaluation {
    mrcnn_figures bbox, segm;
    double picture_map50, picture_map;
    int64_t pictures;
    double seconds;
} mr_log_evaluation;

/* A picture of an evaluation as an RGB PNG. */
typedef struct mr_log_image {
    int number; /* its tag is "validation/<number>" */
    int32_t height, width;
    uint8_t *png; /* malloc'ed */
    size_t length;
} mr_log_image;

typedef struct mr_log_epoch {
    int64_t step;         /* steps done */
    int64_t epoch;        /* epochs done, this one too */
    mr_log_losses losses; /* means over the epoch */
    int validated;
    mr_log_losses validation; /* if validated */
    double learning_rate;
    double seconds; /* of the epoch */
    int evaluated;
    mr_log_evaluation evaluation; /* if evaluated */
    size_t image_count;
    mr_log_image images[MR_MAX_EVAL_IMAGES]; /* for TensorBoard alone */
} mr_log_epoch;

void mr_log_free_images(mr_log_epoch *epoch);

/* ----------------------------------------------------------------------------------- log.jsonl
 * A step:  {"step":7,"epoch":1,"loss":1.25,"rpn_class_loss":...,"regulariser":...,"lr":0.001,
 *           "grad_norm":...,"seconds":...,"images_per_second":...,"waited_ms":...,"memory":...}
 * An epoch has "kind":"epoch" behind "epoch", and losses with "val_" where it was validated. Where it
 * was evaluated, it has bbox_ap, bbox_ap50, bbox_ap75, the same with segm_, picture_map50,
 * picture_map and eval_pictures, and eval_seconds at the end.
 * What is not a finite number, or a figure about no object, is null. */

typedef struct mr_jsonl mr_jsonl;

/* Opens the file for appending; makes it. Lines of steps behind `resumed_step` are cut off, and a
 * last line that is not whole: the steps will come again. */
mrcnn_status mr_jsonl_open(mr_jsonl **log, const char *path, int64_t resumed_step,
                           mrcnn_error *err);
/* One line, whole in the file when it returns. */
mrcnn_status mr_jsonl_step(mr_jsonl *log, const mr_log_step *step, mrcnn_error *err);
mrcnn_status mr_jsonl_epoch(mr_jsonl *log, const mr_log_epoch *epoch, mrcnn_error *err);
void mr_jsonl_close(mr_jsonl **log);

/* --------------------------------------------------------------------------------- TensorBoard
 * Tags are matterport's (NUMERICS 6): loss, rpn_class_loss, ..., and each with "val_"; and lr. Ours
 * are those of an evaluation's figures, named as in log.jsonl, and its pictures: validation/0, ...
 * The step is the epoch, from 0. */

typedef struct mr_tensorboard mr_tensorboard;

/* Makes events.out.tfevents.<now>.<host> in the folder; `now` is in seconds since 1970, and the
 * next free second is taken. TensorBoard forgets epochs beyond `resumed_epoch`, if there were any.
 */
mrcnn_status mr_tensorboard_open(mr_tensorboard **log, const char *folder, int64_t now,
                                 int64_t resumed_epoch, mrcnn_error *err);
/* `wall_time` is in seconds since 1970. In the file when it returns. */
mrcnn_status mr_tensorboard_epoch(mr_tensorboard *log, const mr_log_epoch *epoch, double wall_time,
                                  mrcnn_error *err);
void mr_tensorboard_close(mr_tensorboard **log);

/* ---------------------------------------------------------------------------------------- both */

typedef struct mr_log {
    mr_jsonl *jsonl;
    mr_tensorboard *tensorboard;
} mr_log;

/* Opens both in a run folder; 0 and 0 for a run that begins. A folder that can't be written to is
 * an error here, before the first step. */
mrcnn_status mr_log_open(mr_log *log, const char *folder, int64_t resumed_step,
                         int64_t resumed_epoch, mrcnn_error *err);
mrcnn_status mr_log_add_step(mr_log *log, const mr_log_step *step, mrcnn_error *err);
mrcnn_status mr_log_add_epoch(mr_log *log, const mr_log_epoch *epoch, mrcnn_error *err);
void mr_log_close(mr_log *log);

#endif
