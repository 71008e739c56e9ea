/* trainer.c - mrcnn_train: a run from its first stage to its last epoch. */
#include "train/trainer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/parallel.h"
#include "model/session.h"
#include "model/source.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mrcnn_train_options mrcnn_train_options_default(void) {
    mrcnn_train_options options = {.size = sizeof options, .logs = "logs", .executor = "cpu"};
    return options;
}

void mr_trainer_say(mr_trainer *t, const char *format, ...) {
    char text[1000];
    va_list args;
    if (!t->options.on_message) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->options.on_message(t->options.user, text);
}

void mr_trainer_leave_out(void *trainer, const char *message) {
    mr_trainer_say(trainer, "left out: %s", message);
}

int mr_trainer_should_stop(mr_trainer *t) {
    if (t->options.should_stop && t->options.should_stop(t->options.user)) t->result->stopped = 1;
    return t->result->stopped;
}

/* Once a stage: learners come and go with the pictures' size. */
static void tell_recompute(mr_trainer *t) {
    if (!t->options.recompute || mr_learner_recomputed(t->learner) > 0 || t->told_recompute) return;
    t->told_recompute = 1;
    mr_trainer_say(t,
                   "recompute changes nothing: with layers \"%s\" no activations of the backbone "
                   "are kept that could be computed again",
                   mr_trainer_stage(t)->layers);
}

mrcnn_status mr_trainer_learner(mr_trainer *t, int height, int width, mrcnn_error *err) {
    if (t->learner && t->learner_height == height && t->learner_width == width) return MRCNN_OK;
    mr_learner_free(&t->learner);
    t->learner_height = height;
    t->learner_width = width;
    mr_learner_options options = {.settings = t->settings,
                                  .executor = t->executor,
                                  .weights = t->model->weights,
                                  .gradients = t->gradients,
                                  .packs = t->packs,
                                  .height = height,
                                  .width = width,
                                  .batch = mr_batch_size(t->settings),
                                  .threads = t->threads,
                                  .recompute = t->options.recompute};
    mrcnn_status status = mr_learner_create(&t->learner, &options, err);
    if (status == MRCNN_OK) tell_recompute(t);
    return status;
}

/* -------------------------------------------------------------------------------------- setup */

static mrcnn_status check_set(const mr_trainer *t, const mr_dataset *set, const char *what,
                              mrcnn_error *err) {
    if (mr_dataset_class_count(set) != t->settings->num_classes)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "NUM_CLASSES is %d, but %s has %d classes with the background",
                       t->settings->num_classes, what, mr_dataset_class_count(set));
    if (mr_dataset_channels(set) != t->settings->image_channel_count)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "IMAGE_CHANNEL_COUNT is %d, but %s is read with %d channels: open it with "
                       "the options that mrcnn_config_image_options gives",
                       t->settings->image_channel_count, what, mr_dataset_channels(set));
    if (mr_dataset_picture_count(set) == 0)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s has no pictures", what);
    return MRCNN_OK;
}

/* An evaluation of other classes than those that are trained would mean nothing. */
static mrcnn_status check_names(const mr_trainer *t, mrcnn_error *err) {
    for (int i = 1; i < mr_dataset_class_count(t->set); i++) {
        const char *name = mr_dataset_class_name(t->set, i);
        const char *other = mr_dataset_class_name(t->validation, i);
        if (strcmp(name, other) != 0)
            return mr_fail(err, MRCNN_E_ARGUMENT,
                           "class %d is \"%s\" in the data set and \"%s\" in the validation set; "
                           "open the validation set with the class names of the data set",
                           i, name, other);
    }
    return MRCNN_OK;
}

