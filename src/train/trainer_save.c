/* trainer_save.c - checkpoints of a run, and going on from one. */
#include "base/memory.h"
#include "train/trainer.h"
#include "train/update.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------------------------------------- saving */

void mr_trainer_swap_average(mr_trainer *t) {
    const mr_tensors *average = mr_optimizer_state(t->optimizer, MR_PART_EMA);
    for (size_t i = 0; average && i < mr_tensors_count(average); i++) {
        mr_tensor *a = mr_tensors_at(average, i);
        mr_tensor *w = mr_tensors_find(t->model->weights, a->layer, a->param);
        for (size_t k = 0; k < w->count; k++) {
            float value = w->values[k];
            w->values[k] = a->values[k];
            a->values[k] = value;
        }
    }
}

/* After the swap the average's tensors hold the raw weights: that is what the state keeps of it. */
static void list_sets(mr_trainer *t) {
    mr_training_state *s = &t->state;
    s->set_count = 0;
    for (int part = 0; part < MR_OPTIMIZER_PARTS; part++) {
        const mr_tensors *tensors = mr_optimizer_state(t->optimizer, (mr_optimizer_part)part);
        if (!tensors) continue;
        mr_state_set *set = &s->sets[s->set_count++];
        const char *name =
            part == MR_PART_EMA ? "weights" : mr_optimizer_part_name((mr_optimizer_part)part);
        memset(set->name, 0, sizeof set->name);
        memcpy(set->name, name, strlen(name));
        set->tensors = (mr_tensors *)tensors;
    }
}

/* The losses' sums are seven numbers without names there. */
static void put_sums(double sums[MR_STATE_SUMS], const mr_log_losses *losses) {
    sums[0] = losses->loss;
    for (int i = 0; i < MR_LOSSES; i++) sums[1 + i] = losses->parts[i];
    sums[1 + MR_LOSSES] = losses->regulariser;
}

static mr_log_losses take_sums(const double sums[MR_STATE_SUMS]) {
    mr_log_losses losses = {.loss = sums[0], .regulariser = sums[1 + MR_LOSSES]};
    for (int i = 0; i < MR_LOSSES; i++) losses.parts[i] = sums[1 + i];
    return losses;
}

/* What the state borrows for being written. The weights are exchanged with their average. */
static void fill_state(mr_trainer *t) {
    mr_training_state *s = &t->state;
    const char *optimizer = t->settings->optimizer == MR_ADAMW ? "adamw" : "sgd";
    memset(s->optimizer, 0, sizeof s->optimizer);
    memcpy(s->optimizer, optimizer, strlen(optimizer));
    s->optimizer_steps = mr_optimizer_updates(t->optimizer);
    s->class_count = t->model->info.class_count;
    s->class_names = t->model->info.class_names;
    s->layers = t->stages_by_key ? NULL : t->stages.items[0].layers;
    s->last_epoch = t->stages_by_key ? 0 : t->stages.items[0].last_epoch;
    put_sums(s->loss_sums, &t->sums);
    list_sets(t);
}

static void forget_borrowed(mr_training_state *s) {
    s->config = s->layers = NULL;
    s->class_names = NULL;
    s->class_count = 0;
    s->set_count = 0;
}

const mr_tensor *mr_trainer_broken_tensor(const mr_trainer *t) {
    for (size_t i = 0; i < mr_tensors_count(t->model->weights); i++) {
        const mr_tensor *w = mr_tensors_at(t->model->weights, i);
        if (!isfinite(mr_sum_of_squares(w->values, w->count))) return w;
    }
    return NULL;
}

/* Nobody could read such a checkpoint, and it would supersede one that is good. */
mrcnn_status mr_trainer_check_weights(const mr_trainer *t, mrcnn_error *err) {
    const mr_tensor *broken = mr_trainer_broken_tensor(t);
    if (!broken) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_UNSUPPORTED,
                   "step %lld has made weights of %s/%s that are not finite; go on from the last "
                   "checkpoint with a smaller LEARNING_RATE or GRADIENT_CLIP_NORM",
                   (long long)t->state.step, broken->layer, broken->param);
}

mrcnn_status mr_trainer_save(mr_trainer *t, mr_checkpoint_kind kind, mrcnn_error *err) {
    mr_training_state *s = &t->state;
    mrcnn_status status = mr_trainer_check_weights(t, err);
    if (status != MRCNN_OK) return status;
    char *config = mr_config_to_yaml(t->model->config);
    char *path = mr_checkpoint_path(&t->folder, kind, s->epoch);
    if (!config || !path) status = mr_fail_memory(err, 1 << 12, "the configuration's text");
    if (status == MRCNN_OK) {
        mr_trainer_swap_average(t);
        fill_state(t);
        s->config = config;
        mr_batches_pause(t->batches, 1); /* files are written by a child process */
        status = mr_checkpoint_save(&t->folder, kind, t->model->weights, s,
                                    t->settings->keep_checkpoints,
                                    t->settings->keep_best && t->improved, err);
        mr_batches_pause(t->batches, 0);
        forget_borrowed(s);
        mr_trainer_swap_average(t);
    }
    if (status == MRCNN_OK && kind != MR_CHECKPOINT_NON_FINITE)
        snprintf(t->result->checkpoint, sizeof t->result->checkpoint, "%s", path);
    free(config);
    free(path);
    return status;
}

/* ----------------------------------------------------------------------------------- going on */

static mrcnn_status new_folder(mr_trainer *t, mrcnn_error *err) {
    time_t now = time(NULL);
    struct tm local;
    if (!localtime_r(&now, &local)) return mr_fail(err, MRCNN_E_IO, "the clock can't be read");
    return mr_run_folder_create(&t->folder, t->options.logs, t->settings->name, &local, err);
}

