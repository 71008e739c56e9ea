/* weights.c - mrcnn weights: fetching published weights and making fresh ones. */
#include "weights.h"

#include "commands.h"
#include "model.h"
#include "shipped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------- get */

typedef struct get_options {
    const char *url, *directory;
} get_options;

static const option get_table[] = {
    {"url", "URL", OPTION_TEXT, offsetof(get_options, url),
     "fetch it from there instead of where it was published; the checksum stays the same", 0, 0},
    {"dir", "DIR", OPTION_TEXT, offsetof(get_options, directory),
     "keep it there instead of in $XDG_CACHE_HOME/mrcnn or ~/.cache/mrcnn", 0, 0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static int check_name(const command *self, const char *name) {
    text_nearest nearest = text_nearest_start(name);
    const char *published;
    if (strcmp(name, SHIPPED_MODEL) == 0) return EXIT_DONE;
    for (size_t i = 0; (published = mrcnn_weights_published(i, NULL, NULL)); i++) {
        if (strcmp(published, name) == 0) return EXIT_DONE;
        text_nearest_offer(&nearest, published);
    }
    if (nearest.best)
        return message_usage(self->path, "no weights are published as \"%s\"; did you mean %s?",
                             name, nearest.best);
    return message_usage(self->path,
                         "no weights are published as \"%s\"; `mrcnn weights list` "
                         "tells which are",
                         name);
}

static int get(const command *self, const get_options *values, const char *name) {
    int code = check_name(self, name);
    if (code == EXIT_DONE && strcmp(name, SHIPPED_MODEL) == 0 && (values->url || values->directory))
        code = message_usage(self->path, "%s comes along: there is nothing to fetch", name);
    if (code != EXIT_DONE) return code;
    char *path = find_weights(name, values->url, values->directory);
    if (path) printf("%s\n", path);
    free(path);
    return path ? EXIT_DONE : EXIT_FAILED;
}

static int run_get(const command *self, int argc, char **argv) {
    get_options values = {0};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    return code == OPTIONS_READ ? get(self, &values, rest.items[0]) : code;
}

static int run_list(const command *self, int argc, char **argv) {
    arguments rest;
    int none = 0, code = options_parse(self, argc, argv, &none, &rest);
    if (code != OPTIONS_READ) return code;
    const char *name, *url, *help;
    char *path = shipped_find(SHIPPED_WEIGHTS);
    printf("%-10s %s\n%-10s %s\n", SHIPPED_MODEL,
           "cell nuclei in microscope pictures, one class; comes along with this program", "",
           path ? path : "(it is not where it was installed)");
    free(path);
    for (size_t i = 0; (name = mrcnn_weights_published(i, &url, &help)); i++)
        printf("%-10s %s\n%-10s %s\n", name, help, "", url);
    return EXIT_DONE;
}

/* --------------------------------------------------------------------------------------- init */

typedef struct init_options {
    config_options config;
    const char *out;
    int64_t seed;
} init_options;

static const option init_table[] = {
    {"out", "FILE.h5", OPTION_TEXT, offsetof(init_options, out), "the file to write", 0, 0},
    CONFIG_ROWS(init_options, config),
    SEED_ROW(init_options, seed),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static int init(const command *self, const init_options *values) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    int code = configure(self, &values->config, &config);
    if (code == EXIT_DONE &&
        (mrcnn_model_create(&model, config, (uint64_t)values->seed, &err) != MRCNN_OK ||
         mrcnn_model_save(model, values->out, &err) != MRCNN_OK))
        code = fail_with(&err);
    if (code == EXIT_DONE) printf("%s\n", values->out);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    return code;
}

static int run_init(const command *self, int argc, char **argv) {
    init_options values = {0};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    if (!values.out)
        code = message_usage(self->path, "--out is missing: the file to write");
    else
        code = init(self, &values);
    options_free(self, &values);
    return code;
}

/* ------------------------------------------------------------------------------------- tables */

static const command command_get = {
    .name = "get",
    .path = "weights get",
    .summary = "fetch published weights into the cache",
    .usage = "[OPTION]... coco|imagenet|balloon|nuclei",
    .about =
        "Fetches published weights unless they are there already, checks their SHA-256, and\n"
        "prints where they are. A broken download goes on where it stopped. nuclei, the model\n"
        "that comes along, is there: where, is printed.",
    .examples = "mrcnn weights get coco\n"
                "    then `mrcnn detect --weights coco ...` finds them\n"
                "mrcnn weights get balloon --dir weights\n"
                "    into a folder of one's own",
    .options = get_table,
    .at_least = 1,
    .at_most = 1,
    .run = run_get,
};

static const command command_list = {
    .name = "list",
    .path = "weights list",
    .summary = "the weights that have a name",
    .usage = "",
    .about =
        "Lists the weights that --weights knows by name: what they are, and where the model that\n"
        "comes along lies, or the URL of published ones.",
    .examples = "mrcnn weights list\n"
                "    all of them\n"
                "mrcnn weights get coco\n"
                "    fetch one",
    .run = run_list,
};

static const command command_init = {
    .name = "init",
    .path = "weights init",
    .summary = "write a file of fresh random weights",
    .usage = "--out FILE.h5 [OPTION]...",
    .about =
        "Makes a model of a configuration with fresh weights (Keras' initialisers) and writes it\n"
        "as a Keras file. The same seed gives the same bytes everywhere.",
    .examples = "mrcnn weights init --out fresh.h5 --preset small --set NUM_CLASSES=2\n"
                "    a small network for one class and the background\n"
                "mrcnn weights init --out fresh.h5 --preset coco --seed 7\n"
                "    another draw of COCO's network",
    .options = init_table,
    .run = run_init,
};

static const command *const subcommands[] = {
    &command_get, &command_list, &command_weights_info, &command_init, &command_weights_convert,
    NULL};

const command command_weights = {
    .name = "weights",
    .path = "weights",
    .summary = "fetch, list, make and convert weight files",
    .usage = "COMMAND [OPTION]...",
    .about = "Works on Keras weight files (.h5) of matterport/Mask_RCNN and of this program.",
    .examples = "mrcnn weights get coco\n"
                "    fetch the weights trained on COCO (about 250 MB)\n"
                "mrcnn weights info --stats mask_rcnn_coco.h5\n"
                "    what is in a file",
    .sub = subcommands,
};
