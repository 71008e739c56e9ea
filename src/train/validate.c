/* validate.c - the validation loss: the same pictures every time, unlike matterport's random batches
 * (N64), so that epochs and runs can be compared. */
#include "base/memory.h"
#include "base/parallel.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

void mr_weigh_losses(const mr_settings *settings, const mr_lesson_result *result,
                     double regulariser, mr_log_losses *losses) {
    losses->loss = losses->regulariser = regulariser;
    for (int i = 0; i < MR_LOSSES; i++) {
        losses->parts[i] = settings->loss_weights.values[i] * result->losses[i];
        losses->loss += losses->parts[i];
    }
}

void mr_add_losses(mr_log_losses *sum, const mr_log_losses *more, double factor) {
    sum->loss += factor * more->loss;
    sum->regulariser += factor * more->regulariser;
    for (int i = 0; i < MR_LOSSES; i++) sum->parts[i] += factor * more->parts[i];
}

mrcnn_losses mr_public_losses(const mr_log_losses *l) {
    mrcnn_losses losses = {l->loss,     l->parts[0], l->parts[1],   l->parts[2],
                           l->parts[3], l->parts[4], l->regulariser};
    return losses;
}

/* N47's term is in matterport's val_loss too; it depends on the weights alone. */
static double regulariser(const mr_trainer *t) {
    const mr_settings *s = t->settings;
    if (s->optimizer != MR_SGD) return 0;
    return mr_regularise(t->model->weights, t->gradients, s, 0);
}

typedef struct validation {
    size_t *pictures, picture_count;
    mr_batches *batches;
    mr_settings settings;
    mr_packs *packs;
    mr_learner *own; /* NULL: the trainer's is used */
} validation;

/* The trainer's plans will not do where they move statistics. TRAIN_BN none then normalises as
 * detection does (N50: Keras' test phase). */
static int needs_own(const mr_trainer *t) {
    return t->settings->train_bn != MR_BN_FROZEN;
}

static mrcnn_status make_own(mr_trainer *t, validation *v, int height, int width,
                             mrcnn_error *err) {
    mr_learner_free(&v->own);
    mr_learner_options options = {.settings = &v->settings,
                                  .executor = t->executor,
                                  .weights = t->model->weights,
                                  .packs = v->packs,
                                  .height = height,
                                  .width = width,
                                  .batch = mr_batch_size(t->settings),
                                  .threads = t->threads};
    return mr_learner_create(&v->own, &options, err);
}

static mrcnn_status find_learner(mr_trainer *t, validation *v, mr_learner **learner,
                                 mrcnn_error *err) {
    int height = mr_batches_height(v->batches), width = mr_batches_width(v->batches);
    int varies = t->settings->image_resize_mode == MR_RESIZE_PAD64 ||
                 t->settings->image_resize_mode == MR_RESIZE_NONE;
    mrcnn_status status = MRCNN_OK;
    if (!needs_own(t))
        status = mr_trainer_learner(t, height, width, err);
    else if (!v->own || varies)
        status = make_own(t, v, height, width, err);
    *learner = v->own ? v->own : t->learner;
    return status;
}

static mrcnn_status validate_batch(mr_trainer *t, validation *v, mr_log_losses *losses,
                                   mrcnn_error *err) {
    const mr_lesson *lessons;
    mr_lesson_result result;
    mr_learner *learner;
    mrcnn_status status = mr_batches_next(v->batches, &lessons, err);
    if (status == MRCNN_OK) status = find_learner(t, v, &learner, err);
    if (status == MRCNN_OK) status = mr_learner_run(learner, lessons, 0, &result, err);
    if (status == MRCNN_OK) mr_weigh_losses(t->settings, &result, 0, losses);
    return status;
}

mrcnn_status mr_trainer_pictures(const mr_trainer *t, size_t **pictures, size_t *count,
                                 mrcnn_error *err) {
    size_t all = mr_dataset_picture_count(t->validation), found = 0;
    size_t *list = mr_calloc(all, sizeof *list);
    if (!list) return mr_fail_memory(err, all * sizeof *list, "a list of pictures");
    for (size_t i = 0; i < all; i++)
        if (mr_dataset_picture(t->validation, i)->object_count > 0) list[found++] = i;
    *pictures = list;
    *count = found;
    return MRCNN_OK;
}

static int64_t batch_count(const mr_trainer *t, size_t picture_count) {
    int64_t pictures = (int64_t)picture_count;
    int64_t batch = mr_batch_size(t->settings);
    if (t->settings->validation_steps > 0) return t->settings->validation_steps;
    return (pictures + batch - 1) / batch; /* the last one is filled up from the set's beginning */
}

mrcnn_status mr_trainer_validate(mr_trainer *t, mr_log_losses *losses, int *done,
                                 mrcnn_error *err) {
    validation v = {.settings = *t->settings, .packs = mr_packs_create()};
    mrcnn_status status = v.packs ? MRCNN_OK : mr_fail_memory(err, 1, "packed weights");
    if (status == MRCNN_OK) status = mr_trainer_pictures(t, &v.pictures, &v.picture_count, err);
    mr_feed_options options = {.set = t->validation,
                               .pictures = v.pictures,
                               .picture_count = v.picture_count,
                               .name = "the validation set",
                               .settings = t->settings,
                               .seed = (uint64_t)t->settings->seed,
                               .left_out = mr_trainer_leave_out,
                               .user = t};
    if (v.settings.train_bn == MR_BN_NORMAL) v.settings.train_bn = MR_BN_FROZEN;
    int64_t count = batch_count(t, v.picture_count);
    memset(losses, 0, sizeof *losses);
    *done = 0;
    if (status == MRCNN_OK) status = mr_batches_open(&v.batches, &options, err);
    mr_trainer_swap_average(t);
    for (int64_t i = 0; status == MRCNN_OK && i < count; i++) {
        mr_log_losses batch;
        if (mr_trainer_should_stop(t)) break;
        status = validate_batch(t, &v, &batch, err);
        if (status == MRCNN_OK) mr_add_losses(losses, &batch, 1.0 / (double)count);
        *done = i + 1 == count;
    }
    losses->regulariser = regulariser(t);
    losses->loss += losses->regulariser;
    mr_trainer_swap_average(t);
    mr_learner_free(&v.own);
    mr_packs_free(&v.packs);
    mr_batches_free(&v.batches);
    free(v.pictures);
    return status;
}
