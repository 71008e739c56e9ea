/* bench.c - mrcnn bench: time and memory of pictures, stage by stage, beside what the machine can do at
 * best: what is asked for, and how the network is made ready for it. */
#include "bench.h"
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct bench_options {
    model_options model;
    session_options session;
    const char *backbone, *json;
    int64_t size, runs, batch, sessions;
} bench_options;

static const option bench_table[] = {
    {"weights", "FILE|NAME", OPTION_TEXT, offsetof(bench_options, model.weights),
     "time these weights (default: fresh ones of 81 classes)", 0, 0},
    CONFIG_ROWS(bench_options, model.config),
    {"backbone", "NAME", OPTION_TEXT, offsetof(bench_options, backbone),
     "short for --set BACKBONE=NAME: resnet18, resnet34, resnet50, resnet101", 0, 0},
    {"size", "N", OPTION_INTEGER, offsetof(bench_options, size),
     "side of the picture and of the network's input, a multiple of 64 (default: IMAGE_MAX_DIM)",
     64, 16384},
    {"runs", "N", OPTION_INTEGER, offsetof(bench_options, runs),
     "how many runs are timed, after one that is not (default 3)", 1, 100000},
    {"batch", "N", OPTION_INTEGER, offsetof(bench_options, batch),
     "how many pictures are computed together (default 1)", 1, BENCH_MAX_BATCH},
    {"sessions", "N", OPTION_INTEGER, offsetof(bench_options, sessions),
     "how many sessions of one model detect at the same time; they divide the threads among them "
     "(default 1)",
     1, BENCH_MAX_SESSIONS},
    {"json", "FILE|-", OPTION_TEXT, offsetof(bench_options, json),
     "write the figures as JSON; - is stdout, in place of the table", 0, 0},
    SESSION_ROWS(bench_options, session),
    SEED_ROW(bench_options, model.seed),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

/* ----------------------------------------------------------------------------- configuration */

static int set_unless_chosen(mrcnn_config *config, const char *key, const char *value) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (config_is_chosen(config, key)) return 0;
    if (mrcnn_config_set(config, key, value, &err) == MRCNN_OK) return 1;
    fail_with(&err);
    return -1;
}

/* Fresh weights are sure of nothing; with these settings they find as many instances as a trained
 * network can, so that the mask head has its full load. */
static int set_full_load(mrcnn_config *config) {
    int classes = set_unless_chosen(config, "NUM_CLASSES", "81");
    int confidence = set_unless_chosen(config, "DETECTION_MIN_CONFIDENCE", "0");
    int threshold = set_unless_chosen(config, "DETECTION_NMS_THRESHOLD", "1");
    if (classes < 0 || confidence < 0 || threshold < 0) return EXIT_FAILED;
    if (confidence || threshold)
        message("fresh weights; so that all instances are masked:%s%s",
                confidence ? " DETECTION_MIN_CONFIDENCE=0" : "",
                threshold ? " DETECTION_NMS_THRESHOLD=1" : "");
    return EXIT_DONE;
}

static int set_number(mrcnn_config *config, const char *key, int64_t number) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char *value = text_format("%lld", (long long)number);
    mrcnn_status status = mrcnn_config_set(config, key, value, &err);
    free(value);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

/* The network sees the picture as it is, whatever the weights' pictures went through. */
static int set_size(mrcnn_config *config, int64_t side) {
    enum { USUAL_MIN_DIM = 800 };
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_config_set(config, "IMAGE_RESIZE_MODE", "square", &err) != MRCNN_OK)
        return fail_with(&err);
    int code = set_number(config, "IMAGE_MAX_DIM", side);
    if (code == EXIT_DONE) code = set_number(config, "IMAGE_MIN_SCALE", 0);
    if (code == EXIT_DONE)
        code = set_number(config, "IMAGE_MIN_DIM", side < USUAL_MIN_DIM ? side : USUAL_MIN_DIM);
    return code;
}

/* Whatever IMAGES_PER_GPU says otherwise: pictures of a pass are computed together. */
static int set_batch(mrcnn_config *config, int64_t batch) {
    return batch > 1 ? set_number(config, "IMAGES_PER_GPU", batch) : EXIT_DONE;
}

