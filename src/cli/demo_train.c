/* demo_train.c - mrcnn demo: a minute of training. The model that comes along forgets all but its backbone
 * and pyramid: the parts that propose, classify and outline start from fresh random weights and learn
 * again, from the half of the sample pictures that is for training. */
#include "demo.h"
#include "files.h"
#include "progress.h"
#include "train_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SECONDS = 60, MOST_AVERAGED = 10 };

/* Small crops of the pictures, two at a time, and nothing that would cost time or make the loss uneven. */
static const struct {
    const char *key, *value;
} settings[] = {{"NAME", "nucleus"},
                {"IMAGE_RESIZE_MODE", "crop"},
                {"IMAGE_MIN_DIM", "256"},
                {"IMAGE_MAX_DIM", "256"},
                {"IMAGES_PER_GPU", "2"},
                {"GRADIENT_ACCUMULATION", "1"},
                {"OPTIMIZER", "adamw"},
                {"LEARNING_RATE", "0.001"},
                {"LEARNING_RATE_SCHEDULE", "cosine"},
                {"WARMUP_STEPS", "10"},
                {"TRAIN_BN", "false"},
                {"AUGMENTATION", "none"},
                {"MOSAIC", "0"},
                {"EMA_DECAY", "0"},
                {"EVAL_EVERY", "0"},
                {"STAGES", "none"}};

/* What a picture goes through before the network: as the model that came along has it. */
static const char *const sizes[] = {"IMAGE_RESIZE_MODE", "IMAGE_MIN_DIM", "IMAGE_MAX_DIM"};

/* --------------------------------------------------------------------------------- configuration */

static mrcnn_status configure_training(const demo *d, mrcnn_config **config, mrcnn_error *err) {
    char steps[24];
    mrcnn_status status = mrcnn_config_copy(config, mrcnn_model_config(d->model), err);
    for (size_t i = 0; status == MRCNN_OK && i < sizeof settings / sizeof *settings; i++)
        status = mrcnn_config_set(*config, settings[i].key, settings[i].value, err);
    snprintf(steps, sizeof steps, "%lld", (long long)d->steps);
    return status == MRCNN_OK ? mrcnn_config_set(*config, "STEPS_PER_EPOCH", steps, err) : status;
}

/* Layers that a training of "heads" teaches, but for the pyramid. */
static int is_forgotten(const char *layer) {
    return strncmp(layer, "mrcnn_", 6) == 0 || strncmp(layer, "rpn_", 4) == 0;
}

static mrcnn_status forget(const demo *d, const mrcnn_config *config, mrcnn_model **model,
                           mrcnn_error *err) {
    text_list forgotten = {0};
    const mrcnn_layer_report *row;
    for (size_t i = 0; (row = mrcnn_model_layer(d->model, i)); i++)
        if (is_forgotten(row->layer)) text_list_add(&forgotten, text_copy(row->layer));
    text_list_add(&forgotten, NULL);
    mrcnn_status status = mrcnn_model_start_from(model, d->weights, config,
                                                 (const char *const *)forgotten.items, 0, err);
    text_list_free(&forgotten);
    return status;
}

/* ------------------------------------------------------------------------------------- training */

typedef struct watch {
    mrcnn_train_options usual; /* what `mrcnn train` shows */
    double *losses;            /* of each step */
    size_t count, room;
    double start; /* the clock at the first step's end */
} watch;

static void on_step(void *user, const mrcnn_train_step *step) {
    watch *w = user;
    if (!w->count) w->start = progress_clock();
    if (w->count < w->room) w->losses[w->count++] = step->losses.total;
    w->usual.on_step(w->usual.user, step);
}

static int should_stop(void *user) {
    const watch *w = user;
    if (w->count && progress_clock() - w->start > MOST_SECONDS) return 1;
    return w->usual.should_stop(w->usual.user);
}

static double mean(const double *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += values[i];
    return sum / (double)count;
}

