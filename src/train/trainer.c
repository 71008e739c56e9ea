/* trainer.c - mrcnn_train: a run from its first stage to its last epoch. */
#include "train/trainer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/parallel.h"
#include "model/session.h"
#include "train/layers.h"

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

int mr_trainer_should_stop(mr_trainer *t) {
    if (t->options.should_stop && t->options.should_stop(t->options.user)) t->result->stopped = 1;
    return t->result->stopped;
}

const mr_stage *mr_trainer_stage(const mr_trainer *t) {
    return &t->stages.items[t->state.stage];
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
                                  .threads = t->threads};
    return mr_learner_create(&t->learner, &options, err);
}

/* -------------------------------------------------------------------------------------- setup */

static mrcnn_status find_stages(mr_trainer *t, mrcnn_error *err) {
    const char *layers = t->options.layers;
    mrcnn_status status = MRCNN_OK;
    if (!layers) status = mr_stages_parse(&t->stages, t->settings->stages, err);
    if (status != MRCNN_OK || t->stages.count > 0) {
        int last = t->stages.count - 1;
        if (t->options.epochs > 0 && status == MRCNN_OK) {
            while (last > 0 && t->stages.items[last - 1].last_epoch >= t->options.epochs) last--;
            t->stages.count = last + 1;
            t->stages.items[last].last_epoch = t->options.epochs;
        }
        return status;
    }
    mr_stage *stage = &t->stages.items[0];
    if (!layers) layers = "heads";
    if (strlen(layers) >= sizeof stage->layers)
        return mr_fail(err, MRCNN_E_ARGUMENT, "the layers' regular expression is too long");
    memcpy(stage->layers, layers, strlen(layers) + 1);
    stage->last_epoch = t->options.epochs > 0 ? t->options.epochs : 1;
    stage->factor = 1;
    t->stages.count = 1;
    return MRCNN_OK;
}

static mrcnn_status check_set(const mr_trainer *t, const mr_dataset *set, const char *what,
                              mrcnn_error *err) {
    if (mr_dataset_class_count(set) != t->settings->num_classes)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "NUM_CLASSES is %d, but %s has %d classes with the background",
                       t->settings->num_classes, what, mr_dataset_class_count(set));
    if (mr_dataset_picture_count(set) == 0)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s has no pictures", what);
    return MRCNN_OK;
}

static mrcnn_status check(const mr_trainer *t, mrcnn_error *err) {
    const mr_settings *s = t->settings;
    mrcnn_status status = mr_config_validate(t->model->config, err);
    if (status == MRCNN_OK) status = check_set(t, t->set, "the data set", err);
    if (status == MRCNN_OK && t->validation)
        status = check_set(t, t->validation, "the validation set", err);
    if (status != MRCNN_OK) return status;
    if (!s->name[0])
        return mr_fail(err, MRCNN_E_CONFIG,
                       "NAME is not set: it names the folder of logs and the checkpoints");
    if (!s->use_rpn_rois)
        return mr_fail(
            err, MRCNN_E_UNSUPPORTED,
            "USE_RPN_ROIS: false needs RoIs from elsewhere, which training doesn't have; "
            "leave it true");
    if (s->image_channel_count != 3)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "IMAGE_CHANNEL_COUNT: %d; pictures of data sets have 3",
                       s->image_channel_count);
    for (size_t i = 0; i < mr_tensors_count(t->model->weights); i++)
        if (!mr_tensors_at(t->model->weights, i)->values)
            return mr_fail(err, MRCNN_E_ARGUMENT,
                           "a session has packed the model's weights already; train it before, or "
                           "load it once more");
    return MRCNN_OK;
}

/* Gradients, optimizer and plans of a stage. An optimizer that exists goes over to it (N49). */
static mrcnn_status start_stage(mr_trainer *t, mrcnn_error *err) {
    mr_tensors *gradients = NULL;
    mr_learner_free(&t->learner);
    mr_packs_free(&t->packs);
    t->packs = mr_packs_create();
    if (!t->packs) return mr_fail_memory(err, 1, "packed weights");
    mrcnn_status status =
        mr_layers_gradients(t->model->weights, mr_trainer_stage(t)->layers, &gradients, err);
    if (status == MRCNN_OK)
        status = t->optimizer ? mr_optimizer_retarget(t->optimizer, gradients, err)
                              : mr_optimizer_create(&t->optimizer, t->settings, t->model->weights,
                                                    gradients, t->threads, err);
    if (status != MRCNN_OK) {
        mr_tensors_free(&gradients);
        return status;
    }
    mr_tensors_free(&t->gradients);
    t->gradients = gradients;
    return MRCNN_OK;
}

static size_t set_bytes(const mr_tensors *set) {
    size_t bytes = 0;
    for (size_t i = 0; set && i < mr_tensors_count(set); i++)
        bytes += mr_tensors_at(set, i)->count * sizeof(float);
    return bytes;
}

