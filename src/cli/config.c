/* config.c - mrcnn config: what can be set, what it is set to, and by whom. */
#include "commands.h"
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct show_options {
    model_options model;
} show_options;

/* Values that follow from others; get knows them, but the list of keys doesn't have them. */
static const char *const derived[] = {"BATCH_SIZE", "IMAGE_META_SIZE", "IMAGE_SHAPE"};
enum { DERIVED_COUNT = sizeof derived / sizeof *derived };

/* --------------------------------------------------------------------------------- show, diff */

static int of_weights(const model_options *options, const mrcnn_config *given,
                      mrcnn_config **config) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_model *model = NULL;
    char *path = find_weights(options->weights, NULL, NULL);
    if (!path) return EXIT_FAILED;
    int code = mrcnn_model_load(&model, path, given, &err) == MRCNN_OK &&
                       mrcnn_config_copy(config, mrcnn_model_config(model), &err) == MRCNN_OK
                   ? EXIT_DONE
                   : fail_with(&err);
    mrcnn_model_free(&model);
    free(path);
    return code;
}

static int make_config(const command *self, const model_options *options, mrcnn_config **config) {
    mrcnn_config *given = NULL;
    int code = configure(self, &options->config, &given);
    if (code != EXIT_DONE) return code;
    if (!options->weights) {
        *config = given;
        return EXIT_DONE;
    }
    code = of_weights(options, given, config);
    mrcnn_config_free(&given);
    return code;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All names, sorted; the caller frees the array. */
static const char **all_names(size_t *count) {
    size_t keys = 0;
    while (mrcnn_config_key_at(keys)) keys++;
    const char **names = text_grow(NULL, keys + DERIVED_COUNT, sizeof *names);
    for (size_t i = 0; i < keys; i++) names[i] = mrcnn_config_key_at(i)->name;
    for (size_t i = 0; i < DERIVED_COUNT; i++) names[keys + i] = derived[i];
    *count = keys + DERIVED_COUNT;
    qsort(names, *count, sizeof *names, compare_names);
    return names;
}

static void print_values(const mrcnn_config *config, const mrcnn_config *unless_as_in) {
    size_t count;
    const char **names = all_names(&count);
    for (size_t i = 0; i < count; i++) {
        const char *value = mrcnn_config_get(config, names[i]);
        if (unless_as_in && strcmp(value, mrcnn_config_get(unless_as_in, names[i])) == 0) continue;
        printf("%-30s %-30s %s\n", names[i], value, mrcnn_config_source(config, names[i]));
    }
    free(names);
}

static int print_config(const command *self, int argc, char **argv, int only_differences) {
    show_options values = {0};
    arguments rest;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL, *defaults = NULL;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    code = make_config(self, &values.model, &config);
    if (code == EXIT_DONE && mrcnn_config_create(&defaults, NULL, &err) != MRCNN_OK)
        code = fail_with(&err);
    if (code == EXIT_DONE) print_values(config, only_differences ? defaults : NULL);
    mrcnn_config_free(&defaults);
    mrcnn_config_free(&config);
    options_free(self, &values);
    return code;
}

static int run_show(const command *self, int argc, char **argv) {
    return print_config(self, argc, argv, 0);
}

static int run_diff(const command *self, int argc, char **argv) {
    return print_config(self, argc, argv, 1);
}

/* ------------------------------------------------------------------------------ keys, presets */

static int run_keys(const command *self, int argc, char **argv) {
    arguments rest;
    int none = 0, code = options_parse(self, argc, argv, &none, &rest);
    if (code != OPTIONS_READ) return code;
    const mrcnn_config_key *key;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)); i++) {
        printf("%s (%s, default %s)\n", key->name, key->type,
               *key->default_value ? key->default_value : "none");
        options_print_text(key->help, 4);
    }
    return EXIT_DONE;
}

static int run_presets(const command *self, int argc, char **argv) {
    arguments rest;
    int none = 0, code = options_parse(self, argc, argv, &none, &rest);
    if (code != OPTIONS_READ) return code;
    const char *name, *help;
    for (size_t i = 0; (name = mrcnn_config_preset(i, &help)); i++)
        printf("%-20s %s\n", name, help ? help : "");
    return EXIT_DONE;
}

/* -------------------------------------------------------------------------------------- tables */

static const option options[] = {
    CONFIG_ROWS(show_options, model.config),
    {"weights", "FILE|NAME", OPTION_TEXT, offsetof(show_options, model.weights),
     "what a weight file makes of it: it tells the number of classes and the network's shape", 0,
     0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static const command show = {
    .name = "show",
    .path = "config show",
    .summary = "every key, its value, and where the value came from",
    .usage = "[OPTION]...",
    .about = "Prints every key with its value and where the value came from: the defaults, a\n"
             "preset, the weights, a YAML file, or --set. Derived values can't be set.",
    .examples = "mrcnn config show --preset balloon\n"
                "    what matterport's balloon sample works with\n"
                "mrcnn config show --weights mine.h5 --set IMAGE_MAX_DIM=512\n"
                "    what `mrcnn detect` with the same options would use",
    .options = options,
    .run = run_show,
};

static const command diff = {
    .name = "diff",
    .path = "config diff",
    .summary = "only the keys that differ from the defaults",
    .usage = "[OPTION]...",
    .about = "Prints the keys whose values differ from the defaults, with their values and where\n"
             "these came from.",
    .examples = "mrcnn config diff --preset nucleus\n"
                "    what the preset changes\n"
                "mrcnn config diff --config mine.yaml\n"
                "    what a file of your own changes",
    .options = options,
    .run = run_diff,
};

static const command keys = {
    .name = "keys",
    .path = "config keys",
    .summary = "every key: type, default, what it is for",
    .usage = "",
    .about = "Lists every key that --set and YAML files know, with its type, its default and a\n"
             "line about it. Names and defaults are matterport's.",
    .examples = "mrcnn config keys\n"
                "    all of them\n"
                "mrcnn config keys | grep -A1 DETECTION\n"
                "    those about detection",
    .run = run_keys,
};

static const command presets = {
    .name = "presets",
    .path = "config presets",
    .summary = "the sets of values to start from",
    .usage = "",
    .about = "Lists the presets: sets of values for --preset, or for `preset: NAME` in a YAML\n"
             "file.",
    .examples = "mrcnn config presets\n"
                "    their names, with a line about each\n"
                "mrcnn config diff --preset small\n"
                "    what one of them changes",
    .run = run_presets,
};

static const command *const subcommands[] = {&show, &diff, &keys, &presets, NULL};

const command command_config = {
    .name = "config",
    .path = "config",
    .summary = "show what can be set, and what it is set to",
    .usage = "COMMAND [OPTION]...",
    .about = "Configuration: defaults, then a preset, then the weights, then a YAML file\n"
             "(--config), then single keys (--set KEY=VALUE); the later one wins.",
    .examples = "mrcnn config keys\n"
                "    everything that can be set\n"
                "mrcnn config show --preset coco\n"
                "    values and where they came from",
    .sub = subcommands,
};