static void take_losses(demo_training *t, const watch *w) {
    t->steps = w->count;
    t->averaged = w->count / 2 < MOST_AVERAGED ? (w->count + 1) / 2 : MOST_AVERAGED;
    if (!t->steps) return;
    t->first = mean(w->losses, t->averaged);
    t->last = mean(w->losses + w->count - t->averaged, t->averaged);
}

static mrcnn_status run_training(demo *d, mrcnn_model *model, mrcnn_train_result *result,
                                 mrcnn_error *err) {
    watch w = {mrcnn_train_options_default(), NULL, 0, (size_t)d->steps, 0};
    mrcnn_train_options options = mrcnn_train_options_default();
    char *logs = path_join(d->out, "training");
    w.losses = text_grow(NULL, w.room + 1, sizeof *w.losses);
    train_report_connect(&w.usual);
    options.logs = logs;
    options.layers = "heads";
    options.epochs = 1;
    options.threads = (int)d->session.threads;
    options.executor = d->session.executor ? "reference" : "cpu";
    options.on_step = on_step;
    options.on_message = w.usual.on_message;
    options.should_stop = should_stop;
    options.user = &w;
    double start = progress_clock();
    mrcnn_status status =
        mrcnn_train(model, d->halves[DEMO_TRAINED].set, NULL, &options, result, err);
    train_report_end();
    d->training.seconds = progress_clock() - start;
    take_losses(&d->training, &w);
    free(w.losses);
    free(logs);
    return status;
}

/* What the heads know now: with whole pictures, of the size that the model is made for. */
static int measure_checkpoint(demo *d, const char *checkpoint) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mrcnn_report *report = NULL;
    mrcnn_status status = mrcnn_config_create(&config, NULL, &err);
    for (size_t i = 0; status == MRCNN_OK && i < sizeof sizes / sizeof *sizes; i++) {
        const char *value = mrcnn_config_get(mrcnn_model_config(d->model), sizes[i]);
        status = mrcnn_config_set(config, sizes[i], value, &err);
    }
    if (status == MRCNN_OK)
        status = mrcnn_config_set(config, "DETECTION_MIN_CONFIDENCE", "0", &err);
    if (status == MRCNN_OK) status = mrcnn_model_load(&model, checkpoint, config, &err);
    int code = status == MRCNN_OK ? open_session(&d->session, model, &session) : fail_with(&err);
    if (code == EXIT_DONE)
        code =
            demo_measure(session, mrcnn_model_config(model), d->halves[DEMO_UNSEEN].set, &report);
    if (code == EXIT_DONE) d->training.ap50 = report->segm.ap50;
    mrcnn_report_free(&report);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    return code;
}

static void print_training(const demo_training *t) {
    printf("  %zu steps in %.0f s: loss %.3f (mean of the first %zu steps) -> %.3f (of the last "
           "%zu)\n",
           t->steps, t->seconds, t->first, t->averaged, t->last, t->averaged);
    printf(
        "  The new heads, which knew nothing, now reach a mask AP50 of %.3f on the pictures that\n"
        "  neither they nor the model have seen.\n\n",
        t->ap50);
}

int demo_train(demo *d) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_train_result result = {0};
    if (!d->steps) return EXIT_DONE;
    printf("Training, at most %lld steps or %d s: the model keeps its backbone, forgets how to\n"
           "propose, classify and outline, and learns it again from the pictures in %s.\n",
           (long long)d->steps, MOST_SECONDS, d->halves[DEMO_TRAINED].subset);
    fflush(stdout);
    mrcnn_status status = configure_training(d, &config, &err);
    if (status == MRCNN_OK) status = forget(d, config, &model, &err);
    if (status == MRCNN_OK) status = run_training(d, model, &result, &err);
    int code = status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
    if (code == EXIT_DONE && !*result.checkpoint) code = EXIT_INTERRUPTED;
    if (code == EXIT_DONE) {
        snprintf(d->training.folder, sizeof d->training.folder, "%s", result.folder);
        code = measure_checkpoint(d, result.checkpoint);
    }
    if (code == EXIT_DONE) print_training(&d->training);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    return code;
}
