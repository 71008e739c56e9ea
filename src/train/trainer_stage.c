/* trainer_stage.c - the stages of a run, and what one of them needs before its first step. */
#include "base/memory.h"
#include "train/layers.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

const mr_stage *mr_trainer_stage(const mr_trainer *t) {
    return &t->stages.items[t->state.stage];
}

/* One stage, for --layers. */
static mrcnn_status make_stage(mr_trainer *t, const char *layers, int last_epoch,
                               mrcnn_error *err) {
    mr_stage stage = {.last_epoch = last_epoch > 0 ? last_epoch : 1, .factor = 1};
    if (strlen(layers) >= sizeof stage.layers)
        return mr_fail(err, MRCNN_E_ARGUMENT, "the layers' regular expression is too long");
    memcpy(stage.layers, layers, strlen(layers) + 1);
    t->stages = (mr_stages){.count = 1};
    t->stages.items[0] = stage;
    return MRCNN_OK;
}

/* Ends the run with `last_epoch`: stages behind it go, and the last one is made longer. */
static void end_with(mr_stages *stages, int last_epoch) {
    int last = stages->count - 1;
    while (last > 0 && stages->items[last - 1].last_epoch >= last_epoch) last--;
    stages->count = last + 1;
    stages->items[last].last_epoch = last_epoch;
}

/* Not when a stage begins, perhaps days later. */
static mrcnn_status check_layers(const mr_trainer *t, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (int i = 0; i < t->stages.count && status == MRCNN_OK; i++) {
        mr_tensor **chosen = NULL;
        size_t count;
        status =
            mr_layers_select(t->model->weights, t->stages.items[i].layers, &chosen, &count, err);
        free(chosen);
    }
    return status;
}

static mrcnn_status find_stages(mr_trainer *t, const mr_training_state *saved, mrcnn_error *err) {
    const char *layers = t->options.layers;
    int last_epoch = t->options.epochs;
    if (!layers && saved && saved->layers && !mr_config_is_explicit(t->model->config, "STAGES")) {
        layers = saved->layers;
        if (last_epoch == 0) last_epoch = (int)saved->last_epoch;
    }
    t->stages_by_key = !layers && t->settings->stages[0];
    if (!t->stages_by_key) return make_stage(t, layers ? layers : "heads", last_epoch, err);
    mrcnn_status status = mr_stages_parse(&t->stages, t->settings->stages, err);
    if (status == MRCNN_OK && last_epoch > 0) end_with(&t->stages, last_epoch);
    return status;
}

mrcnn_status mr_trainer_find_stages(mr_trainer *t, const mr_training_state *saved,
                                    mrcnn_error *err) {
    mrcnn_status status = find_stages(t, saved, err);
    return status == MRCNN_OK ? check_layers(t, err) : status;
}

/* Copies what a step with TRAIN_BN changes although it fails. */
static mrcnn_status keep_statistics(mr_trainer *t, mrcnn_error *err) {
    if (t->statistics || t->settings->train_bn == MR_BN_FROZEN) return MRCNN_OK;
    t->statistics = mr_tensors_create();
    if (!t->statistics) return mr_fail_memory(err, 1, "moving statistics");
    for (size_t i = 0; i < mr_tensors_count(t->model->weights); i++) {
        const mr_tensor *w = mr_tensors_at(t->model->weights, i);
        mr_tensor *copy;
        if (strncmp(w->param, "moving_", 7) != 0) continue;
        mrcnn_status status =
            mr_tensors_add(t->statistics, w->layer, w->param, w->rank, w->shape, &copy, err);
        if (status != MRCNN_OK) return status;
    }
    return MRCNN_OK;
}

mrcnn_status mr_trainer_start_stage(mr_trainer *t, mrcnn_error *err) {
    mr_tensors *gradients = NULL;
    mr_learner_free(&t->learner);
    t->told_recompute = 0;
    mr_packs_free(&t->packs);
    t->packs = mr_packs_create();
    if (!t->packs) return mr_fail_memory(err, 1, "packed weights");
    mrcnn_status status = keep_statistics(t, err);
    if (status == MRCNN_OK)
        status =
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

static size_t validation_pictures(const mr_trainer *t) {
    size_t count = 0;
    for (size_t i = 0; t->validation && i < mr_dataset_picture_count(t->validation); i++)
        count += mr_dataset_picture(t->validation, i)->object_count > 0;
    return count;
}

/* All memory of the stage is there before its first step. */
mrcnn_status mr_trainer_announce(mr_trainer *t, mrcnn_error *err) {
    const mr_settings *s = t->settings;
    if (s->image_resize_mode == MR_RESIZE_SQUARE || s->image_resize_mode == MR_RESIZE_CROP) {
        int side = s->image_resize_mode == MR_RESIZE_CROP ? s->image_min_dim : s->image_max_dim;
        mrcnn_status status = mr_trainer_learner(t, side, side, err);
        if (status != MRCNN_OK) return status;
    }
    if (s->eval_every > 0 && t->evaluation_bytes == 0) {
        mrcnn_status status = mr_trainer_rehearse(t, err);
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
                               .validation_pictures = validation_pictures(t),
                               .evaluation_pictures = mr_trainer_evaluated_pictures(t),
                               .evaluation_bytes = t->evaluation_bytes,
                               .weight_bytes = mr_weight_bytes(t->packs, t->model->weights),
                               .gradient_bytes = set_bytes(t->gradients),
                               .activation_bytes = t->learner ? mr_learner_bytes(t->learner) : 0};
    for (int part = 0; part < MR_OPTIMIZER_PARTS; part++)
        start.optimizer_bytes +=
            set_bytes(mr_optimizer_state(t->optimizer, (mr_optimizer_part)part));
    t->options.on_start(t->options.user, &start);
    return MRCNN_OK;
}
