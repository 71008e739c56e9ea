/* trainer_step.c - one step: one or several batches, their mean gradient, one update; and what
 * becomes of a step whose numbers are not finite. */
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/keys.h"
#include "train/schedule.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first number of a step that isn't finite. */
typedef struct fault {
    const char *what; /* "mrcnn_mask_loss", "gradient of" */
    const mr_tensor *tensor;
} fault;

double mr_trainer_rate(const mr_trainer *t, int64_t step) {
    const mr_stage *stage = mr_trainer_stage(t);
    mr_schedule_place place = {.step = step,
                               .steps_per_epoch = t->settings->steps_per_epoch,
                               .first_epoch = 1,
                               .last_epoch = stage->last_epoch,
                               .factor = stage->factor};
    if (t->state.stage > 0) place.first_epoch = t->stages.items[t->state.stage - 1].last_epoch + 1;
    return mr_learning_rate(t->settings, &place);
}

static fault find_fault(const mr_lesson_result *result) {
    fault f = {NULL, NULL};
    for (int i = 0; i < MR_LOSSES && !f.what; i++)
        if (!isfinite(result->losses[i])) f.what = mr_loss_names[i];
    return f;
}

/* Forward and backward of the step's batches: *mean gets their losses. */
static mrcnn_status run_batches(mr_trainer *t, char **pictures, mr_log_losses *mean, fault *f,
                                mrcnn_error *err) {
    int batches = t->settings->gradient_accumulation;
    mrcnn_status status = MRCNN_OK;
    memset(mean, 0, sizeof *mean);
    for (int i = 0; status == MRCNN_OK && i < batches && !f->what; i++) {
        const mr_lesson *lessons;
        mr_lesson_result result;
        mr_log_losses losses;
        double penalty = 0;
        status = mr_batches_next(t->batches, &lessons, err);
        if (status == MRCNN_OK)
            status = mr_trainer_learner(t, mr_batches_height(t->batches),
                                        mr_batches_width(t->batches), err);
        if (status == MRCNN_OK) status = mr_learner_run(t->learner, lessons, 1, &result, err);
        if (status != MRCNN_OK) break;
        if (t->settings->optimizer == MR_SGD)
            penalty = mr_regularise(t->model->weights, t->gradients, t->settings, 1);
        mr_weigh_losses(t->settings, &result, penalty, &losses);
        mr_add_losses(mean, &losses, 1.0 / batches);
        *f = find_fault(&result);
        for (int b = 0; b < mr_batch_size(t->settings); b++) {
            const mr_sample *s = mr_batches_sample(t->batches, b);
            char *more = mr_format("%s%s%s", *pictures ? *pictures : "", *pictures ? ", " : "",
                                   mr_dataset_picture(t->set, s->picture)->id);
            free(*pictures);
            *pictures = more;
        }
    }
    return status;
}

static char *describe_fault(const mr_trainer *t, const char *what, const char *pictures,
                            const char *weights) {
    const mr_tensor *broken = mr_trainer_broken_tensor(t);
    char *how = broken ? mr_format("not finite before the step either: weights of %s/%s\n",
                                   broken->layer, broken->param)
                       : mr_format("to repeat it: mrcnn train --weights %s with the same options\n",
                                   weights);
    char *text =
        mr_format("step: %lld\nepoch: %lld\nfirst draw: %lld\nnot finite: %s\n"
                  "pictures: %s\n%s",
                  (long long)t->state.step + 1, (long long)t->state.epoch + 1,
                  (long long)t->state.next_draw, what, pictures ? pictures : "?", how ? how : "");
    free(how);
    return text;
}

/* Weights and state as they were before the step, and the draws that made it: training from that
 * checkpoint repeats the step. A run that stops goes on from it, one that skips leaves it behind. */
static mrcnn_status keep_for_replay(mr_trainer *t, const char *what, const char *pictures,
                                    mrcnn_error *err) {
    int stops = t->settings->non_finite == MR_NON_FINITE_STOP;
    mr_checkpoint_kind kind = stops ? MR_CHECKPOINT_INTERRUPTED : MR_CHECKPOINT_NON_FINITE;
    char *weights = mr_checkpoint_path(&t->folder, kind, 0);
    char *path = mr_format("%s/nonfinite_%lld.txt", t->folder.path, (long long)t->state.step + 1);
    char *text = weights ? describe_fault(t, what, pictures, weights) : NULL;
    mrcnn_status status = path && text ? mr_file_write(path, text, strlen(text), err)
                                       : mr_fail_memory(err, 1000, "a report");
    free(weights);
    free(path);
    free(text);
    if (status != MRCNN_OK || mr_trainer_broken_tensor(t)) return status;
    return mr_trainer_save(t, kind, err);
}

/* What was not finite so many times in a row will not become so any more. */
enum { MOST_SKIPPED = 100 };

