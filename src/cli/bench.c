/* bench.c - mrcnn bench: time and memory of one picture, stage by stage, beside what the machine
 * can do at best. */
#include "commands.h"
#include "files.h"
#include "json.h"
#include "model.h"
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct bench_options {
    model_options model;
    session_options session;
    const char *backbone, *json;
    int64_t size, runs;
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
    {"json", "FILE|-", OPTION_TEXT, offsetof(bench_options, json),
     "write the figures as JSON; - is stdout, in place of the table", 0, 0},
    SESSION_ROWS(bench_options, session),
    SEED_ROW(bench_options, model.seed),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

typedef struct stage_times {
    const char *name;
    double gflop;
    double *milliseconds; /* of each run */
} stage_times;

typedef struct figures {
    int64_t size, runs, threads;
    size_t instances, stage_count;
    stage_times *stages;
    double *totals;
    double peak_gflops;
    size_t session_bytes, resident_bytes;
    const mrcnn_config *config;
    const char *precision;
} figures;

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

static int configure_bench(const command *self, const bench_options *values,
                           mrcnn_config **config) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int code = configure(self, &values->model.config, config);
    if (code == EXIT_DONE && values->backbone &&
        mrcnn_config_set(*config, "BACKBONE", values->backbone, &err) != MRCNN_OK)
        code = message_usage(self->path, "--backbone: %s", err.message);
    if (code == EXIT_DONE && values->size) code = set_size(*config, values->size);
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

/* -------------------------------------------------------------------------------- measurement */

/* Flat blocks of random colours with noise over them: edges and texture at several scales, the same
 * ones each time. */
static mrcnn_image make_picture(int64_t side, int channels) {
    mrcnn_image image = {(int32_t)side, (int32_t)side, channels, NULL};
    image.pixels = text_grow(NULL, (size_t)(side * side), (size_t)channels);
    uint64_t state = 1;
    for (int64_t y = 0; y < side; y++)
        for (int64_t x = 0; x < side; x++)
            for (int64_t c = 0; c < channels; c++) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                uint64_t block = (uint64_t)((y / 64) * 131 + (x / 48) * 37 + c * 71);
                uint64_t base = block * 2654435761u >> 7 & 191;
                image.pixels[(y * side + x) * channels + c] = (uint8_t)(base + (state >> 58));
            }
    return image;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static double median(double *values, int64_t count) {
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return count % 2 ? values[count / 2] : 0.5 * (values[count / 2 - 1] + values[count / 2]);
}

static void keep_stages(figures *f, const mrcnn_session *session, int64_t run) {
    const mrcnn_stage_time *stage;
    for (size_t i = 0; (stage = mrcnn_session_stage(session, i)); i++) {
        if (i == f->stage_count) {
            f->stages = text_grow(f->stages, i + 1, sizeof *f->stages);
            f->stages[i].milliseconds = text_grow(NULL, (size_t)f->runs, sizeof(double));
            for (int64_t n = 0; n < f->runs; n++) f->stages[i].milliseconds[n] = 0;
            f->stage_count++;
        }
        f->stages[i].name = stage->name;
        f->stages[i].gflop = stage->gflop;
        f->stages[i].milliseconds[run] = stage->milliseconds;
    }
}

/* Run -1 is the warm-up: it packs weights and compiles the plan. */
static int measure(figures *f, mrcnn_session *session, const mrcnn_image *image) {
    progress_start("runs", PROGRESS_ITEMS);
    for (int64_t run = -1; run < f->runs; run++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_result *result = NULL;
        progress_show((uint64_t)(run + 1), (uint64_t)(f->runs + 1));
        double start = progress_clock();
        if (mrcnn_detect(session, image, 1, &result, &err) != MRCNN_OK) return fail_with(&err);
        double milliseconds = 1e3 * (progress_clock() - start);
        f->instances = result->count;
        mrcnn_result_free(&result);
        if (run < 0) continue;
        f->totals[run] = milliseconds;
        keep_stages(f, session, run);
    }
    progress_end();
    return EXIT_DONE;
}

static size_t resident_bytes(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#ifdef __APPLE__
    return (size_t)usage.ru_maxrss;
#else
    return (size_t)usage.ru_maxrss * 1024;
#endif
}

/* ------------------------------------------------------------------------------------- output */

static double rate_of(double gflop, double milliseconds) {
    return milliseconds > 0 ? 1e3 * gflop / milliseconds : 0;
}

static void print_row(const char *name, double milliseconds, double gflop, double peak) {
    printf("%-18s %10.2f", name, milliseconds);
    if (gflop > 0) {
        double rate = rate_of(gflop, milliseconds);
        printf(" %10.3f %10.1f %8.1f %%", gflop, rate, peak > 0 ? 100 * rate / peak : 0);
    }
    putchar('\n');
}

static double total_gflop(const figures *f) {
    double sum = 0;
    for (size_t i = 0; i < f->stage_count; i++) sum += f->stages[i].gflop;
    return sum;
}

static void print_table(const figures *f) {
    const double megabyte = 1e6;
    printf("%s, %s, picture %lld x %lld, %zu instances, median of %lld runs\n\n",
           mrcnn_config_get(f->config, "BACKBONE"), f->precision, (long long)f->size,
           (long long)f->size, f->instances, (long long)f->runs);
    printf("%-18s %10s %10s %10s %10s\n", "stage", "ms", "GFLOP", "GFLOP/s", "of peak");
    for (size_t i = 0; i < f->stage_count; i++)
        print_row(f->stages[i].name, median(f->stages[i].milliseconds, f->runs), f->stages[i].gflop,
                  f->peak_gflops);
    print_row("total", median(f->totals, f->runs), total_gflop(f), f->peak_gflops);
    printf("\npeak of this machine   %10.1f GFLOP/s\n", f->peak_gflops);
    printf("model and session      %10.1f MB\n", (double)f->session_bytes / megabyte);
    printf("most memory in use     %10.1f MB\n", (double)f->resident_bytes / megabyte);
}

static void put_real(json *out, const char *key, double number) {
    json_key(out, key);
    json_real(out, number, 7);
}

static void put_integer(json *out, const char *key, int64_t number) {
    json_key(out, key);
    json_integer(out, number);
}

static void put_stages(json *out, const figures *f) {
    json_key(out, "stages");
    json_begin(out, '[');
    for (size_t i = 0; i < f->stage_count; i++) {
        double milliseconds = median(f->stages[i].milliseconds, f->runs);
        json_begin(out, '{');
        json_key(out, "name");
        json_text(out, f->stages[i].name);
        put_real(out, "ms", milliseconds);
        put_real(out, "gflop", f->stages[i].gflop);
        put_real(out, "gflops", rate_of(f->stages[i].gflop, milliseconds));
        json_end(out, '}');
    }
    json_end(out, ']');
}

static void put_figures(FILE *stream, const figures *f) {
    json out = {stream, 0, 0, 0, 2};
    json_begin(&out, '{');
    json_key(&out, "version");
    json_text(&out, mrcnn_version());
    json_key(&out, "backbone");
    json_text(&out, mrcnn_config_get(f->config, "BACKBONE"));
    json_key(&out, "precision");
    json_text(&out, f->precision);
    put_integer(&out, "size", f->size);
    put_integer(&out, "threads", f->threads);
    put_integer(&out, "runs", f->runs);
    put_integer(&out, "instances", (int64_t)f->instances);
    put_real(&out, "total_ms", median(f->totals, f->runs));
    put_real(&out, "total_gflop", total_gflop(f));
    put_stages(&out, f);
    put_real(&out, "peak_gflops", f->peak_gflops);
    put_integer(&out, "session_bytes", (int64_t)f->session_bytes);
    put_integer(&out, "peak_bytes", (int64_t)f->resident_bytes);
    json_end(&out, '}');
}

static int report(const char *path, const figures *f) {
    if (path && strcmp(path, "-") == 0) {
        put_figures(stdout, f);
        return EXIT_DONE;
    }
    print_table(f);
    if (!path) return EXIT_DONE;
    new_file file;
    if (new_file_open(&file, path)) return EXIT_FAILED;
    put_figures(file.stream, f);
    return new_file_commit(&file) ? EXIT_FAILED : EXIT_DONE;
}

/* ---------------------------------------------------------------------------------------- all */

static int bench_session(const bench_options *values, figures *f, mrcnn_session *session) {
    mrcnn_image image = make_picture(f->size, mrcnn_config_image_options(f->config).channels);
    int code = measure(f, session, &image);
    progress_end();
    f->precision = mrcnn_session_precision(session);
    f->session_bytes = mrcnn_session_bytes(session);
    f->resident_bytes = resident_bytes();
    if (code == EXIT_DONE) {
        f->peak_gflops = mrcnn_peak_gflops((int)values->session.threads);
        code = report(values->json, f);
    }
    free(image.pixels);
    return code;
}

static int bench(const command *self, const bench_options *values) {
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    figures f = {.runs = values->runs, .threads = values->session.threads};
    int code = configure_bench(self, values, &config);
    if (code == EXIT_DONE) code = make_model(self, values, config, &model);
    if (code == EXIT_DONE) code = open_session(&values->session, model, &session);
    if (code == EXIT_DONE) {
        f.config = mrcnn_model_config(model);
        f.size = values->size ? values->size
                              : strtoll(mrcnn_config_get(f.config, "IMAGE_MAX_DIM"), NULL, 10);
        f.totals = text_grow(NULL, (size_t)f.runs, sizeof *f.totals);
        code = bench_session(values, &f, session);
    }
    for (size_t i = 0; i < f.stage_count; i++) free(f.stages[i].milliseconds);
    free(f.stages);
    free(f.totals);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    return code;
}

static int run(const command *self, int argc, char **argv) {
    bench_options values = {.runs = 3};
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
        "JSON: total_ms, total_gflop, stages (name, ms, gflop, gflops), peak_gflops, "
        "session_bytes\n"
        "(held by model and session), peak_bytes (the most memory that the process had), and\n"
        "what was run. threads is what was asked for, 0 for one per core.",
    .examples = "mrcnn bench\n"
                "    the default network on a picture of 1024 x 1024\n"
                "mrcnn bench --backbone resnet50 --size 512 --threads 4 --json speed.json\n"
                "    a smaller one, with the figures in a file, too",
    .options = bench_table,
    .run = run,
};
