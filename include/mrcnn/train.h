/* train.h - training: pictures with annotations in, weights out. mrcnn.h includes this, and its rules hold. */
#ifndef MRCNN_TRAIN_H
#define MRCNN_TRAIN_H

#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mrcnn_dataset mrcnn_dataset; /* data.h */

/* Weighted by LOSS_WEIGHTS, as matterport's logs have them. */
typedef struct mrcnn_losses {
    double total; /* the sum of the rest */
    double rpn_class, rpn_bbox, mrcnn_class, mrcnn_bbox, mrcnn_mask;
    double regulariser;
} mrcnn_losses;

/* Before the first step. */
typedef struct mrcnn_train_start {
    const char *folder; /* of logs and checkpoints */
    const char *layers; /* of the stage that begins */
    size_t trained_tensors, trained_weights;
    int epoch, last_epoch; /* the first one to come, counted from 1, and the stage's last */
    int resumed;           /* 1: with optimizer state and random streams; 2: weights alone */
    size_t pictures, validation_pictures;
    /* Memory in bytes, all of it allocated now; loading pictures may take LOADER_MEMORY and
     * LOADER_CACHE more. */
    size_t weight_bytes, gradient_bytes, optimizer_bytes, activation_bytes;
    size_t evaluation_pictures; /* with EVAL_EVERY; else 0 */
    /* What an evaluation takes beside that, while it lasts; 0 also when the size of its pictures
     * isn't known before (IMAGE_RESIZE_MODE pad64, none, crop). */
    size_t evaluation_bytes;
} mrcnn_train_start;

typedef struct mrcnn_train_step {
    int epoch, last_epoch; /* counted from 1; the run's last one */
    int step, steps;       /* of the epoch, counted from 1 */
    int64_t total_step;    /* since the first epoch began */
    mrcnn_losses losses;   /* of the step */
    mrcnn_losses mean;     /* of the epoch so far */
    double learning_rate;
    double gradient_norm; /* before clipping */
    double seconds;       /* of the step */
    double images_per_second;
    double seconds_waited; /* of them, for pictures */
    double seconds_left;   /* in the run, without validation */
} mrcnn_train_step;

typedef struct mrcnn_train_epoch {
    int epoch, last_epoch;
    mrcnn_losses losses; /* means of the epoch's steps */
    int validated;
    mrcnn_losses validation; /* if validated */
    int is_best;             /* the lowest validation loss so far, or with EVAL_EVERY the highest
                                segm_ap */
    double learning_rate, seconds;
    const char *checkpoint; /* the file */
    /* With EVAL_EVERY, as mrcnn_report has them for the checkpoint and the validation set. */
    int evaluated;
    double bbox_ap, bbox_ap50, bbox_ap75; /* if evaluated */
    double segm_ap, segm_ap50, segm_ap75;
    double picture_map50, picture_map;
    size_t evaluation_pictures;
    double evaluation_seconds;
} mrcnn_train_epoch;

typedef struct mrcnn_train_options {
    size_t size;
    const char *logs;   /* where the run's folder is made (default "logs") */
    const char *layers; /* heads, 3+, 4+, 5+, all or a regular expression for layer names; NULL: the
                             key STAGES, or heads when there is none */
    int epochs;         /* with layers: the last epoch; 0: STAGES' last one, or 1 */
    const char *resume; /* a checkpoint whose training goes on, in its folder; NULL: a new run */
    int threads;        /* 0: one per core */
    const char *executor; /* "cpu", or "reference" */
    /* Callbacks, from the calling thread; each may be NULL. */
    void (*on_start)(void *user, const mrcnn_train_start *start); /* also when a stage begins */
    void (*on_step)(void *user, const mrcnn_train_step *step);
    void (*on_epoch)(void *user, const mrcnn_train_epoch *epoch);
    void (*on_message)(void *user, const char *message);
    /* Asked after each step, between validation batches and between evaluated pictures; non-zero saves
     * and stops. */
    int (*should_stop)(void *user);
    void *user;
    /* Before each picture of an evaluation. */
    void (*on_evaluate)(void *user, size_t done, size_t total);
    /* 1: activations of the backbone that the backward needs are not kept but computed again, segment by
     * segment: less memory, more time, the same weights bit for bit. A run may go on with or without
     * it. Where a stage leaves nothing to compute again, on_message says so. */
    int recompute;
} mrcnn_train_options;

MRCNN_API mrcnn_train_options mrcnn_train_options_default(void);

typedef struct mrcnn_train_result {
    int epochs;      /* finished */
    int64_t steps;   /* done since the first epoch */
    int stopped;     /* should_stop, or EARLY_STOP, ended it */
    int64_t skipped; /* steps without an update: a loss or a gradient was no finite number */
    char folder[1024];
    char checkpoint[1200]; /* the last one that was written; "" if none */
} mrcnn_train_result;

/* Trains the model's weights in place: nobody else may use the model meanwhile, and no session may
 * have been made of it before. Its configuration says how (mrcnn_config_key_at; keys whose help
 * begins with "training"), and must have NAME and the data set's number of classes. `validation` may
 * be NULL, but not with EVAL_EVERY, which evaluates it as mrcnn_evaluate would: open it with keep_empty, so
 * that pictures without objects count there. `result` may be NULL. Each epoch ends with a checkpoint; a failure later loses nothing of
 * it, and training goes on from it, given as `resume`, to the same weights bit for bit. */
MRCNN_API mrcnn_status mrcnn_train(mrcnn_model *model, const mrcnn_dataset *set,
                                   const mrcnn_dataset *validation,
                                   const mrcnn_train_options *options, mrcnn_train_result *result,
                                   mrcnn_error *err);

/* The newest usable checkpoint of runs of this NAME in `logs` (--weights last). *path and
 * *passed_over (one line for each newer one that is not usable, and why; "" if none) are malloc'ed;
 * free them with mrcnn_string_free. */
MRCNN_API mrcnn_status mrcnn_train_find_last(char **path, char **passed_over, const char *logs,
                                             const char *name, mrcnn_error *err);
/* 1 when the path is a checkpoint in the folder of a run of this NAME, so that `resume` goes on in
 * that folder. */
MRCNN_API int mrcnn_train_can_resume(const char *path, const char *name);

#ifdef __cplusplus
}
#endif
#endif
