/* inspect_report.c - mrcnn inspect report: all about a training on one page. */
#include "inspect_report.h"

#include "files.h"
#include "inspect.h"
#include "progress.h"
#include "signals.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct report_options {
    set_options set;
    model_options model; /* its config is not used: that of `set` is */
    session_options session;
    const char *logs, *out;
    int64_t limit;
} report_options;

static const option report_table[] = {
    {"logs", "DIR", OPTION_TEXT, offsetof(report_options, logs),
     "the folder of the run, with log.jsonl and checkpoints in it", 0, 0},
    {"out", "DIR", OPTION_TEXT, offsetof(report_options, out),
     "where the page goes: report.html, its figures as report.json, and pictures", 0, 0},
    {"weights", "FILE|best|last", OPTION_TEXT, offsetof(report_options, model.weights),
     "which checkpoint to look at (default: the run's best one, or else its last one)", 0, 0},
    DATASET_ROWS(report_options, set.data),
    {"subset", "NAME,...", OPTION_TEXT, offsetof(report_options, set.subset),
     "the part of DIR to evaluate (default: val, if there is one)", 0, 0},
    CONFIG_ROWS(report_options, set.config),
    PICTURE_ROWS(report_options, set),
    {"limit", "N", OPTION_INTEGER, offsetof(report_options, limit),
     "evaluate the first N pictures only", 1, INT64_MAX},
    SESSION_ROWS(report_options, session),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

typedef struct look {
    const command *self;
    report_options *o;
    char *weights; /* the checkpoint; NULL: there is none */
    mrcnn_log *log;
    mrcnn_config *config;
    mrcnn_config *own; /* the checkpoint's, before the evaluation changes a key */
    mrcnn_model *model;
    mrcnn_dataset *set; /* NULL: none was given */
    mrcnn_session *session;
    double confidence;
    size_t *indices, count;
    show s;
} look;

/* ----------------------------------------------------------------------------------- checkpoints */

static int ends_in(const char *text, const char *end) {
    size_t length = strlen(text), n = strlen(end);
    return length >= n && strcmp(text + length - n, end) == 0;
}

/* The number of finished epochs of mask_rcnn_NAME_0007.h5; -1 when it is another file. */
static long epoch_of(const char *file) {
    const char *under = strrchr(file, '_');
    char *end = NULL;
    if (strncmp(file, "mask_rcnn_", 10) != 0 || !under || !ends_in(file, ".h5")) return -1;
    long number = strtol(under + 1, &end, 10);
    return end > under + 1 && strcmp(end, ".h5") == 0 && number >= 0 ? number : -1;
}

/* The best or the last checkpoint in a folder; malloc'ed, NULL for none. */
static char *find_checkpoint(const char *folder, int best) {
    DIR *files = opendir(folder);
    char *found = NULL;
    long latest = -1;
    for (struct dirent *entry; files && (entry = readdir(files));) {
        const char *file = entry->d_name;
        int is_best = strncmp(file, "mask_rcnn_", 10) == 0 && ends_in(file, "_best.h5");
        long number = epoch_of(file);
        if (best ? !is_best : number <= latest) continue;
        latest = number;
        free(found);
        found = path_join(folder, file);
    }
    if (files) closedir(files);
    return found;
}

static int choose_weights(look *k) {
    const char *wanted = k->o->model.weights;
    if (!wanted || strcmp(wanted, "best") == 0) k->weights = find_checkpoint(k->o->logs, 1);
    if (!k->weights && (!wanted || strcmp(wanted, "last") == 0))
        k->weights = find_checkpoint(k->o->logs, 0);
    if (k->weights || !wanted) return EXIT_DONE;
    if (strcmp(wanted, "best") == 0 || strcmp(wanted, "last") == 0) {
        message("%s: there is no such checkpoint in it (--weights %s)", k->o->logs, wanted);
        return EXIT_FAILED;
    }
    k->weights = text_copy(wanted);
    return EXIT_DONE;
}

/* -------------------------------------------------------------------------------------- opening */

/* Takes away the thresholds that --set didn't give; *some tells whether there were any to take away. */
static mrcnn_status keep_unsure(mrcnn_config *config, int *some, mrcnn_error *err) {
    static const char *const all[][2] = {{"DETECTION_MIN_CONFIDENCE", "0"},
                                         {"CLASS_MIN_CONFIDENCE", "{}"}};
    mrcnn_status status = MRCNN_OK;
    *some = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all && status == MRCNN_OK; i++) {
        if (strcmp(mrcnn_config_source(config, all[i][0]), "set") == 0) continue;
        status = mrcnn_config_set(config, all[i][0], all[i][1], err);
        *some = 1;
    }
    return status;
}

