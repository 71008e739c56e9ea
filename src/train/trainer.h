/* trainer.h - inside a training run: trainer.c (the run: epochs), trainer_stage.c (stages),
 * trainer_step.c (one step), trainer_save.c (checkpoints, going on from one), validate.c,
 * trainer_evaluate.c. */
#ifndef MR_TRAIN_TRAINER_H
#define MR_TRAIN_TRAINER_H

#include "base/error.h"
#include "config/stages.h"
#include "model/model.h"
#include "train/checkpoint.h"
#include "train/batches.h"
#include "train/learner.h"
#include "train/log.h"
#include "train/optimizer.h"

typedef struct mr_trainer {
    mrcnn_model *model;
    const mr_settings *settings; /* of the model */
    const mr_dataset *set, *validation;
    mrcnn_train_options options;
    mrcnn_train_result *result;
    const mr_executor *executor;
    int threads;

    mr_stages stages;
    int stages_by_key; /* STAGES told them, and not options.layers */
    mr_run_folder folder;
    mr_log log;
    mr_batches *batches;
    int resumed;

    /* of the stage */
    mr_tensors *gradients;
    mr_packs *packs; /* of what the stage doesn't train */
    mr_optimizer *optimizer;
    mr_learner *learner; /* for pictures of learner_height x learner_width */
    int learner_height, learner_width;
    int told_recompute; /* that the stage has nothing to compute again */

    mr_training_state state; /* numbers only; the rest is filled in for saving */
    mr_tensors *statistics;  /* with TRAIN_BN: moving statistics as they were before the step */
    mr_log_losses sums;      /* of the epoch's state.summed steps */
    double step_seconds;     /* a moving mean */
    double waited_before;
    int skipped_in_a_row;
    int improved;            /* the last epoch was the best one */
    int evaluated;           /* in this run: pictures that can't be read have been told */
    size_t evaluation_bytes; /* 0: not known */
} mr_trainer;

void mr_trainer_say(mr_trainer *trainer, const char *format, ...) MR_PRINTF(2, 3);
/* Says that a picture is passed over: for feeds. */
void mr_trainer_leave_out(void *trainer, const char *message);
int mr_trainer_should_stop(mr_trainer *trainer);
/* Of the epoch so far, without skipped steps; NaN when all of them were skipped. */
mr_log_losses mr_trainer_mean_losses(const mr_trainer *trainer);

/* Makes trainer->learner one for pictures of this size. */
mrcnn_status mr_trainer_learner(mr_trainer *trainer, int height, int width, mrcnn_error *err);

/* trainer_stage.c: options.layers, or else what a run that goes on had, or else STAGES, or else the
 * heads; `saved` is NULL for a new run. */
mrcnn_status mr_trainer_find_stages(mr_trainer *trainer, const mr_training_state *saved,
                                    mrcnn_error *err);
const mr_stage *mr_trainer_stage(const mr_trainer *trainer);
/* Gradients, optimizer and packs of the stage; an optimizer that exists goes over to it (N49). */
mrcnn_status mr_trainer_start_stage(mr_trainer *trainer, mrcnn_error *err);
/* Makes plans and tells on_start. */
mrcnn_status mr_trainer_announce(mr_trainer *trainer, mrcnn_error *err);

/* trainer_step.c: one update of the weights, logged and reported. */
mrcnn_status mr_trainer_step(mr_trainer *trainer, mrcnn_error *err);
/* The learning rate of a step of the stage, counted from 0 since the first epoch began. */
double mr_trainer_rate(const mr_trainer *trainer, int64_t step);

/* validate.c: mean losses over VALIDATION_STEPS batches, or the whole set; always the same pictures.
 * *done is 0 when should_stop ended it. */
mrcnn_status mr_trainer_validate(mr_trainer *trainer, mr_log_losses *losses, int *done,
                                 mrcnn_error *err);
/* The pictures of the validation set with objects, malloc'ed: validation takes those. */
mrcnn_status mr_trainer_pictures(const mr_trainer *trainer, size_t **pictures, size_t *count,
                                 mrcnn_error *err);
/* A batch's losses times their weights, and their sum. */
void mr_weigh_losses(const mr_settings *settings, const mr_lesson_result *result,
                     double regulariser, mr_log_losses *losses);
void mr_add_losses(mr_log_losses *sum, const mr_log_losses *more, double factor);
mrcnn_losses mr_public_losses(const mr_log_losses *losses);

/* trainer_evaluate.c: whether the epoch that ends is evaluated, that is EVAL_EVERY. */
int mr_trainer_evaluates(const mr_trainer *trainer);
/* mrcnn_evaluate on the weights as they would be saved, and EVAL_IMAGES, which are to be freed by
 * mr_log_free_images; nothing in *epoch counts if it fails. *done is 0 when should_stop ended it. */
mrcnn_status mr_trainer_evaluate(mr_trainer *trainer, mr_log_epoch *epoch, int *done,
                                 mrcnn_error *err);
/* Makes everything that an evaluation needs once, to know that it can be done, and its memory. */
mrcnn_status mr_trainer_rehearse(mr_trainer *trainer, mrcnn_error *err);
/* Pictures that are evaluated. */
size_t mr_trainer_evaluated_pictures(const mr_trainer *trainer);

/* trainer_save.c */
mrcnn_status mr_trainer_save(mr_trainer *trainer, mr_checkpoint_kind kind, mrcnn_error *err);
/* The first of the weights that holds an infinity or a NaN: it can't be saved. NULL: none. */
const mr_tensor *mr_trainer_broken_tensor(const mr_trainer *trainer);
/* Says so. */
mrcnn_status mr_trainer_check_weights(const mr_trainer *trainer, mrcnn_error *err);
/* Opens a new folder, or takes up options.resume: folder, weights, numbers; with a state, in
 * *checkpoint, the optimizer's sets are to be restored by mr_trainer_restore. */
mrcnn_status mr_trainer_open(mr_trainer *trainer, mr_checkpoint *checkpoint, mrcnn_error *err);
mrcnn_status mr_trainer_restore(mr_trainer *trainer, const mr_checkpoint *checkpoint,
                                mrcnn_error *err);
/* Exchanges the weights with their moving average; does nothing without EMA_DECAY. */
void mr_trainer_swap_average(mr_trainer *trainer);

#endif
