/* weights_convert.c - mrcnn weights convert: the layers of one file in a model of another
 * configuration, for another number of classes above all. */
#include "model.h"
#include "weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct convert_options {
    config_options config;
    const char *classes, *exclude;
    int64_t seed;
    int precision; /* index in "f32|f16" */
} convert_options;

static const option convert_table[] = {
    CLASSES_ROW(convert_options, classes),
    CONFIG_ROWS(convert_options, config),
    {"exclude", "LAYER,...", OPTION_TEXT, offsetof(convert_options, exclude),
     "layers not to take from the file; they get fresh weights", 0, 0},
    {"precision", "f32|f16", OPTION_CHOICE, offsetof(convert_options, precision),
     "how kernels are stored: f32, or f16, packed, in less than half the bytes (default f32)", 0,
     0},
    SEED_ROW(convert_options, seed),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

typedef struct conversion {
    const char *from, *to;
    mrcnn_config *config;
    mrcnn_model *model;
    text_list names;   /* of classes; may be empty */
    text_list exclude; /* ends with a NULL */
} conversion;

/* ------------------------------------------------------------------------------ configuration */

static void copy_names(const mrcnn_model *model, text_list *names) {
    int count = mrcnn_model_class_count(model);
    for (int i = 0; i < count; i++)
        text_list_add(names, text_copy(mrcnn_model_class_name(model, i)));
}

/* What the file tells of itself. A file that is no whole model (ImageNet's) leaves it at the
 * defaults. */
static int configure_from_file(conversion *c) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_model *model = NULL;
    mrcnn_status status = mrcnn_model_load(&model, c->from, NULL, &err);
    if (status == MRCNN_OK) {
        status = mrcnn_config_copy(&c->config, mrcnn_model_config(model), &err);
        if (status == MRCNN_OK && !c->names.count) copy_names(model, &c->names);
    } else if (status == MRCNN_E_WEIGHTS) {
        message("%s is not a whole model; what is missing gets fresh weights", c->from);
        status = mrcnn_config_create(&c->config, NULL, &err);
    }
    mrcnn_model_free(&model);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

static int configure_conversion(const command *self, const convert_options *values, conversion *c) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (values->config.preset) return configure(self, &values->config, &c->config);
    int code = configure_from_file(c);
    if (code == EXIT_DONE && values->config.file &&
        mrcnn_config_load(c->config, values->config.file, &err) != MRCNN_OK)
        code = fail_with(&err);
    if (code == EXIT_DONE) code = configure_keys(self, &values->config.set, c->config);
    return code;
}

/* The names decide how many classes there are. */
static int count_classes(const convert_options *values, conversion *c) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (!values->classes || !c->names.count) return EXIT_DONE;
    if (!is_background(c->names.items[0])) add_background(&c->names);
    char *count = text_format("%zu", c->names.count);
    mrcnn_status status = mrcnn_config_set(c->config, "NUM_CLASSES", count, &err);
    free(count);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

/* --------------------------------------------------------------------------------- conversion */

static int check_excluded(const command *self, const conversion *c) {
    for (size_t i = 0; i + 1 < c->exclude.count; i++) {
        text_nearest nearest = text_nearest_start(c->exclude.items[i]);
        const mrcnn_layer_report *row;
        int found = 0;
        for (size_t n = 0; !found && (row = mrcnn_model_layer(c->model, n)); n++) {
            found = strcmp(row->layer, c->exclude.items[i]) == 0;
            text_nearest_offer(&nearest, row->layer);
        }
        if (!found)
            return nearest.best ? message_usage(self->path,
                                                "--exclude: there is no layer %s; did you mean %s?",
                                                c->exclude.items[i], nearest.best)
                                : message_usage(self->path, "--exclude: there is no layer %s",
                                                c->exclude.items[i]);
    }
    return EXIT_DONE;
}

/* Keeps the file's class names when their number still fits. */
static int name_classes(const convert_options *values, conversion *c) {
    if (values->classes) return set_class_names(c->model, &c->names, values->classes);
    if (c->names.count != (size_t)mrcnn_model_class_count(c->model)) return EXIT_DONE;
    return set_class_names(c->model, &c->names, c->from);
}