static mrcnn_status handle_fault(mr_trainer *t, const fault *f, const char *pictures,
                                 mrcnn_error *err) {
    char what[192];
    if (f->tensor)
        snprintf(what, sizeof what, "%s %s/%s", f->what, f->tensor->layer, f->tensor->param);
    else
        snprintf(what, sizeof what, "%s", f->what);
    mr_optimizer_discard(t->optimizer);
    mrcnn_status status = MRCNN_OK;
    int first = t->result->skipped == 0;
    if (first || t->settings->non_finite == MR_NON_FINITE_STOP)
        status = keep_for_replay(t, what, pictures, err);
    if (status != MRCNN_OK) return status;
    t->result->skipped++;
    t->skipped_in_a_row++;
    if (t->settings->non_finite == MR_NON_FINITE_STOP || t->skipped_in_a_row >= MOST_SKIPPED)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "step %lld: the %s is not finite (pictures: %.300s); a smaller "
                       "LEARNING_RATE or GRADIENT_CLIP_NORM may help, NON_FINITE=skip goes on; "
                       "%.300s has what is needed to repeat the step",
                       (long long)t->state.step + 1, what, pictures ? pictures : "?",
                       t->folder.path);
    mr_trainer_say(t, "step %lld skipped: the %s is not finite (pictures: %s)",
                   (long long)t->state.step + 1, what, pictures ? pictures : "?");
    return MRCNN_OK;
}

static mrcnn_status report(mr_trainer *t, const mr_log_losses *losses, const mr_update *update,
                           double rate, double seconds, mrcnn_error *err) {
    const mr_settings *s = t->settings;
    double waited = mr_batches_stats(t->batches).seconds_waited;
    double images = (double)mr_batch_size(s) * s->gradient_accumulation;
    int last_epoch = t->stages.items[t->stages.count - 1].last_epoch;
    t->step_seconds = t->step_seconds > 0 ? 0.9 * t->step_seconds + 0.1 * seconds : seconds;
    mr_log_step line = {.step = t->state.step,
                        .epoch = t->state.epoch + 1,
                        .losses = *losses,
                        .learning_rate = rate,
                        .grad_norm = update->gradient_norm,
                        .seconds = seconds,
                        .images_per_second = images / seconds,
                        .waited_ms = 1000 * (waited - t->waited_before),
                        .memory = (int64_t)mr_learner_bytes(t->learner)};
    mrcnn_status status = mr_log_add_step(&t->log, &line, err);
    if (status == MRCNN_OK && t->options.on_step) {
        mr_log_losses mean = mr_trainer_mean_losses(t);
        int64_t to_come =
            (int64_t)(last_epoch - t->state.epoch) * s->steps_per_epoch - t->state.step_in_epoch;
        mrcnn_train_step step = {.epoch = (int)t->state.epoch + 1,
                                 .last_epoch = last_epoch,
                                 .step = (int)t->state.step_in_epoch,
                                 .steps = s->steps_per_epoch,
                                 .total_step = t->state.step,
                                 .losses = mr_public_losses(losses),
                                 .mean = mr_public_losses(&mean),
                                 .learning_rate = rate,
                                 .gradient_norm = update->gradient_norm,
                                 .seconds = seconds,
                                 .images_per_second = images / seconds,
                                 .seconds_waited = waited - t->waited_before,
                                 .seconds_left = t->step_seconds * (double)to_come};
        t->options.on_step(t->options.user, &step);
    }
    t->waited_before = waited;
    return status;
}

/* From the weights to the copy, or back. */
static void copy_statistics(mr_trainer *t, int back) {
    for (size_t i = 0; t->statistics && i < mr_tensors_count(t->statistics); i++) {
        mr_tensor *kept = mr_tensors_at(t->statistics, i);
        mr_tensor *w = mr_tensors_find(t->model->weights, kept->layer, kept->param);
        memcpy(back ? w->values : kept->values, back ? kept->values : w->values,
               w->count * sizeof(float));
    }
}

/* Numbers that are not finite, and errors, leave the weights as they are. */
static mrcnn_status update(mr_trainer *t, double rate, mr_log_losses *losses, mr_update *made,
                           mrcnn_error *err) {
    fault f = {NULL, NULL};
    char *pictures = NULL;
    copy_statistics(t, 0);
    t->state.next_draw = (int64_t)mr_batches_next_draw(t->batches);
    mrcnn_status status = run_batches(t, &pictures, losses, &f, err);
    if (status == MRCNN_OK && !f.what) {
        mr_optimizer_step(t->optimizer, rate, t->settings->gradient_accumulation, made);
        f.tensor = made->non_finite;
        f.what = f.tensor ? "gradient of" : NULL;
    }
    if (status != MRCNN_OK || f.what) copy_statistics(t, 1);
    if (status == MRCNN_OK && f.what) {
        status = handle_fault(t, &f, pictures, err);
    } else if (status == MRCNN_OK) {
        mr_add_losses(&t->sums, losses, 1);
        t->state.summed++;
        t->skipped_in_a_row = 0;
    }
    free(pictures);
    return status;
}

mrcnn_status mr_trainer_step(mr_trainer *t, mrcnn_error *err) {
    double before = mr_milliseconds(), rate = mr_trainer_rate(t, t->state.step);
    mr_log_losses losses;
    mr_update made = {.gradient_norm = NAN};
    mrcnn_status status = update(t, rate, &losses, &made, err);
    if (status != MRCNN_OK) return status;
    t->state.step++;
    t->state.step_in_epoch++;
    t->state.next_draw = (int64_t)mr_batches_next_draw(t->batches);
    double seconds = (mr_milliseconds() - before) / 1000;
    t->state.epoch_seconds += seconds;
    return report(t, &losses, &made, rate, seconds, err);
}
