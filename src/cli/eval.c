/* eval.c - mrcnn eval: how good a model, or a file of its detections, is on annotated pictures. */
#include "commands.h"
#include "dataset.h"
#include "eval_csv.h"
#include "eval_plot.h"
#include "eval_report.h"
#include "eval_thresholds.h"
#include "files.h"
#include "model.h"
#include "progress.h"
#include "signals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct eval_options {
    model_options model;
    session_options session;
    dataset_options data;
    const char *subset, *results, *min_score, *json, *csv, *thresholds;
    text_list curves, confusion;
    int64_t limit, most;
} eval_options;

static const option options[] = {
    DATASET_ROWS(eval_options, data),
    {"subset", "NAME,...", OPTION_TEXT, offsetof(eval_options, subset),
     "the part of DIR to look at, or several (default val, or DIR itself if it has no parts)", 0,
     0},
    {"limit", "N", OPTION_INTEGER, offsetof(eval_options, limit),
     "look at the first N pictures only (default 0: at all of them)", 0, 1000000000},
    WEIGHTS_ROW(eval_options, model),
    {"results", "FILE.json", OPTION_TEXT, offsetof(eval_options, results),
     "evaluate these detections, in COCO's format of results, instead of a model's", 0, 0},
    CLASSES_ROW(eval_options, model.classes),
    CONFIG_ROWS(eval_options, model.config),
    {"max-detections", "N", OPTION_INTEGER, offsetof(eval_options, most),
     "how many detections of a class in a picture count: COCO's are 100; more for pictures full of "
     "cells (default 100)",
     11, 1000000},
    {"min-score", "X", OPTION_TEXT, offsetof(eval_options, min_score),
     "the confusion matrix counts detections with this score or more (default: "
     "DETECTION_MIN_CONFIDENCE where it was chosen, else 0.7)",
     0, 0},
    {"json", "FILE|-", OPTION_TEXT, offsetof(eval_options, json),
     "write the figures as JSON; - is stdout, in place of the tables", 0, 0},
    {"csv", "FILE", OPTION_TEXT, offsetof(eval_options, csv),
     "write the table of classes, with more columns than the terminal shows", 0, 0},
    {"curves", "FILE", OPTION_TEXTS, offsetof(eval_options, curves),
     "write precision over recall: as a table with scores, of each class, into a .csv file; as a "
     "picture into a .png, .svg or .pdf file. May be given several times",
     0, 0},
    {"thresholds", "FILE.yaml|-", OPTION_TEXT, offsetof(eval_options, thresholds),
     "write the score of each class's best F1 as CLASS_MIN_CONFIDENCE, for --config of other "
     "commands; - is stdout, behind the tables",
     0, 0},
    {"confusion", "FILE", OPTION_TEXTS, offsetof(eval_options, confusion),
     "write the confusion matrix, likewise", 0, 0},
    SESSION_ROWS(eval_options, session),
    SEED_ROW(eval_options, model.seed),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

typedef struct run {
    const command *self;
    const eval_options *o;
    mrcnn_config *config;
    mrcnn_dataset *set;
    mrcnn_model *model;
    mrcnn_session *session;
    const char *subset; /* NULL: DIR itself */
    double min_score;
    size_t errors; /* of the annotations */
} run;

/* ------------------------------------------------------------------------------- configuration */

static const char *const confidence = "DETECTION_MIN_CONFIDENCE";
static const char *const class_confidence = "CLASS_MIN_CONFIDENCE";

/* COCO's figures need the detections that the model is unsure of, too; matterport's evaluation
 * leaves none out, either. */
static int keep_unsure(mrcnn_config *config) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_status status = MRCNN_OK;
    if (strcmp(mrcnn_config_source(config, confidence), "set") != 0)
        status = mrcnn_config_set(config, confidence, "0", &err);
    if (status == MRCNN_OK && strcmp(mrcnn_config_source(config, class_confidence), "set") != 0)
        status = mrcnn_config_set(config, class_confidence, "{}", &err);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

/* Of the confusion matrix, which is about what a user would see. */
static int read_min_score(run *r) {
    char *end;
    const char *text = r->o->min_score;
    r->min_score = strtod(mrcnn_config_get(r->config, confidence), NULL);
    if (!text) return EXIT_DONE;
    r->min_score = strtod(text, &end);
    if (end != text && !*end && isfinite(r->min_score)) return EXIT_DONE;
    return message_usage(r->self->path, "--min-score: \"%s\" is no number", text);
}

/* Fresh weights have the data set's classes unless somebody chose a number. */
static int set_class_count(run *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char count[16];
    if (strcmp(r->o->model.weights, "none") != 0 || config_is_chosen(r->config, "NUM_CLASSES"))
        return EXIT_DONE;
    snprintf(count, sizeof count, "%d", mrcnn_dataset_class_count(r->set));
    return mrcnn_config_set(r->config, "NUM_CLASSES", count, &err) == MRCNN_OK ? EXIT_DONE
                                                                               : fail_with(&err);
}

/* ------------------------------------------------------------------------------------ data set */

/* `names` NULL: the classes that the annotations name. Generated pictures are as large as those that
 * the model learned from. Pictures without objects stay: what is found in them is wrong. */
static int open_set(run *r, const mrcnn_config *config, const char *const *names) {
    mrcnn_image_options image = mrcnn_config_image_options(config);
    mrcnn_dataset_options how = mrcnn_dataset_options_default();
    how.class_names = names;
    how.image = &image;
    how.keep_empty = 1;
    how.keep_missing = r->o->results != NULL;
    how.seed = strtoull(mrcnn_config_get(config, "SEED"), NULL, 10);
    if (names)
        how.shapes_height = how.shapes_width =
            (int32_t)strtol(mrcnn_config_get(config, "IMAGE_MAX_DIM"), NULL, 10);
    mrcnn_dataset_free(&r->set);
    return dataset_open(&r->o->data, r->subset, &how, &r->set);
}

static int any_has(const dataset_options *data, const char *subset) {
    dataset_options having = dataset_having(data, subset);
    int any = having.paths.count > 0;
    text_list_free(&having.paths);
    return any;
}

/* "val", never the pictures that a model learned from, unless DIR holds the annotations itself. */
static void choose_subset(run *r) {
    int is_flat = !any_has(&r->o->data, "val") && !any_has(&r->o->data, "train");
    r->subset = r->o->subset ? r->o->subset : is_flat ? NULL : "val";
}

static int stop(void *user, size_t done, size_t total) {
    (void)user, (void)done, (void)total;
    return signals_came();
}

/* What is left out is said first. */
static int check(run *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_summary *summary = NULL;
    mrcnn_dataset_check_options options = mrcnn_dataset_check_options_default();
    options.progress = stop;
    if (dataset_is_generated(r->set)) return EXIT_DONE;
    if (mrcnn_dataset_check(r->set, &options, &summary, &err) != MRCNN_OK)
        return signals_came() ? EXIT_INTERRUPTED : fail_with(&err);
    if (summary->errors)
        message("the data set has %zu errors; what can't be used is left out (`mrcnn inspect data "
                "--check` shows them)",
                summary->errors);
    int usable = summary->objects > 0;
    mrcnn_dataset_summary_free(&summary);
    if (usable) return EXIT_DONE;
    message("the data set has no objects to find");
    return EXIT_FAILED;
}

/* Counts what is wrong with the annotations alone: without a model nobody needs the pictures. */
static int count_error(void *user, const mrcnn_dataset_problem *problem) {
    run *r = user;
    r->errors += problem->level == MRCNN_PROBLEM_ERROR;
    return 0;
}

static int stop_before_pictures(void *user, size_t done, size_t total) {
    (void)user, (void)done, (void)total;
    return 1;
}

static void check_annotations(run *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_summary *summary = NULL;
    mrcnn_dataset_check_options options = mrcnn_dataset_check_options_default();
    options.report = count_error;
    options.progress = stop_before_pictures;
    options.user = r;
    mrcnn_dataset_check(r->set, &options, &summary, &err);
    mrcnn_dataset_summary_free(&summary);
    if (r->errors)
        message("the annotations have %zu errors; what can't be used is left out (`mrcnn inspect "
                "data --check` shows them)",
                r->errors);
}

/* ------------------------------------------------------------------------------------- classes */

static int take_names(run *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int count = mrcnn_dataset_class_count(r->set);
    const char **names = text_grow(NULL, (size_t)count, sizeof *names);
    for (int i = 0; i < count; i++) names[i] = mrcnn_dataset_class_name(r->set, i);
    mrcnn_status status = mrcnn_model_set_class_names(r->model, names, (size_t)count, &err);
    free(names);
    if (status != MRCNN_OK) return fail_with(&err);
    if (strcmp(r->o->model.weights, "none") != 0)
        message("the weights have no class names; they are taken to have the data set's %d classes "
                "in the order of `mrcnn inspect data` (--classes says otherwise)",
                count - 1);
    return EXIT_DONE;
}

static int model_has_class(const mrcnn_model *model, const char *name) {
    for (int i = 1; i < mrcnn_model_class_count(model); i++)
        if (strcmp(mrcnn_model_class_name(model, i), name) == 0) return 1;
    return 0;
}

/* Class numbers mean nothing; names have to agree. The model may know more classes. */
static int match_classes(run *r) {
    int count = mrcnn_dataset_class_count(r->set);
    if (model_is_unnamed(r->model) && mrcnn_model_class_count(r->model) == count)
        return take_names(r);
    for (int i = 1; i < count; i++) {
        const char *name = mrcnn_dataset_class_name(r->set, i);
        if (model_has_class(r->model, name)) continue;
        message("the data set's class \"%s\" is none of the model's %d classes (%s%s); "
                "--classes gives the model's classes their names",
                name, mrcnn_model_class_count(r->model) - 1, mrcnn_model_class_name(r->model, 1),
                mrcnn_model_class_count(r->model) > 2 ? ", ..." : "");
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* ----------------------------------------------------------------------------------------- run */

/* The data set has the classes, and nothing else is needed. */
static int prepare_results(run *r) {
    int code = configure(r->self, &r->o->model.config, &r->config);
    if (code == EXIT_DONE) code = read_min_score(r);
    choose_subset(r);
    if (code == EXIT_DONE) code = open_set(r, r->config, NULL);
    if (code == EXIT_DONE) check_annotations(r);
    return code;
}

static int prepare(run *r) {
    int code = configure(r->self, &r->o->model.config, &r->config);
    if (code == EXIT_DONE) code = read_min_score(r);
    if (code == EXIT_DONE) code = keep_unsure(r->config);
    choose_subset(r);
    if (code == EXIT_DONE) code = open_set(r, r->config, NULL);
    if (code == EXIT_DONE) code = set_class_count(r);
    if (code == EXIT_DONE) code = open_model(r->self, &r->o->model, NULL, r->config, &r->model);
    if (code == EXIT_DONE) code = match_classes(r);
    if (code != EXIT_DONE) return code;
    const char **names = model_class_names(r->model);
    code = open_set(r, mrcnn_model_config(r->model), names);
    free(names);
    if (code == EXIT_DONE) code = check(r);
    if (code == EXIT_DONE) code = open_session(&r->o->session, r->model, &r->session);
    return code;
}

/* The others go on, as in detect; the exit code tells. */
static void show_left_out(void *user, const char *text) {
    (void)user;
    message("%s", text);
}

/* Writes a file with one of the functions below. */
static int save(const char *path, void (*write)(FILE *, const eval_outcome *),
                const eval_outcome *outcome) {
    new_file file;
    if (!path) return EXIT_DONE;
    if (new_file_open(&file, path) != 0) return EXIT_FAILED;
    write(file.stream, outcome);
    return new_file_commit(&file) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int is_csv(const char *path) {
    return strcasecmp(path_extension(path), ".csv") == 0;
}

static int save_curves(const char *path, const eval_outcome *outcome) {
    return is_csv(path) ? save(path, eval_write_curves, outcome) : eval_draw_curves(path, outcome);
}

static int save_confusion(const char *path, const eval_outcome *outcome) {
    if (!outcome->report->confusion) {
        message("%s is not written: there are too many classes for a confusion matrix", path);
        return EXIT_FAILED;
    }
    return is_csv(path) ? save(path, eval_write_confusion, outcome)
                        : eval_draw_confusion(path, outcome);
}

/* All that can be written is, even when one file can't. */
static int save_files(const eval_options *o, const eval_outcome *outcome) {
    int is_stdout = o->json && strcmp(o->json, "-") == 0, failed = 0;
    if (is_stdout) eval_write_json(stdout, outcome);
    failed += save(is_stdout ? NULL : o->json, eval_write_json, outcome) != EXIT_DONE;
    failed += save(o->csv, eval_write_classes, outcome) != EXIT_DONE;
    if (o->thresholds) failed += eval_save_thresholds(o->thresholds, outcome) != EXIT_DONE;
    for (size_t i = 0; i < o->curves.count; i++)
        failed += save_curves(o->curves.items[i], outcome) != EXIT_DONE;
    for (size_t i = 0; i < o->confusion.count; i++)
        failed += save_confusion(o->confusion.items[i], outcome) != EXIT_DONE;
    return failed ? EXIT_FAILED : EXIT_DONE;
}

static mrcnn_status measure(run *r, mrcnn_report **report, mrcnn_error *err) {
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    options.limit = (size_t)r->o->limit;
    options.progress = progress_or_stop;
    options.left_out = show_left_out;
    options.max_detections = (int)r->o->most;
    options.confusion_score = r->min_score;
    options.threads = (int)r->o->session.threads;
    progress_start("pictures", PROGRESS_ITEMS);
    mrcnn_status status = r->o->results
                              ? mrcnn_evaluate_results(r->set, r->o->results, &options, report, err)
                              : mrcnn_evaluate(r->session, r->set, &options, report, err);
    progress_end();
    return status;
}

static int evaluate(run *r) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_report *report = NULL;
    if (measure(r, &report, &err) != MRCNN_OK) return fail_with(&err);
    char *names = dataset_names(&r->o->data);
    eval_outcome outcome = {report, r->set, names, r->subset, r->o->model.weights, r->o->results};
    int code = report->pictures_left_out ? EXIT_FAILED : EXIT_DONE;
    if (!r->o->json || strcmp(r->o->json, "-") != 0) eval_print_tables(&outcome);
    if (save_files(r->o, &outcome) != EXIT_DONE) code = EXIT_FAILED;
    mrcnn_report_free(&report);
    free(names);
    return code;
}

/* Before anything is computed: names that nothing can be written to. */
static int check_names(const command *self, const char *option, const text_list *paths) {
    static const char *const endings[] = {".csv", ".png", ".svg", ".pdf"};
    for (size_t i = 0; i < paths->count; i++) {
        size_t k = 0, count = sizeof endings / sizeof *endings;
        const char *ending = path_extension(paths->items[i]);
        while (k < count && strcasecmp(ending, endings[k]) != 0) k++;
        if (k == count)
            return message_usage(self->path,
                                 "--%s %s: the name must end in .csv, .png, .svg or .pdf", option,
                                 paths->items[i]);
    }
    return EXIT_DONE;
}

/* A model, or what one found. */
static int check_usage(const command *self, const eval_options *o) {
    int code = dataset_check_given(self, &o->data);
    if (code == EXIT_DONE) code = check_names(self, "curves", &o->curves);
    if (code == EXIT_DONE) code = check_names(self, "confusion", &o->confusion);
    if (code != EXIT_DONE) return code;
    const char *odd = o->model.weights      ? "--weights"
                      : o->model.classes    ? "--classes"
                      : o->session.executor ? "--executor"
                                            : NULL;
    if (o->thresholds && strcmp(o->thresholds, "-") == 0 && o->json && strcmp(o->json, "-") == 0)
        return message_usage(self->path, "--thresholds -: --json has stdout already");
    if (o->results && odd)
        return message_usage(self->path, "%s is about a model; --results needs none", odd);
    return EXIT_DONE;
}

static int run_eval(const command *self, int argc, char **argv) {
    eval_options values = {.most = 100};
    arguments given;
    int code = options_parse(self, argc, argv, &values, &given);
    if (code != OPTIONS_READ) return code;
    run r = {.self = self, .o = &values};
    code = check_usage(self, &values);
    signals_catch();
    if (code == EXIT_DONE && !values.results) code = default_weights(self, &values.model);
    if (code == EXIT_DONE) code = values.results ? prepare_results(&r) : prepare(&r);
    if (code == EXIT_DONE) code = evaluate(&r);
    mrcnn_session_free(&r.session);
    mrcnn_model_free(&r.model);
    mrcnn_dataset_free(&r.set);
    mrcnn_config_free(&r.config);
    options_free(self, &values);
    return code;
}

const command command_eval = {
    .name = "eval",
    .path = "eval",
    .summary = "measure a model, or detections, on annotated pictures: COCO's figures",
    .usage = "--dataset DIR [--weights W | --results FILE.json] [OPTION]...",
    .about =
        "Detects objects in annotated pictures, or reads what was detected, and compares: COCO's\n"
        "average precision and recall, equal to those of pycocotools, for boxes (bbox) and masks\n"
        "(segm), and for each class; its best F1 and the score that gives it, at IoU 0.5; then\n"
        "what matterport's notebooks call mAP. Figures go from 0 to 1; \"-\" (in JSON -1) stands\n"
        "where there is no object to measure by. Pictures without objects count: whatever is found "
        "in\n"
        "them is wrong. (matterport leaves them out.) docs/evaluation.md explains each figure.\n"
        "\n"
        "Of a model all detections count, however unsure, as COCO's figures need them: only\n"
        "--set DETECTION_MIN_CONFIDENCE=... and CLASS_MIN_CONFIDENCE=... leave some out, not a "
        "preset\n"
        "or a file. The classes of the pictures must be classes of the model, by name. A picture "
        "that can't be read is named "
        "and\n"
        "the others go on; the exit code is then 1.\n"
        "\n"
        "--results takes a list of {\"image_id\", \"category_id\", \"score\", \"bbox\" "
        "and/or\n"
        "\"segmentation\"}, such as detections.json of `mrcnn detect`. Ids are those of the "
        "data\n"
        "set; \"file_name\" and \"category_name\" win over them. Without segmentations there "
        "are figures\n"
        "of boxes only. Pictures of COCO's files needn't be there.\n"
        "\n"
        "The confusion matrix says which class was found where which class is, at IoU 0.5; its "
        "first\n"
        "row is what was found where nothing is, its first column what was missed.",
    .examples = "mrcnn eval --dataset balloon --weights logs/.../mask_rcnn_balloon_0030.h5\n"
                "    the pictures in balloon/val\n"
                "mrcnn eval --dataset coco --results found/detections.json --csv classes.csv\n"
                "    detections that are there already; each class's figures as a table\n"
                "mrcnn eval --dataset shapes --subset test --weights mine.h5 --json -\n"
                "    generated pictures that no training has seen; JSON on stdout",
    .options = options,
    .at_least = 0,
    .at_most = 0,
    .run = run_eval,
};