static mrcnn_status check(const mr_trainer *t, mrcnn_error *err) {
    const mr_settings *s = t->settings;
    mrcnn_status status = mr_config_validate_training(t->model->config, err);
    if (status == MRCNN_OK) status = check_set(t, t->set, "the data set", err);
    if (status == MRCNN_OK && t->validation)
        status = check_set(t, t->validation, "the validation set", err);
    if (status == MRCNN_OK) status = mr_model_check_confidence(t->model, err);
    if (status != MRCNN_OK) return status;
    if (!s->name[0])
        return mr_fail(err, MRCNN_E_CONFIG,
                       "NAME is not set: it names the folder of logs and the checkpoints");
    if (!t->validation && (s->eval_every > 0 || s->early_stop > 0 || s->keep_best))
        return mr_fail(err, MRCNN_E_CONFIG, "%s needs a validation set, and there is none",
                       s->eval_every > 0 ? "EVAL_EVERY"
                       : s->keep_best    ? "KEEP_BEST"
                                         : "EARLY_STOP");
    if (s->eval_every > 0 && (status = check_names(t, err)) != MRCNN_OK) return status;
    if (!s->use_rpn_rois)
        return mr_fail(
            err, MRCNN_E_UNSUPPORTED,
            "USE_RPN_ROIS: false needs RoIs from elsewhere, which training doesn't have; "
            "leave it true");
    if (mr_packs_are_there(t->model->packs))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "a session has packed the model's weights already; train it before, or "
                       "load it once more");
    return mr_model_need_weights(t->model, err);
}

/* --------------------------------------------------------------------------------------- run */

/* With EVAL_EVERY only evaluations count: an epoch without one is neither better nor worse. */
static void note_measure(mr_trainer *t, const mr_log_epoch *line) {
    mr_training_state *s = &t->state;
    double loss = line->validation.loss, ap = line->evaluation.segm.ap;
    t->improved = 0;
    if (s->best_by_ap ? !line->evaluated : !line->validated) return;
    if (s->best_by_ap)
        t->improved = ap >= 0 && (s->best_epoch == 0 || ap > s->best_ap);
    else
        t->improved = isfinite(loss) && (s->best_epoch == 0 || loss < s->best_loss);
    s->without_improvement = t->improved ? 0 : s->without_improvement + 1;
    if (!t->improved) return;
    s->best_epoch = s->epoch;
    s->best_loss = s->best_by_ap ? 0 : loss;
    s->best_ap = s->best_by_ap ? ap : 0;
}

/* A run that goes on with another measure of what is best has no best epoch yet. */
static void choose_measure(mr_trainer *t) {
    mr_training_state *s = &t->state;
    int by_ap = t->settings->eval_every > 0;
    if (s->best_by_ap == by_ap) return;
    s->best_by_ap = by_ap;
    s->best_epoch = s->without_improvement = 0;
    s->best_loss = s->best_ap = 0;
}

static void report_epoch(mr_trainer *t, const mr_log_epoch *line) {
    if (!t->options.on_epoch) return;
    mrcnn_train_epoch epoch = {.epoch = (int)t->state.epoch,
                               .last_epoch = t->stages.items[t->stages.count - 1].last_epoch,
                               .losses = mr_public_losses(&line->losses),
                               .validated = line->validated,
                               .validation = mr_public_losses(&line->validation),
                               .is_best = t->improved,
                               .learning_rate = line->learning_rate,
                               .seconds = line->seconds,
                               .checkpoint = t->result->checkpoint,
                               .evaluated = line->evaluated,
                               .bbox_ap = line->evaluation.bbox.ap,
                               .bbox_ap50 = line->evaluation.bbox.ap50,
                               .bbox_ap75 = line->evaluation.bbox.ap75,
                               .segm_ap = line->evaluation.segm.ap,
                               .segm_ap50 = line->evaluation.segm.ap50,
                               .segm_ap75 = line->evaluation.segm.ap75,
                               .picture_map50 = line->evaluation.picture_map50,
                               .picture_map = line->evaluation.picture_map,
                               .evaluation_pictures = (size_t)line->evaluation.pictures,
                               .evaluation_seconds = line->evaluation.seconds};
    t->options.on_epoch(t->options.user, &epoch);
}

mr_log_losses mr_trainer_mean_losses(const mr_trainer *t) {
    mr_log_losses mean = {0};
    mr_add_losses(&mean, &t->sums, t->state.summed ? 1.0 / (double)t->state.summed : NAN);
    return mean;
}

/* *done is 0 when should_stop ended it. */
static mrcnn_status measure(mr_trainer *t, mr_log_epoch *line, int *done, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    *done = 1;
    if (t->validation) {
        status = mr_trainer_validate(t, &line->validation, &line->validated, err);
        *done = line->validated;
    }
    if (status == MRCNN_OK && *done && mr_trainer_evaluates(t)) {
        status = mr_trainer_evaluate(t, line, &line->evaluated, err);
        *done = line->evaluated;
    }
    return status;
}