static int configure_bench(const command *self, const bench_options *values,
                           mrcnn_config **config) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int code = configure(self, &values->model.config, config);
    if (code == EXIT_DONE && values->backbone &&
        mrcnn_config_set(*config, "BACKBONE", values->backbone, &err) != MRCNN_OK)
        code = message_usage(self->path, "--backbone: %s", err.message);
    if (code == EXIT_DONE && values->size) code = set_size(*config, values->size);
    if (code == EXIT_DONE) code = set_batch(*config, values->batch);
    if (code == EXIT_DONE && !values->model.weights) code = set_full_load(*config);
    return code;
}

static int make_model(const command *self, const bench_options *values, const mrcnn_config *config,
                      mrcnn_model **model) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (values->model.weights)
        return open_model(self, &values->model, &values->session, config, model);
    return mrcnn_model_create(model, config, (uint64_t)values->model.seed, &err) == MRCNN_OK
               ? EXIT_DONE
               : fail_with(&err);
}

/* ---------------------------------------------------------------------------------------- all */

static int open_sessions(const bench_options *values, const bench_plan *plan, mrcnn_model *model,
                         mrcnn_session **sessions) {
    session_options each = values->session;
    each.threads = bench_threads_of_each(plan);
    int code = EXIT_DONE;
    for (int64_t i = 0; i < plan->sessions && code == EXIT_DONE; i++)
        code = open_session(&each, model, &sessions[i]);
    return code;
}

static int bench_model(const bench_options *values, mrcnn_model *model) {
    const mrcnn_config *config = mrcnn_model_config(model);
    int64_t usual = strtoll(mrcnn_config_get(config, "IMAGE_MAX_DIM"), NULL, 10);
    bench_plan plan = {.size = values->size ? values->size : usual,
                       .runs = values->runs,
                       .batch = values->batch,
                       .sessions = values->sessions,
                       .threads = values->session.threads};
    mrcnn_session *sessions[BENCH_MAX_SESSIONS] = {NULL};
    bench_figures figures = {0};
    int code = open_sessions(values, &plan, model, sessions);
    if (code == EXIT_DONE) code = bench_measure(&figures, &plan, config, sessions);
    if (code == EXIT_DONE) code = bench_report(values->json, &figures, &plan, config);
    bench_figures_free(&figures);
    for (int i = 0; i < BENCH_MAX_SESSIONS; i++) mrcnn_session_free(&sessions[i]);
    return code;
}

static int bench(const command *self, const bench_options *values) {
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    int code = configure_bench(self, values, &config);
    if (code == EXIT_DONE) code = make_model(self, values, config, &model);
    if (code == EXIT_DONE) code = bench_model(values, model);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    return code;
}

static int run(const command *self, int argc, char **argv) {
    bench_options values = {.runs = 3, .batch = 1, .sessions = 1};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    code = bench(self, &values);
    options_free(self, &values);
    return code;
}

const command command_bench = {
    .name = "bench",
    .path = "bench",
    .summary = "time and memory, stage by stage",
    .usage = "[OPTION]...",
    .about =
        "Runs the network on a made-up picture and prints the median time of each stage, its\n"
        "arithmetic (GFLOP, multiplications and additions of the plain algorithm), its speed, and\n"
        "which share that is of the machine's measured peak. Faster algorithms than the plain one\n"
        "can make a share larger than 100 %.\n"
        "\n"
        "Without --weights the weights are fresh ones of 81 classes, and unless you set them\n"
        "DETECTION_MIN_CONFIDENCE is 0 and DETECTION_NMS_THRESHOLD is 1, so that the mask head\n"
        "has as many instances as it can get.\n"
        "\n"
        "A run is one pass: of one picture, or with --batch of several that are computed\n"
        "together, whose stages then are those of all of them. Latency is what a pass takes, and\n"
        "so what each of its pictures waits. Throughput is how many pictures a second that makes;\n"
        "with --sessions of all sessions together, which share the packed weights and have a\n"
        "thread each, and threads/N of those that compute (one at least).\n"
        "\n"
        "JSON: total_ms, latency_ms (median, which is total_ms, min, max), pictures_per_second,\n"
        "total_gflop, stages (name, ms, gflop, gflops), peak_gflops, session_bytes (held by the\n"
        "model and one session), peak_bytes (the most memory that the process had), and what was\n"
        "run. threads is what was asked for, 0 for one per core.",
    .examples = "mrcnn bench\n"
                "    the default network on a picture of 1024 x 1024\n"
                "mrcnn bench --backbone resnet50 --size 512 --threads 4 --json speed.json\n"
                "    a smaller one, with the figures in a file, too\n"
                "mrcnn bench --sessions 2 --precision bf16\n"
                "    two pictures at a time, for the most pictures an hour",
    .options = bench_table,
    .run = run,
};