static int print_layers(const conversion *c) {
    static const char *const words[] = {"loaded", "skipped", "re-initialised", "missing",
                                        "adapted"};
    enum { STATES = sizeof words / sizeof *words };
    size_t counts[STATES] = {0};
    const mrcnn_layer_report *row;
    for (size_t i = 0; (row = mrcnn_model_layer(c->model, i)); i++) {
        printf("%-30s %-15s %s\n", row->layer, words[row->state], row->note);
        counts[row->state]++;
    }
    printf("\n%zu layers loaded, %zu skipped, %zu re-initialised, %zu missing from the file",
           counts[MRCNN_LAYER_LOADED], counts[MRCNN_LAYER_SKIPPED],
           counts[MRCNN_LAYER_REINITIALISED], counts[MRCNN_LAYER_MISSING]);
    if (counts[MRCNN_LAYER_ADAPTED]) printf(", %zu adapted", counts[MRCNN_LAYER_ADAPTED]);
    putchar('\n');
    if (counts[MRCNN_LAYER_LOADED]) return EXIT_DONE;
    message("%s: no layer of it fits the model; nothing was written", c->from);
    return EXIT_FAILED;
}

static int convert(const command *self, const convert_options *values, conversion *c) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_save_options how = mrcnn_save_options_default();
    if (values->precision) how.precision = "f16";
    int code = values->classes ? read_class_names(self, values->classes, &c->names) : EXIT_DONE;
    if (code == EXIT_DONE) code = configure_conversion(self, values, c);
    if (code == EXIT_DONE) code = count_classes(values, c);
    if (code != EXIT_DONE) return code;
    if (values->exclude) text_split(&c->exclude, values->exclude, ",");
    text_list_add(&c->exclude, NULL);
    if (mrcnn_model_start_from(&c->model, c->from, c->config, (const char *const *)c->exclude.items,
                               (uint64_t)values->seed, &err) != MRCNN_OK)
        return fail_with(&err);
    code = check_excluded(self, c);
    if (code == EXIT_DONE) code = name_classes(values, c);
    if (code == EXIT_DONE) code = print_layers(c);
    if (code == EXIT_DONE && mrcnn_model_save_as(c->model, c->to, &how, &err) != MRCNN_OK)
        code = fail_with(&err);
    return code;
}

static int run_convert(const command *self, int argc, char **argv) {
    convert_options values = {0};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    conversion c = {.from = rest.items[0], .to = rest.items[1]};
    code = convert(self, &values, &c);
    mrcnn_model_free(&c.model);
    mrcnn_config_free(&c.config);
    text_list_free(&c.names);
    text_list_free(&c.exclude);
    options_free(self, &values);
    return code;
}

const command command_weights_convert = {
    .name = "convert",
    .path = "weights convert",
    .summary = "change the number of classes, the layout or the names",
    .usage = "[OPTION]... IN.h5 OUT.h5",
    .about =
        "Puts the layers of IN into a model and writes it as OUT. The configuration is the one\n"
        "that IN carries or implies (with --preset: the preset's), changed by --config and --set.\n"
        "Layers whose shapes differ, and those of --exclude, get fresh weights; conv1 is adapted "
        "to\n"
        "another IMAGE_CHANNEL_COUNT. A table on stdout tells what happened to each layer.\n"
        "\n"
        "OUT carries the configuration: --set changes what `detect` does with it. --precision f16\n"
        "is for files that travel: kernels as 16-bit floats, deflated, in less than half the "
        "bytes;\n"
        "Keras reads them, too.",
    .examples = "mrcnn weights convert mask_rcnn_coco.h5 start.h5 --classes balloon\n"
                "    to train a detector of balloons from COCO's weights\n"
                "mrcnn weights convert old.h5 new.h5\n"
                "    a Keras 1 file, or a whole saved model, as plain Keras 2 weights\n"
                "mrcnn weights convert trained.h5 ship.h5 --precision f16 --set "
                "IMAGE_RESIZE_MODE=pad64\n"
                "    a model that learned from crops, to detect in whole pictures, in a small file",
    .options = convert_table,
    .at_least = 2,
    .at_most = 2,
    .run = run_convert,
};