/* COCO's figures need the unsure detections; pictures are drawn with those that the checkpoint calls
 * sure. */
static int open_network(look *k) {
    static const char key[] = "DETECTION_MIN_CONFIDENCE";
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_model *usual = NULL;
    int some = 0;
    k->o->model.weights = k->weights;
    int code = open_model(k->self, &k->o->model, NULL, k->config, &usual);
    if (code != EXIT_DONE) return code;
    k->confidence = strtod(mrcnn_config_get(mrcnn_model_config(usual), key), NULL);
    mrcnn_status status = mrcnn_config_copy(&k->own, mrcnn_model_config(usual), &err);
    if (status == MRCNN_OK) status = keep_unsure(k->config, &some, &err);
    if (status == MRCNN_OK && !some) {
        k->model = usual;
        return EXIT_DONE;
    }
    mrcnn_model_free(&usual);
    if (status != MRCNN_OK) return fail_with(&err);
    return open_model(k->self, &k->o->model, NULL, k->config, &k->model);
}

static int open_pictures(look *k) {
    dataset_options with_val = dataset_having(&k->o->set.data, "val");
    if (!k->o->set.subset && with_val.paths.count == k->o->set.data.paths.count)
        k->o->set.subset = "val";
    text_list_free(&with_val.paths);
    int code = set_open_for(k->self, &k->o->set, k->model, &k->set);
    if (code == EXIT_DONE) code = set_choose(&k->o->set, k->set, &k->indices, &k->count);
    return code;
}

/* --------------------------------------------------------------------------------------- parts */

static void show_run(look *k, const char *run) {
    show_section(&k->s, "run", "The run", NULL);
    if (k->weights) {
        char *file = path_name(k->weights);
        show_text(&k->s, "Run %s, checkpoint %s.", run, file);
        free(file);
    } else {
        show_note(&k->s, MRCNN_TONE_WARNING,
                  "There is no checkpoint in the run's folder: the page has its log alone.");
    }
    if (k->weights && !k->set)
        show_text(&k->s, "No data set was given (--dataset), so nothing is evaluated.");
}

static void show_set(look *k) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_summary *m = NULL;
    mrcnn_status status = mrcnn_dataset_check(k->set, NULL, &m, &err);
    char *names = dataset_names(&k->o->set.data);
    show_section(&k->s, "data", "Validation set",
                 "The annotated pictures that the checkpoint is measured "
                 "with.");
    show_text(&k->s, "%s%s%s", names, k->o->set.subset ? ", " : "",
              k->o->set.subset ? k->o->set.subset : "");
    if (!show_failed(&k->s, status, &err)) {
        show_count(&k->s, "pictures", "Pictures", m->pictures);
        show_count(&k->s, "objects", "Objects", m->objects);
        show_count(&k->s, "errors", "Errors", m->errors);
        show_count(&k->s, "warnings", "Warnings", m->warnings);
        show_figure(&k->s, "objects_in_a_picture", "Objects in a picture, median",
                    m->objects_per_picture.median, NULL);
    }
    mrcnn_dataset_summary_free(&m);
    free(names);
}

/* The others go on, and the page tells how many are missing. */
static void tell_left_out(void *user, const char *text) {
    (void)user;
    message("%s", text);
}

static int evaluate(look *k) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_report *report = NULL;
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    evaluated e = {k->model, k->set, k->session, k->indices, k->count, k->confidence};
    options.limit = (size_t)k->o->limit;
    options.progress = progress_or_stop;
    options.left_out = tell_left_out;
    progress_start("evaluating", PROGRESS_ITEMS);
    mrcnn_status status = mrcnn_evaluate(k->session, k->set, &options, &report, &err);
    progress_end();
    if (status != MRCNN_OK) return fail_with(&err);
    report_show_figures(&k->s, &e, report);
    report_show_pictures(&k->s, &e);
    mrcnn_report_free(&report);
    return signals_came() ? EXIT_INTERRUPTED : EXIT_DONE;
}

