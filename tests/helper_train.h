/* helper_train.h - whole training runs of a tiny network: what to run, what came of it, and whether
 * two runs left the same. */
#ifndef HELPER_TRAIN_H
#define HELPER_TRAIN_H

#include <mrcnn/mrcnn.h>

enum { TRAIN_EPOCHS = 32 };

typedef struct train_case {
    const char *logs;
    const char *const *keys; /* NULL-terminated pairs, over the tiny network's */
    const char *layers;      /* NULL: STAGES, or heads */
    int epochs;
    const char *resume;             /* a checkpoint; "last": the newest one in `logs` */
    const char *dataset;            /* a folder in VIA's format; NULL: shapes */
    const char *validation_dataset; /* NULL: `dataset` again */
    size_t pictures;                /* of shapes; 0: 6 */
    size_t validation;              /* pictures; 0: no validation set */
    int threads;                    /* 0: 1 */
    int recompute;
    int stop_at_step; /* ask to stop when so many steps are done; 0: never, -1: at once */
    int stop_after_epoch;
    /* Copies the run's folder into <logs>-<step> when so many steps are done, and into
     * <logs>-epoch-<epoch> when an epoch is: what a run that is killed there leaves. */
    int copy_at_step, copy_epochs;
    const char *poison;  /* "layer/param" whose weights become 3e38 before the first step */
    int poison_first;    /* the first of them alone, which becomes infinite */
    int sees_squares;    /* train_see_squares before the first step */
    int stop_at_picture; /* ask to stop when so many pictures have been evaluated; 0: never */
} train_case;

typedef struct train_made {
    mrcnn_status status;
    mrcnn_error err;
    mrcnn_train_result result;
    int starts, steps, epochs; /* calls */
    int resumed;               /* of the last start */
    int mask_steps;            /* steps with positive RoIs */
    double step_losses[512];
    double gradient_norm; /* of the last step */
    double losses[TRAIN_EPOCHS], validation[TRAIN_EPOCHS];
    int best[TRAIN_EPOCHS];
    int pictures; /* evaluated */
    mrcnn_train_start start;
    mrcnn_train_epoch told[TRAIN_EPOCHS]; /* without the checkpoint */
    char messages[4000];                  /* a line each */
    mrcnn_model *model;                   /* trained; NULL when it could not be made */
} train_made;

/* Runs it. Valid until the next run. */
const train_made *train_run(const train_case *c);
/* The same; a failure to train ends the test. */
const train_made *train_well(const train_case *c);
/* Of all weights of the model of the last run, and of those layers whose names match `layers` (as
 * --layers) or don't. */
unsigned long long train_weights(void);
unsigned long long train_weights_of(const char *layers, int matching, int statistics);

/* Sets biases with which a network that has learnt nothing takes every anchor for a filled square (class
 * 1): it finds something. */
void train_see_squares(mrcnn_model *model);

/* The test fails unless both runs' checkpoints of the epoch, their states, and all that their logs
 * tell of steps and epochs (but times) are the same. */
void train_same_epoch(const char *logs_a, const char *logs_b, int epoch);
void train_same_logs(const char *logs_a, const char *logs_b);

/* The only run folder in `logs`; valid until the second next call. */
const char *train_folder(const char *logs);
/* A file of it, likewise. */
const char *train_file(const char *logs, const char *name);

/* A folder in VIA's format: `count` pictures of the given sizes, each with a polygon; `outside`
 * puts the polygons beside the pictures. */
void train_via(const char *folder, int count, const int sizes[][2], int outside);

#define TRAIN_KEYS(...)     \
    (const char *const[]) { \
        __VA_ARGS__, NULL   \
    }

#endif