/* All memory of the stage is there before its first step. */
static mrcnn_status announce(mr_trainer *t, mrcnn_error *err) {
    const mr_settings *s = t->settings;
    if (s->image_resize_mode == MR_RESIZE_SQUARE || s->image_resize_mode == MR_RESIZE_CROP) {
        int side = s->image_resize_mode == MR_RESIZE_CROP ? s->image_min_dim : s->image_max_dim;
        mrcnn_status status = mr_trainer_learner(t, side, side, err);
        if (status != MRCNN_OK) return status;
    }
    if (!t->options.on_start) return MRCNN_OK;
    mrcnn_train_start start = {.folder = t->folder.path,
                               .layers = mr_trainer_stage(t)->layers,
                               .trained_tensors = mr_tensors_count(t->gradients),
                               .trained_weights = set_bytes(t->gradients) / sizeof(float),
                               .epoch = (int)t->state.epoch + 1,
                               .last_epoch = mr_trainer_stage(t)->last_epoch,
                               .resumed = t->resumed,
                               .pictures = mr_dataset_picture_count(t->set),
                               .validation_pictures =
                                   t->validation ? mr_dataset_picture_count(t->validation) : 0,
                               .weight_bytes = mr_weight_bytes(t->packs, t->model->weights),
                               .gradient_bytes = set_bytes(t->gradients),
                               .activation_bytes = t->learner ? mr_learner_bytes(t->learner) : 0};
    for (int part = 0; part < MR_OPTIMIZER_PARTS; part++)
        start.optimizer_bytes +=
            set_bytes(mr_optimizer_state(t->optimizer, (mr_optimizer_part)part));
    t->options.on_start(t->options.user, &start);
    return MRCNN_OK;
}

/* --------------------------------------------------------------------------------------- run */

static void note_validation(mr_trainer *t, double loss) {
    mr_training_state *s = &t->state;
    t->improved = isfinite(loss) && (s->best_epoch == 0 || loss < s->best_loss);
    if (t->improved) {
        s->best_loss = loss;
        s->best_epoch = s->epoch;
        s->epochs_without_improvement = 0;
    } else {
        s->epochs_without_improvement++;
    }
}

static mrcnn_status report_epoch(mr_trainer *t, const mr_log_epoch *line, mrcnn_error *err) {
    mrcnn_status status = mr_log_add_epoch(&t->log, line, err);
    if (status != MRCNN_OK || !t->options.on_epoch) return status;
    mrcnn_train_epoch epoch = {.epoch = (int)t->state.epoch,
                               .last_epoch = t->stages.items[t->stages.count - 1].last_epoch,
                               .losses = mr_public_losses(&line->losses),
                               .validated = line->validated,
                               .validation = mr_public_losses(&line->validation),
                               .is_best = t->improved,
                               .learning_rate = line->learning_rate,
                               .seconds = line->seconds,
                               .checkpoint = t->result->checkpoint};
    t->options.on_epoch(t->options.user, &epoch);
    return MRCNN_OK;
}

/* Validation comes first: the checkpoint says whether it is the best one. */
static mrcnn_status end_epoch(mr_trainer *t, mrcnn_error *err) {
    mr_log_epoch line = {.step = t->state.step,
                         .epoch = t->state.epoch + 1,
                         .learning_rate = t->settings->learning_rate * mr_trainer_stage(t)->factor,
                         .seconds = t->epoch_seconds};
    if (t->summed) mr_add_losses(&line.losses, &t->sums, 1.0 / (double)t->summed);
    t->state.epoch++;
    t->state.step_in_epoch = 0;
    memset(&t->sums, 0, sizeof t->sums);
    t->summed = 0;
    t->epoch_seconds = 0;
    t->improved = 0;
    mrcnn_status status = MRCNN_OK;
    if (t->validation) {
        status = mr_trainer_validate(t, &line.validation, &line.validated, err);
        if (status == MRCNN_OK && line.validated) note_validation(t, line.validation.loss);
    }
    if (status == MRCNN_OK) status = mr_trainer_save(t, MR_CHECKPOINT_EPOCH, err);
    t->result->epochs = (int)t->state.epoch;
    return status == MRCNN_OK ? report_epoch(t, &line, err) : status;
}

static int has_waited_enough(mr_trainer *t) {
    int patience = t->settings->early_stop;
    if (!t->validation || patience == 0 || t->state.epochs_without_improvement < patience) return 0;
    mr_trainer_say(t, "stopped: %d epochs without a better validation loss than that of epoch %lld",
                   patience, (long long)t->state.best_epoch);
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
        if (status != MRCNN_OK) return status;
    }
    return end_epoch(t, err);
}

static int is_over(const mr_trainer *t) {
    return t->state.epoch >= mr_trainer_stage(t)->last_epoch;
}

static mrcnn_status run_stages(mr_trainer *t, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    int announced = 0;
    while (status == MRCNN_OK && !t->result->stopped) {
        if (is_over(t)) {
            if (t->state.stage + 1 == t->stages.count) break;
            t->state.stage++;
            status = start_stage(t, err);
            announced = 0;
            continue;
        }
        if (!announced) status = announce(t, err);
        announced = 1;
        if (status == MRCNN_OK) status = run_epoch(t, err);
        if (status == MRCNN_OK && !t->result->stopped && has_waited_enough(t)) break;
    }
    return status;
}

static mrcnn_status open_run(mr_trainer *t, mrcnn_error *err) {
    mr_checkpoint checkpoint = {0};
    mrcnn_status status = mr_trainer_open(t, &checkpoint, err);
    int last = t->stages.count - 1;
    int had_stage = checkpoint.has_state && t->state.stage <= last;
    if (!had_stage) t->state.stage = 0;
    if (status == MRCNN_OK) status = start_stage(t, err);
    if (status == MRCNN_OK && had_stage) status = mr_trainer_restore(t, &checkpoint, err);
    mr_checkpoint_free(&checkpoint);
    if (status == MRCNN_OK)
        status = mr_log_open(&t->log, t->folder.path, t->state.step, t->state.epoch, err);
    mr_feed_options feed = {.set = t->set,
                            .name = "the data set",
                            .settings = t->settings,
                            .seed = (uint64_t)t->settings->seed,
                            .training = 1,
                            .start = (uint64_t)t->state.next_draw};
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
    if (status == MRCNN_OK) status = find_stages(&t, err);
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
