/* quantize.c - mrcnn quantize: weights for detection in 8-bit integers. */
#include "commands.h"
#include "files.h"
#include "inputs.h"
#include "model.h"
#include "progress.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct quantize_options {
    model_options model;
    const char *calibrate, *out, *percentile;
    int64_t pictures, threads;
} quantize_options;

static const option quantize_table[] = {
    {"weights", "FILE|NAME", OPTION_TEXT, offsetof(quantize_options, model.weights),
     "whose weights: a Keras .h5 file, or a published name (default: the model that comes along)",
     0, 0},
    {"calibrate", "DIR|PICTURE", OPTION_TEXT, offsetof(quantize_options, calibrate),
     "pictures like those that it will see, without annotations", 0, 0},
    {"out", "FILE", OPTION_TEXT, offsetof(quantize_options, out), "where to write them", 0, 0},
    CONFIG_ROWS(quantize_options, model.config),
    {"pictures", "N", OPTION_INTEGER, offsetof(quantize_options, pictures),
     "look at no more than so many of them, spread over all (default 64)", 1, 1000000},
    {"percentile", "P", OPTION_TEXT, offsetof(quantize_options, percentile),
     "keep this share of a layer's values, in percent, 50 to 100, and cut off larger ones (default "
     "99.99)",
     0, 0},
    {"threads", "N", OPTION_INTEGER, offsetof(quantize_options, threads),
     "how many threads compute (default 0: one per core)", 0, 4096},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static int look_at(mrcnn_quantizer *quantizer, const mrcnn_model *model, const input *in) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    mrcnn_image_options options = mrcnn_config_image_options(mrcnn_model_config(model));
    mrcnn_status status = mrcnn_image_read(&image, in->path, &options, &err);
    if (status == MRCNN_OK) status = mrcnn_quantizer_add(quantizer, &image, &err);
    mrcnn_image_free(&image);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

/* A picture that can't be read is said, and the others count. */
static int calibrate(const quantize_options *values, mrcnn_model *model, mrcnn_quantizer *quantizer,
                     const input_list *inputs, int *failures) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int64_t count = (int64_t)inputs->count, wanted = values->pictures;
    if (wanted > count) wanted = count;
    int failed = 0;
    progress_start("pictures", PROGRESS_ITEMS);
    for (int64_t i = 0; i < wanted && !signals_came(); i++) {
        const input *in = &inputs->items[i * count / wanted];
        progress_show((uint64_t)i, (uint64_t)wanted);
        if (!in->path || in->is_video) {
            message("%s: only pictures can be calibrated on", in->path ? in->path : "-");
            failed++;
        } else if (look_at(quantizer, model, in) != EXIT_DONE) {
            failed++;
        }
    }
    progress_end();
    if (signals_came()) return EXIT_INTERRUPTED;
    if (mrcnn_quantizer_finish(quantizer, &err) != MRCNN_OK) return fail_with(&err);
    message("looked at %lld pictures", (long long)(wanted - failed));
    *failures = failed;
    return EXIT_DONE;
}

static long long size_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (long long)info.st_size : 0;
}

static int save(const quantize_options *values, const mrcnn_model *model) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_save_options how = mrcnn_save_options_default();
    how.precision = "int8";
    if (mrcnn_model_save_as(model, values->out, &how, &err) != MRCNN_OK) return fail_with(&err);
    printf("%s: %.1f MB\n", values->out, (double)size_of(values->out) / 1e6);
    return EXIT_DONE;
}

static int read_percentile(const command *self, const char *text, double *percentile) {
    char *end = NULL;
    if (!text) return EXIT_DONE;
    *percentile = strtod(text, &end);
    if (end == text || *end || !(*percentile >= 50 && *percentile <= 100))
        return message_usage(self->path, "--percentile %s: use a number from 50 to 100", text);
    return EXIT_DONE;
}

static int quantize(const command *self, quantize_options *values) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_quantizer *quantizer = NULL;
    char *pattern[] = {(char *)values->calibrate};
    arguments given = {1, pattern};
    input_list inputs = {0};
    mrcnn_quantizer_options options = mrcnn_quantizer_options_default();
    options.threads = (int)values->threads;
    int code = read_percentile(self, values->percentile, &options.percentile);
    if (code == EXIT_DONE) code = configure(self, &values->model.config, &config);
    if (code == EXIT_DONE) code = open_model(self, &values->model, NULL, config, &model);
    if (code == EXIT_DONE) {
        inputs_expand(&inputs, &given, 1, NULL);
        if (inputs.failed) code = EXIT_FAILED;
    }
    if (code == EXIT_DONE && mrcnn_quantizer_create(&quantizer, model, &options, &err) != MRCNN_OK)
        code = fail_with(&err);
    signals_catch();
    int failures = 0;
    if (code == EXIT_DONE) code = calibrate(values, model, quantizer, &inputs, &failures);
    if (code == EXIT_DONE) code = save(values, model);
    if (code == EXIT_DONE && failures) code = EXIT_FAILED;
    inputs_free(&inputs);
    mrcnn_quantizer_free(&quantizer);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    return code;
}

static int run(const command *self, int argc, char **argv) {
    quantize_options values = {.pictures = 64};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    code = default_weights(self, &values.model);
    if (code == EXIT_DONE && !values.calibrate)
        code = message_usage(self->path, "--calibrate is missing: a folder of pictures like those "
                                         "that the model will see");
    else if (code == EXIT_DONE && !values.out)
        code = message_usage(self->path, "--out is missing: where to write the weights");
    if (code == EXIT_DONE) code = quantize(self, &values);
    options_free(self, &values);
    return code;
}

const command command_quantize = {
    .name = "quantize",
    .path = "quantize",
    .summary = "weights for detection in 8-bit integers",
    .usage = "[OPTION]... --calibrate DIR --out FILE",
    .about =
        "Looks at pictures to find out how large the values of each layer get, and writes the\n"
        "weights as 8-bit integers with these ranges: a quarter of the bytes. Detection with such\n"
        "a file computes in int8 where the processor can (AVX-512 VNNI), and what it computes in\n"
        "f32 elsewhere has the rounded weights. It needs no calibration any more.\n"
        "\n"
        "A few dozen pictures are enough, if they are like those that the model is for. Compare\n"
        "`mrcnn eval` of both files before you trust it. Training goes on from the weights that\n"
        "were quantized, not from these.",
    .examples = "mrcnn quantize --weights balloon.h5 --calibrate photos/ --out balloon8.h5\n"
                "mrcnn eval --weights balloon8.h5 --dataset balloon --subset val\n"
                "    what it lost",
    .options = quantize_table,
    .run = run,
};