/* The log comes before the checkpoint: what a run that is killed between the two has logged too much
 * is cut off when it goes on. */
static mrcnn_status close_epoch(mr_trainer *t, mr_log_epoch *line, mrcnn_error *err) {
    mr_training_state *s = &t->state;
    line->losses = mr_trainer_mean_losses(t);
    memset(&t->sums, 0, sizeof t->sums);
    s->epoch++;
    s->step_in_epoch = s->summed = 0;
    s->epoch_seconds = 0;
    note_measure(t, line);
    mrcnn_status status = mr_log_add_epoch(&t->log, line, err);
    if (status == MRCNN_OK) status = mr_trainer_save(t, MR_CHECKPOINT_EPOCH, err);
    if (status != MRCNN_OK) return status;
    t->result->epochs = (int)s->epoch;
    report_epoch(t, line);
    return MRCNN_OK;
}

/* What a step or an evaluation that failed leaves is what was before it, so that nothing is lost of
 * the epoch. */
static void save_before_failure(mr_trainer *t) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (t->state.step_in_epoch == 0) return;
    if (mr_trainer_save(t, MR_CHECKPOINT_INTERRUPTED, &err) == MRCNN_OK)
        mr_trainer_say(t, "the run is saved as it was after step %lld", (long long)t->state.step);
    else
        mr_trainer_say(t, "the run could not be saved: %s", err.message);
}

/* Validation and evaluation come first: the checkpoint says whether it is the best one. If they are
 * interrupted or fail, the epoch isn't over: going on begins with them. */
static mrcnn_status end_epoch(mr_trainer *t, mrcnn_error *err) {
    const mr_training_state *s = &t->state;
    mr_log_epoch line = {.step = s->step,
                         .epoch = s->epoch + 1,
                         .learning_rate = mr_trainer_rate(t, s->step - 1),
                         .seconds = s->epoch_seconds};
    int done;
    mrcnn_status status = measure(t, &line, &done, err);
    if (status != MRCNN_OK)
        save_before_failure(t);
    else if (done)
        status = close_epoch(t, &line, err);
    else
        status = mr_trainer_save(t, MR_CHECKPOINT_INTERRUPTED, err);
    mr_log_free_images(&line);
    return status;
}

static int has_waited_enough(mr_trainer *t) {
    int patience = t->settings->early_stop;
    if (!t->validation || patience == 0 || t->state.without_improvement < patience) return 0;
    mr_trainer_say(t, "stopped: %d %s than that of epoch %lld", patience,
                   t->state.best_by_ap ? "evaluations without a better mask AP"
                                       : "epochs without a better validation loss",
                   (long long)t->state.best_epoch);
    t->result->stopped = 1;
    return 1;
}

static mrcnn_status run_epoch(mr_trainer *t, mrcnn_error *err) {
    while (t->state.step_in_epoch < t->settings->steps_per_epoch) {
        if (mr_trainer_should_stop(t))
            return t->state.step_in_epoch ? mr_trainer_save(t, MR_CHECKPOINT_INTERRUPTED, err)
                                          : MRCNN_OK;
        mrcnn_status status = mr_trainer_step(t, err);
        t->result->steps = t->state.step;
        if (status != MRCNN_OK) {
            save_before_failure(t);
            return status;
        }
    }
    return end_epoch(t, err);
}

static int is_over(const mr_trainer *t) {
    return t->state.epoch >= mr_trainer_stage(t)->last_epoch;
}

static mrcnn_status run_stages(mr_trainer *t, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    int announced = 0;
    int64_t before = t->state.epoch;
    while (status == MRCNN_OK && !t->result->stopped && !has_waited_enough(t)) {
        if (!is_over(t)) {
            if (!announced) status = mr_trainer_announce(t, err);
            announced = 1;
            if (status == MRCNN_OK) status = run_epoch(t, err);
        } else if (t->state.stage + 1 < t->stages.count) {
            t->state.stage++;
            announced = 0;
            status = mr_trainer_start_stage(t, err);
        } else {
            if (t->state.epoch == before)
                mr_trainer_say(t,
                               "nothing is left to do: %lld epochs are done, and epoch %d is the "
                               "last one",
                               (long long)before, mr_trainer_stage(t)->last_epoch);
            break;
        }
    }
    return status;
}

