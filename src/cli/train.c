/* train.c - mrcnn train: annotated pictures in, weights out. */
#include "commands.h"
#include "dataset.h"
#include "model.h"
#include "signals.h"
#include "train_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct train_options {
    config_options config;
    dataset_options data;
    const char *subset, *validation, *classes, *weights, *layers, *logs;
    text_list exclude;
    int64_t epochs, threads;
    int executor; /* index in the option's words */
    int new_run, recompute;
} train_options;

static const option options[] = {
    DATASET_ROWS(train_options, data),
    {"subset", "NAME,...", OPTION_TEXT, offsetof(train_options, subset),
     "the part of DIR to train on, or several, joined (default train, or DIR itself)", 0, 0},
    {"validation", "NAME,...|none", OPTION_TEXT, offsetof(train_options, validation),
     "the part of DIR to validate with (default val, where it is there)", 0, 0},
    {"classes", "FILE|A,B,C", OPTION_TEXT, offsetof(train_options, classes),
     "learn these classes alone, in this order: a text file with one a line, or names with commas "
     "(default: all that the annotations name)",
     0, 0},
    {"weights", "none|last|FILE|NAME", OPTION_TEXT, offsetof(train_options, weights),
     "what to start from: none, fresh weights; a Keras .h5 file or a published name (coco, "
     "imagenet), as far as its layers fit; last, the newest checkpoint in --logs. A checkpoint of "
     "the run of the same NAME goes on where it stopped",
     0, 0},
    {"new-run", NULL, OPTION_FLAG, offsetof(train_options, new_run),
     "take a checkpoint's weights only, and begin a new run", 0, 0},
    {"exclude", "LAYER", OPTION_TEXTS, offsetof(train_options, exclude),
     "a layer that is not taken from the weights; may be given many times", 0, 0},
    {"layers", "heads|3+|4+|5+|all|REGEX", OPTION_TEXT, offsetof(train_options, layers),
     "what to train (default: the key STAGES; otherwise what the run that goes on trains, all with "
     "--weights none, or else heads)",
     0, 0},
    {"epochs", "N", OPTION_INTEGER, offsetof(train_options, epochs),
     "the last epoch, counted from the run's first one (default: that of STAGES, the one "
     "that the run that goes on was to end with, or 1)",
     1, 1000000},
    {"logs", "DIR", OPTION_TEXT, offsetof(train_options, logs),
     "where the run's folder is made (default logs)", 0, 0},
    {"recompute", NULL, OPTION_FLAG, offsetof(train_options, recompute),
     "compute activations of the backbone again instead of keeping them: less memory, more time, "
     "the "
     "same weights (docs/training.md)",
     0, 0},
    CONFIG_ROWS(train_options, config),
    {"threads", "N", OPTION_INTEGER, offsetof(train_options, threads),
     "how many threads compute (default 0: one per core)", 0, 4096},
    {"executor", "cpu|reference", OPTION_CHOICE, offsetof(train_options, executor),
     "cpu, or reference: plain loops, slow, for checking (default cpu)", 0, 0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

typedef struct run {
    const command *self;
    const train_options *o;
    mrcnn_config *config;
    mrcnn_image_options image; /* how pictures are read */
    mrcnn_dataset *set, *validation;
    mrcnn_model *model;
    char *weights; /* path; NULL for fresh ones */
    int resumes;
} run;

/* ------------------------------------------------------------------------------------ pictures */

/* Generated pictures are as large as the network's input. */
static mrcnn_dataset_options how_to_open(const run *r) {
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.image = &r->image;
    options.seed = strtoull(mrcnn_config_get(r->config, "SEED"), NULL, 10);
    options.shapes_height = options.shapes_width =
        (int32_t)strtol(mrcnn_config_get(r->config, "IMAGE_MAX_DIM"), NULL, 10);
    return options;
}

/* With the classes of the training set. A subset that was asked for must be there. An evaluation looks
 * at pictures without objects, too, as `mrcnn eval` does; the loss doesn't. */
static int open_validation(run *r) {
    const char *subset = r->o->validation ? r->o->validation : "val";
    if (strcmp(subset, "none") == 0) return EXIT_DONE;
    mrcnn_dataset_options how = how_to_open(r);
    dataset_options having = dataset_having(&r->o->data, subset);
    const char **names = dataset_class_names(r->set);
    how.class_names = names;
    how.keep_empty = 1;
    int code = EXIT_DONE;
    if (r->o->validation)
        code = dataset_open(&r->o->data, subset, &how, &r->validation);
    else if (having.paths.count)
        code = dataset_open(&having, subset, &how, &r->validation);
    text_list_free(&having.paths);
    free(names);
    return code;
}

enum { MOST_SHOWN = 20 };

static int show_problem(void *user, const mrcnn_dataset_problem *problem) {
    size_t *shown = user;
    if (signals_came()) return 1;
    if ((*shown)++ < MOST_SHOWN)
        message("%s%s%s", problem->picture, *problem->picture ? ": " : "", problem->text);
    return 0;
}

/* What is left out is said before the first step, not found out by it. */
static int check(const mrcnn_dataset *set, const char *what) {
    size_t shown = 0;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_summary *summary = NULL;
    mrcnn_dataset_check_options options = mrcnn_dataset_check_options_default();
    options.report = show_problem;
    options.user = &shown;
    if (dataset_is_generated(set)) return EXIT_DONE;
    if (mrcnn_dataset_check(set, &options, &summary, &err) != MRCNN_OK)
        return signals_came() ? EXIT_INTERRUPTED : fail_with(&err);
    if (shown > MOST_SHOWN)
        message("and %zu more; `mrcnn data check` shows all", shown - MOST_SHOWN);
    if (summary->errors)
        message("%s: %zu pictures and %zu objects can be used; %zu pictures and %zu objects are "
                "left out",
                what, summary->pictures, summary->objects, summary->pictures_left_out,
                summary->objects_left_out);
    int usable = summary->pictures > 0 && summary->objects > 0;
    mrcnn_dataset_summary_free(&summary);
    if (usable) return EXIT_DONE;
    message("%s has nothing to learn from", what);
    return EXIT_FAILED;
}

static int open_sets(run *r) {
    r->image = mrcnn_config_image_options(r->config);
    mrcnn_dataset_options how = how_to_open(r);
    text_list names = {0};
    int code = dataset_read_classes(r->self, r->o->classes, &names);
    if (names.count) how.class_names = (const char *const *)names.items;
    if (code == EXIT_DONE) code = dataset_open(&r->o->data, r->o->subset, &how, &r->set);
    text_list_free(&names);
    if (code == EXIT_DONE) code = open_validation(r);
    if (code == EXIT_DONE) code = check(r->set, "the data set");
    if (code == EXIT_DONE && r->validation) code = check(r->validation, "the validation set");
    return code;
}

/* --------------------------------------------------------------------------------------- model */

/* --exclude takes layers out of weights that a new run starts from. */
static int check_exclude_means_something(const run *r) {
    if (r->o->exclude.count == 0 || (r->weights && !r->resumes)) return EXIT_DONE;
    if (r->resumes)
        return message_usage(r->self->path,
                             "--exclude: a run goes on with all its layers; --new-run begins a new "
                             "one");
    return message_usage(r->self->path, "--exclude: --weights none has no layers to leave out");
}

/* What follows from the pictures unless somebody chose it. */
static int complete_config(run *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char count[16];
    snprintf(count, sizeof count, "%d", mrcnn_dataset_class_count(r->set));
    if (!config_is_chosen(r->config, "NUM_CLASSES") &&
        mrcnn_config_set(r->config, "NUM_CLASSES", count, &err) != MRCNN_OK)
        return fail_with(&err);
    if (strcmp(mrcnn_config_get(r->config, "NUM_CLASSES"), count) != 0) {
        message("NUM_CLASSES is %s, but the data set has %s classes with the background; leave it "
                "out, or set it to %s",
                mrcnn_config_get(r->config, "NUM_CLASSES"), count, count);
        return EXIT_FAILED;
    }
    if (!config_is_chosen(r->config, "NAME") &&
        mrcnn_config_set(r->config, "NAME", mrcnn_dataset_picture(r->set, 0)->source, &err) !=
            MRCNN_OK)
        return fail_with(&err);
    return EXIT_DONE;
}

/* One line a file. */
static void tell_passed_over(const char *notes) {
    while (notes && *notes) {
        int length = (int)strcspn(notes, "\n");
        message("passed over: %.*s", length, notes);
        notes += length + (notes[length] == '\n');
    }
}

static int find_start(run *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    const char *weights = r->o->weights;
    if (strcmp(weights, "none") == 0) return EXIT_DONE;
    if (strcmp(weights, "last") == 0) {
        char *path = NULL, *passed_over = NULL;
        mrcnn_status status = mrcnn_train_find_last(&path, &passed_over, r->o->logs,
                                                    mrcnn_config_get(r->config, "NAME"), &err);
        tell_passed_over(passed_over);
        mrcnn_string_free(&passed_over);
        if (status != MRCNN_OK) return fail_with(&err);
        r->weights = text_copy(path);
        mrcnn_string_free(&path);
        r->resumes = !r->o->new_run;
        return EXIT_DONE;
    }
    r->weights = find_weights(weights, NULL, NULL);
    if (!r->weights) return EXIT_FAILED;
    r->resumes =
        !r->o->new_run && mrcnn_train_can_resume(r->weights, mrcnn_config_get(r->config, "NAME"));
    return EXIT_DONE;
}

static int is_excluded(const run *r, const char *layer) {
    for (size_t i = 0; i < r->o->exclude.count; i++)
        if (strcmp(r->o->exclude.items[i], layer) == 0) return 1;
    return 0;
}

/* matterport loads what fits without a word; a ResNet-101 from a ResNet-50's weights is half
 * random then. */
static void report_layers(const run *r) {
    size_t taken = 0, fresh = 0, unused = 0;
    const mrcnn_layer_report *layer;
    for (size_t i = 0; (layer = mrcnn_model_layer(r->model, i)); i++) {
        if (layer->state == MRCNN_LAYER_LOADED) {
            taken++;
        } else if (layer->state == MRCNN_LAYER_SKIPPED && !is_excluded(r, layer->layer)) {
            unused++;
        } else if (layer->state == MRCNN_LAYER_ADAPTED) {
            taken++;
            message("%s is adapted to these pictures (%s); only layers \"all\" train it",
                    layer->layer, layer->note);
        } else {
            fresh++;
            message("fresh weights for %s (%s)", layer->layer, layer->note);
        }
    }
    message("%zu layers are taken from the weights, %zu start from fresh ones, %zu of the file are "
            "not used",
            taken, fresh, unused);
}

/* A misspelt layer would be taken from the weights after all. */
static int check_excluded(const run *r) {
    for (size_t i = 0; i < r->o->exclude.count; i++) {
        const char *wanted = r->o->exclude.items[i];
        text_nearest nearest = text_nearest_start(wanted);
        const mrcnn_layer_report *layer;
        int found = 0;
        for (size_t n = 0; !found && (layer = mrcnn_model_layer(r->model, n)); n++) {
            found = strcmp(layer->layer, wanted) == 0;
            text_nearest_offer(&nearest, layer->layer);
        }
        if (found) continue;
        if (nearest.best)
            return message_usage(r->self->path, "--exclude: there is no layer %s; did you mean %s?",
                                 wanted, nearest.best);
        return message_usage(r->self->path, "--exclude: there is no layer %s", wanted);
    }
    return EXIT_DONE;
}

/* Whoever goes on goes on with the classes that the run began with. Weights of matterport's have no
 * names: "class 1". */
static int check_classes(const run *r) {
    int count = mrcnn_model_class_count(r->model), wanted = mrcnn_dataset_class_count(r->set);
    if (count != wanted) {
        message("%s has %d classes with the background, the data set %d; --new-run begins a new "
                "run with its weights",
                r->weights, count, wanted);
        return EXIT_FAILED;
    }
    for (int i = 1; i < count; i++) {
        const char *was = mrcnn_model_class_name(r->model, i);
        const char *is = mrcnn_dataset_class_name(r->set, i);
        char unnamed[32];
        snprintf(unnamed, sizeof unnamed, "class %d", i);
        if (strcmp(was, is) == 0 || strcmp(was, unnamed) == 0) continue;
        message("class %d of %s is \"%s\", that of the data set \"%s\"; --new-run begins a new "
                "run with its weights",
                i, r->weights, was, is);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* The pictures are read with what the command says: before it is known which run goes on. */
static int check_reading(const run *r) {
    const mrcnn_config *trained = mrcnn_model_config(r->model);
    static const char *const keys[] = {"IMAGE_CHANNEL_COUNT", "IMAGE_VALUE_RANGE"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *was = mrcnn_config_get(trained, keys[i]);
        const char *is = mrcnn_config_get(r->config, keys[i]);
        if (strcmp(was, is) == 0) continue;
        message("%s was trained with %s %s, and now it is %s: go on with --set '%s=%s'", r->weights,
                keys[i], was, is, keys[i], was);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static mrcnn_status start_from(run *r, mrcnn_error *err) {
    text_list exclude = {0};
    for (size_t i = 0; i < r->o->exclude.count; i++)
        text_list_add(&exclude, text_copy(r->o->exclude.items[i]));
    text_list_add(&exclude, NULL);
    uint64_t seed = strtoull(mrcnn_config_get(r->config, "SEED"), NULL, 10);
    mrcnn_status status = mrcnn_model_start_from(&r->model, r->weights, r->config,
                                                 (const char *const *)exclude.items, seed, err);
    text_list_free(&exclude);
    return status;
}

static int open_train_model(run *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    uint64_t seed = strtoull(mrcnn_config_get(r->config, "SEED"), NULL, 10);
    mrcnn_status status = !r->weights  ? mrcnn_model_create(&r->model, r->config, seed, &err)
                          : r->resumes ? mrcnn_model_load(&r->model, r->weights, r->config, &err)
                                       : start_from(r, &err);
    if (status != MRCNN_OK) return fail_with(&err);
    int code = r->resumes ? check_classes(r) : check_excluded(r);
    if (code == EXIT_DONE && r->resumes) code = check_reading(r);
    if (code != EXIT_DONE) return code;
    if (r->weights && !r->resumes) report_layers(r);
    const char **names = dataset_class_names(r->set);
    status = mrcnn_model_set_class_names(r->model, names, (size_t)mrcnn_dataset_class_count(r->set),
                                         &err);
    free(names);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

/* ----------------------------------------------------------------------------------------- run */

static int train(run *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_train_options options = mrcnn_train_options_default();
    mrcnn_train_result result;
    const char *stages = mrcnn_config_get(mrcnn_model_config(r->model), "STAGES");
    options.logs = r->o->logs;
    options.layers = r->o->layers;
    if (!options.layers && !r->resumes && strcmp(stages, "none") == 0)
        options.layers = strcmp(r->o->weights, "none") == 0 ? "all" : "heads";
    options.epochs = (int)r->o->epochs;
    options.resume = r->resumes ? r->weights : NULL;
    options.threads = (int)r->o->threads;
    options.executor = r->o->executor ? "reference" : "cpu";
    options.recompute = r->o->recompute;
    train_report_connect(&options);
    mrcnn_status status = mrcnn_train(r->model, r->set, r->validation, &options, &result, &err);
    train_report_end();
    if (status != MRCNN_OK) return fail_with(&err);
    if (result.skipped)
        message("%lld steps were skipped: a loss or a gradient was no finite number",
                (long long)result.skipped);
    if (!result.stopped || !signals_came()) return EXIT_DONE;
    if (result.steps == 0)
        message("stopped before the first step: there is nothing to go on from");
    else
        message(
            "stopped after %lld steps; `mrcnn train --weights last` with the same options goes on",
            (long long)result.steps);
    return EXIT_INTERRUPTED;
}

static int run_train(const command *self, int argc, char **argv) {
    train_options values = {.logs = "logs"};
    arguments given;
    int code = options_parse(self, argc, argv, &values, &given);
    if (code != OPTIONS_READ) return code;
    run r = {.self = self, .o = &values};
    code = dataset_check_given(self, &values.data);
    if (code == EXIT_DONE && !values.weights)
        code = message_usage(self->path, "--weights is missing: none, last, coco, imagenet or a "
                                         "Keras .h5 file");
    if (code == EXIT_DONE) code = configure(self, &values.config, &r.config);
    signals_catch();
    if (code == EXIT_DONE) code = open_sets(&r);
    if (code == EXIT_DONE) code = complete_config(&r);
    if (code == EXIT_DONE) code = find_start(&r);
    if (code == EXIT_DONE) code = check_exclude_means_something(&r);
    if (code == EXIT_DONE) code = open_train_model(&r);
    if (code == EXIT_DONE) code = train(&r);
    mrcnn_model_free(&r.model);
    mrcnn_dataset_free(&r.validation);
    mrcnn_dataset_free(&r.set);
    mrcnn_config_free(&r.config);
    free(r.weights);
    options_free(self, &values);
    return code;
}

const command command_train = {
    .name = "train",
    .path = "train",
    .summary = "train a model on annotated pictures, or go on training",
    .usage = "--dataset DIR --weights W [OPTION]...",
    .about =
        "Trains Mask R-CNN on annotated pictures. A folder of its own below --logs gets one\n"
        "checkpoint an epoch (Keras .h5, with what is needed to go on beside it), log.jsonl with\n"
        "every step, and a log for TensorBoard. Each epoch gives one line on stdout.\n"
        "\n"
        "An epoch is STEPS_PER_EPOCH batches, as in matterport's program, not a pass over the\n"
        "pictures. Keys say how to train (`mrcnn config keys`): LEARNING_RATE, IMAGES_PER_GPU,\n"
        "IMAGE_MAX_DIM, STAGES, ... NUM_CLASSES follows from the pictures, NAME too unless it is\n"
        "set.\n"
        "\n"
        "Ctrl-C or SIGTERM finishes the step under way, saves and ends (exit code 130); a second\n"
        "one ends at once, with the last checkpoint whole. --weights last goes on: to the same\n"
        "weights, bit for bit, as a run that nobody stopped.",
    .examples =
        "mrcnn train --dataset balloon --weights coco --preset balloon\n"
        "    matterport's example: heads of a COCO model learn balloons in 30 epochs\n"
        "mrcnn train --dataset balloon --weights last --preset balloon\n"
        "    goes on after an interruption\n"
        "mrcnn train --dataset shapes --weights none --preset shapes --set BACKBONE=resnet18\n"
        "    a first try without any data",
    .options = options,
    .at_least = 0,
    .at_most = 0,
    .run = run_train,
};