static int show_weights(look *k) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_weights *weights = NULL;
    if (mrcnn_weights_open(&weights, k->weights, &err) != MRCNN_OK) return fail_with(&err);
    weights_health h = weights_measure(weights);
    show_section(&k->s, "weights", "Weights",
                 "Signs of trouble in the checkpoint, as matterport's notebook looks for them.");
    weights_show_health(&k->s, &h);
    weights_show_table(&k->s, "marked", "Tensors with a mark", weights, &h, 1);
    free(h.summaries);
    mrcnn_weights_free(&weights);
    return EXIT_DONE;
}

/* ----------------------------------------------------------------------------------- the command */

static int fill_page(look *k) {
    int code = EXIT_DONE;
    show_run(k, mrcnn_log_name(k->log));
    report_show_log(&k->s, k->log);
    if (k->set) {
        show_set(k);
        code = open_session(&k->o->session, k->model, &k->session);
        if (code == EXIT_DONE) code = evaluate(k);
    }
    if (code == EXIT_DONE && k->model) report_show_config(&k->s, k->own);
    if (code == EXIT_DONE && k->weights) code = show_weights(k);
    return code;
}

static int inspect(look *k) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int code = EXIT_DONE;
    if (mrcnn_log_read(&k->log, k->o->logs, &err) != MRCNN_OK) code = fail_with(&err);
    if (code == EXIT_DONE) code = choose_weights(k);
    if (code == EXIT_DONE) code = configure(k->self, &k->o->set.config, &k->config);
    if (code == EXIT_DONE && k->weights) code = open_network(k);
    if (code == EXIT_DONE && k->o->set.data.paths.count) {
        if (!k->model) {
            message("%s: there is no checkpoint in it to evaluate (--weights names another)",
                    k->o->logs);
            code = EXIT_FAILED;
        } else {
            code = open_pictures(k);
        }
    }
    if (code != EXIT_DONE) return code;
    char *title = text_format("Training: %s", mrcnn_log_name(k->log));
    code = show_open(&k->s, k->o->out, title);
    free(title);
    if (code == EXIT_DONE) code = show_close(&k->s, fill_page(k), k->o->out);
    return code;
}

static int check_given(const command *self, const report_options *values) {
    if (!values->logs) return message_usage(self->path, "--logs is missing: the folder of the run");
    if (!values->out) return message_usage(self->path, "--out is missing: where the page goes");
    return EXIT_DONE;
}

static int run(const command *self, int argc, char **argv) {
    report_options values = {.set = {.count = 4, .keep_empty = 1}};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    look k = {.self = self, .o = &values};
    signals_catch();
    code = check_given(self, &values);
    if (code == EXIT_DONE) code = inspect(&k);
    mrcnn_session_free(&k.session);
    mrcnn_dataset_free(&k.set);
    mrcnn_model_free(&k.model);
    mrcnn_config_free(&k.config);
    mrcnn_config_free(&k.own);
    mrcnn_log_free(&k.log);
    free(k.weights);
    free(k.indices);
    options_free(self, &values);
    return code;
}

const command command_inspect_report = {
    .name = "report",
    .path = "inspect report",
    .summary = "all about a training on one page",
    .usage = "--logs RUN --out DIR [--dataset DIR] [OPTION]...",
    .about =
        "Writes one page about a training: curves of losses, average precision, learning rate and\n"
        "speed, what its configuration changes, and marks on its weights. With --dataset also "
        "what\n"
        "the checkpoint finds in the validation set: COCO's figures for boxes and masks, for each\n"
        "class, and pictures with what is there beside what was found.\n"
        "\n"
        "The page is one file that needs nothing else, and every figure of it is in report.json. "
        "A\n"
        "training that still runs may be looked at, too.",
    .examples =
        "mrcnn inspect report --logs logs/balloon20261121T0356 --dataset balloon --out report\n"
        "    the best checkpoint of a run; open report/report.html\n"
        "mrcnn inspect report --logs logs/balloon20261121T0356 --weights last --out r\n"
        "    curves, configuration and weights, without an evaluation",
    .options = report_table,
    .run = run,
};