static mrcnn_status open_run(mr_trainer *t, mrcnn_error *err) {
    mr_checkpoint checkpoint = {0};
    mrcnn_status status = mr_trainer_open(t, &checkpoint, err);
    if (status == MRCNN_OK && checkpoint.has_state)
        status = mr_trainer_find_stages(t, &checkpoint.state, err);
    choose_measure(t);
    int had_stage = checkpoint.has_state && t->state.stage < t->stages.count;
    if (!had_stage) {
        t->state.stage = 0;
        if (t->resumed) t->resumed = 2;
    }
    if (status == MRCNN_OK) status = mr_trainer_start_stage(t, err);
    if (status == MRCNN_OK && had_stage) status = mr_trainer_restore(t, &checkpoint, err);
    mr_checkpoint_free(&checkpoint);
    if (status == MRCNN_OK)
        status = mr_log_open(&t->log, t->folder.path, t->state.step, t->state.epoch, err);
    mr_feed_options feed = {.set = t->set,
                            .name = "the data set",
                            .settings = t->settings,
                            .seed = (uint64_t)t->settings->seed,
                            .training = 1,
                            .start = (uint64_t)t->state.next_draw,
                            .left_out = mr_trainer_leave_out,
                            .user = t};
    if (status == MRCNN_OK) status = mr_batches_open(&t->batches, &feed, err);
    if (status == MRCNN_OK)
        snprintf(t->result->folder, sizeof t->result->folder, "%s", t->folder.path);
    t->result->epochs = (int)t->state.epoch;
    t->result->steps = t->state.step;
    return status;
}

static void close_run(mr_trainer *t) {
    mr_batches_free(&t->batches);
    mr_learner_free(&t->learner);
    mr_optimizer_free(&t->optimizer);
    mr_tensors_free(&t->gradients);
    mr_tensors_free(&t->statistics);
    mr_packs_free(&t->packs);
    mr_log_close(&t->log);
    mr_run_folder_free(&t->folder);
}

mrcnn_status mrcnn_train(mrcnn_model *model, const mrcnn_dataset *set,
                         const mrcnn_dataset *validation, const mrcnn_train_options *options,
                         mrcnn_train_result *result, mrcnn_error *err) {
    mrcnn_train_result unused;
    mr_trainer t = {.model = model,
                    .settings = mr_config_settings(model->config),
                    .set = set,
                    .validation = validation,
                    .options = mrcnn_train_options_default(),
                    .result = result ? result : &unused};
    memset(t.result, 0, sizeof *t.result);
    mrcnn_status status =
        mr_take_options(&t.options, sizeof t.options, options, "mrcnn_train_options", err);
    if (status != MRCNN_OK) return status;
    if (!t.options.logs) t.options.logs = "logs";
    t.executor = mr_find_executor(t.options.executor, err);
    if (!t.executor) return MRCNN_E_ARGUMENT;
    t.threads = t.options.threads > 0 ? t.options.threads : mr_cores();
    status = check(&t, err);
    if (status == MRCNN_OK) {
        mr_model_forget_ranges(model);
        mr_source_free(&model->source);
    }
    if (status == MRCNN_OK) status = mr_trainer_find_stages(&t, NULL, err);
    if (status != MRCNN_OK) return status;
    int before = mr_set_library_threads(t.threads);
    status = open_run(&t, err);
    if (status == MRCNN_OK) status = run_stages(&t, err);
    close_run(&t);
    mr_set_library_threads(before);
    return status;
}

mrcnn_status mrcnn_train_find_last(char **path, char **passed_over, const char *logs,
                                   const char *name, mrcnn_error *err) {
    mr_checkpoint checkpoint = {0};
    char *notes = NULL;
    mrcnn_status status = mr_checkpoint_find_last(&checkpoint, &notes, logs, name, err);
    if (status == MRCNN_OK) {
        *path = checkpoint.path;
        checkpoint.path = NULL;
    }
    if (passed_over)
        *passed_over = notes;
    else
        free(notes);
    mr_checkpoint_free(&checkpoint);
    return status;
}

int mrcnn_train_can_resume(const char *path, const char *name) {
    mr_checkpoint_origin origin;
    if (!mr_checkpoint_origin_parse(&origin, path, name)) return 0;
    free(origin.folder);
    return origin.same_name;
}