static mrcnn_status take_tensors(mr_tensors *to, const mr_tensors *from, const char *path,
                                 mrcnn_error *err) {
    for (size_t i = 0; i < mr_tensors_count(from); i++) {
        const mr_tensor *saved = mr_tensors_at(from, i);
        mr_tensor *w = mr_tensors_find(to, saved->layer, saved->param);
        if (!w) continue; /* a layer that the model hasn't */
        if (w->count != saved->count)
            return mr_fail(err, MRCNN_E_WEIGHTS, "%s: tensor %s/%s has %zu numbers, the model %zu",
                           path, saved->layer, saved->param, saved->count, w->count);
        memcpy(w->values, saved->values, w->count * sizeof(float));
    }
    return MRCNN_OK;
}

/* The numbers of a run whose state is lost, as far as the file's name tells them. */
static void guess_state(mr_trainer *t, int64_t epoch) {
    const mr_settings *s = t->settings;
    t->state.epoch = epoch > 0 ? epoch : 0;
    t->state.step = t->state.epoch * s->steps_per_epoch;
    t->state.next_draw = t->state.step * s->gradient_accumulation * mr_batch_size(s);
}

static void take_numbers(mr_trainer *t, const mr_training_state *saved) {
    t->state = *saved;
    memset(t->state.sets, 0, sizeof t->state.sets);
    forget_borrowed(&t->state);
    t->sums = take_sums(saved->loss_sums);
}

mrcnn_status mr_trainer_open(mr_trainer *t, mr_checkpoint *checkpoint, mrcnn_error *err) {
    const char *path = t->options.resume;
    if (!path) return new_folder(t, err);
    mr_checkpoint_origin origin;
    mrcnn_status status = mr_checkpoint_load(checkpoint, path, err);
    if (status == MRCNN_OK)
        status = take_tensors(t->model->weights, checkpoint->weights, path, err);
    if (status != MRCNN_OK) return status;
    if (checkpoint->has_state) {
        mr_tensors *raw = mr_training_state_find(&checkpoint->state, "weights");
        if (raw) status = take_tensors(t->model->weights, raw, path, err);
        take_numbers(t, &checkpoint->state);
    }
    if (status != MRCNN_OK) return status;
    t->resumed = checkpoint->has_state ? 1 : 2;
    if (checkpoint->note) mr_trainer_say(t, "%s", checkpoint->note);
    if (!mr_checkpoint_origin_parse(&origin, path, t->settings->name)) {
        mr_trainer_say(t, "%s is not in a folder of runs: a new folder is made", path);
        return new_folder(t, err);
    }
    if (!checkpoint->has_state) guess_state(t, origin.epoch);
    status = origin.same_name
                 ? mr_run_folder_open(&t->folder, origin.folder, t->settings->name, err)
                 : new_folder(t, err);
    free(origin.folder);
    return status;
}

/* The average as it was: the weight file holds it, for the tensors that the state's raw weights
 * name. */
static mrcnn_status saved_average(const mr_checkpoint *c, const mr_tensors *raw, mr_tensors **set,
                                  mrcnn_error *err) {
    mr_tensors *average = mr_tensors_create();
    mrcnn_status status = average ? MRCNN_OK : mr_fail_memory(err, 1, "the average");
    for (size_t i = 0; status == MRCNN_OK && i < mr_tensors_count(raw); i++) {
        const mr_tensor *r = mr_tensors_at(raw, i);
        const mr_tensor *a = mr_tensors_find(c->weights, r->layer, r->param);
        mr_tensor *copy;
        if (!a || a->count != r->count)
            status = mr_fail(err, MRCNN_E_FORMAT, "%s: it has no average of %s/%s", c->path,
                             r->layer, r->param);
        else
            status = mr_tensors_add(average, a->layer, a->param, a->rank, a->shape, &copy, err);
        if (status == MRCNN_OK) memcpy(copy->values, a->values, a->count * sizeof(float));
    }
    if (status != MRCNN_OK)
        mr_tensors_free(&average);
    else
        *set = average;
    return status;
}

mrcnn_status mr_trainer_restore(mr_trainer *t, const mr_checkpoint *c, mrcnn_error *err) {
    const mr_tensors *saved[MR_OPTIMIZER_PARTS] = {NULL};
    mr_tensors *average = NULL;
    mrcnn_status status = MRCNN_OK;
    for (int part = 0; part < MR_OPTIMIZER_PARTS; part++)
        saved[part] =
            mr_training_state_find(&c->state, mr_optimizer_part_name((mr_optimizer_part)part));
    const mr_tensors *raw = mr_training_state_find(&c->state, "weights");
    if (raw) status = saved_average(c, raw, &average, err);
    saved[MR_PART_EMA] = average;
    /* Another optimizer, or other layers, than the checkpoint was made with: it starts anew. */
    int same = 1;
    for (int part = 0; part < MR_OPTIMIZER_PARTS; part++)
        same &= (saved[part] != NULL) ==
                (mr_optimizer_state(t->optimizer, (mr_optimizer_part)part) != NULL);
    mrcnn_error why = MRCNN_ERROR_INIT;
    if (status == MRCNN_OK &&
        (!same ||
         mr_optimizer_restore(t->optimizer, saved, c->state.optimizer_steps, &why) != MRCNN_OK)) {
        mr_trainer_say(t, "the optimizer starts anew: %s",
                       same ? why.message : "it is another one than the checkpoint's");
        t->resumed = 2;
    }
    mr_tensors_free(&average);
    return status;
}
