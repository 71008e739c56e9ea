/* model.c - see model.h. */
#include "model.h"

#include "files.h"
#include "progress.h"
#include "shipped.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int fail_with(const mrcnn_error *err) {
    message("%s", err->message);
    return err->status == MRCNN_E_CANCELLED ? EXIT_INTERRUPTED : EXIT_FAILED;
}

/* ----------------------------------------------------------------------------- configuration */

static int set_key(const command *self, const char *setting, mrcnn_config *config) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    const char *equals = strchr(setting, '=');
    if (!equals || equals == setting)
        return message_usage(self->path, "--set %s: write it as KEY=VALUE", setting);
    char *key = text_copy_part(setting, (size_t)(equals - setting));
    mrcnn_status status = mrcnn_config_set(config, key, equals + 1, &err);
    free(key);
    return status == MRCNN_OK ? EXIT_DONE
                              : message_usage(self->path, "--set %s: %s", setting, err.message);
}

int configure_keys(const command *self, const text_list *set, mrcnn_config *config) {
    int code = EXIT_DONE;
    for (size_t i = 0; i < set->count && code == EXIT_DONE; i++)
        code = set_key(self, set->items[i], config);
    return code;
}

int configure(const command *self, const config_options *options, mrcnn_config **config) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int code = EXIT_DONE;
    if (mrcnn_config_create(config, options->preset, &err) != MRCNN_OK)
        return options->preset ? message_usage(self->path, "--preset: %s", err.message)
                               : fail_with(&err);
    if (options->file && mrcnn_config_load(*config, options->file, &err) != MRCNN_OK)
        code = fail_with(&err);
    if (code == EXIT_DONE) code = configure_keys(self, &options->set, *config);
    if (code != EXIT_DONE) mrcnn_config_free(config);
    return code;
}

int config_is_chosen(const mrcnn_config *config, const char *key) {
    const char *source = mrcnn_config_source(config, key);
    return strcmp(source, "default") != 0 && strcmp(source, "weights") != 0;
}

/* ----------------------------------------------------------------------------------- weights */

typedef struct download {
    const char *name;
    int announced;
} download;

static int show_download(void *user, uint64_t done, uint64_t total) {
    download *d = user;
    if (!d->announced) {
        message("fetching the weights \"%s\"", d->name);
        d->announced = 1;
    }
    progress_show(done, total);
    return 0;
}

static int is_published(const char *name) {
    for (size_t i = 0;; i++) {
        const char *published = mrcnn_weights_published(i, NULL, NULL);
        if (!published) return 0;
        if (strcmp(published, name) == 0) return 1;
    }
}

char *find_weights(const char *name, const char *url, const char *directory) {
    if (strcmp(name, SHIPPED_MODEL) == 0) return shipped_need(SHIPPED_WEIGHTS);
    if (!is_published(name)) return text_copy(name);
    mrcnn_error err = MRCNN_ERROR_INIT;
    download state = {name, 0};
    mrcnn_fetch_options options = mrcnn_fetch_options_default();
    options.url = url;
    options.directory = directory;
    options.progress = show_download;
    options.user = &state;
    char *path = NULL, *copy = NULL;
    progress_start(name, PROGRESS_BYTES);
    mrcnn_status status = mrcnn_weights_fetch(&path, name, &options, &err);
    progress_end();
    if (status == MRCNN_OK)
        copy = text_copy(path);
    else
        fail_with(&err);
    mrcnn_string_free(&path);
    return copy;
}

static int create_fresh(const model_options *options, const mrcnn_config *config,
                        mrcnn_model **model) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_model_create(model, config, (uint64_t)options->seed, &err) != MRCNN_OK)
        return fail_with(&err);
    message("these weights are fresh random numbers (seed %lld): what they detect means nothing",
            (long long)options->seed);
    return EXIT_DONE;
}

/* A user without a home has no cache. */
static const char *cache_of(const char *given) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (given) return strcmp(given, "none") == 0 ? NULL : given;
    return (cache && cache[0] == '/') || (home && home[0] == '/') ? "" : NULL;
}

static int load(const model_options *options, const session_options *session,
                const mrcnn_config *config, mrcnn_model **model) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_load_options how = mrcnn_load_options_default();
    char *path = find_weights(options->weights, NULL, NULL);
    if (!path) return EXIT_FAILED;
    if (session) how.cache = cache_of(session->cache);
    mrcnn_status status = mrcnn_model_load_with(model, path, config, &how, &err);
    free(path);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

int default_weights(const command *self, model_options *options) {
    if (options->weights) return EXIT_DONE;
    char *path = shipped_find(SHIPPED_WEIGHTS);
    if (!path)
        return message_usage(
            self->path,
            "--weights is missing: a Keras .h5 file, a published name (coco), or "
            "none for fresh weights (the model that comes along, %s, is not there)",
            SHIPPED_WEIGHTS);
    message("no --weights given: using %s, which finds cell nuclei (--weights coco finds people, "
            "cars, cats and 77 other things)",
            path);
    free(path);
    options->weights = SHIPPED_MODEL;
    return EXIT_DONE;
}

int open_model(const command *self, const model_options *options, const session_options *session,
               const mrcnn_config *config, mrcnn_model **model) {
    text_list names = {0};
    int code = options->classes ? read_class_names(self, options->classes, &names) : EXIT_DONE;
    if (code == EXIT_DONE)
        code = strcmp(options->weights, "none") == 0 ? create_fresh(options, config, model)
                                                     : load(options, session, config, model);
    if (code == EXIT_DONE && options->classes)
        code = set_class_names(*model, &names, options->classes);
    if (code != EXIT_DONE) mrcnn_model_free(model);
    text_list_free(&names);
    return code;
}

int open_session(const session_options *options, mrcnn_model *model, mrcnn_session **session) {
    static const char *const precisions[] = {"default", "f32", "bf16", "int8", "auto"};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_session_options asked = mrcnn_session_options_default();
    asked.threads = (int)options->threads;
    asked.executor = options->executor ? "reference" : "cpu";
    asked.precision = precisions[options->precision];
    asked.cache = cache_of(options->cache);
    return mrcnn_session_create(session, model, &asked, &err) == MRCNN_OK ? EXIT_DONE
                                                                          : fail_with(&err);
}

/* ------------------------------------------------------------------------------- class names */

int is_background(const char *name) {
    return strcasecmp(name, "BG") == 0 || strcasecmp(name, "background") == 0 ||
           strcasecmp(name, "__background__") == 0;
}

void add_background(text_list *names) {
    text_list_add(names, NULL);
    memmove(names->items + 1, names->items, (names->count - 1) * sizeof *names->items);
    names->items[0] = text_copy("BG");
}

/* A single word could be either; a file of that name decides. */
static int names_a_file(const char *given) {
    return path_exists(given) || strchr(given, '/') || strcmp(path_extension(given), ".txt") == 0;
}

int read_class_names(const command *self, const char *given, text_list *names) {
    if (strchr(given, ',') || !names_a_file(given)) {
        text_split(names, given, ",");
    } else {
        char *text = read_text_file(given);
        if (!text) return EXIT_FAILED;
        text_split(names, text, "\n");
        free(text);
    }
    if (names->count) return EXIT_DONE;
    return message_usage(self->path, "--classes %s: there are no names in it", given);
}

int set_class_names(mrcnn_model *model, text_list *names, const char *given) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    size_t count = (size_t)mrcnn_model_class_count(model);
    if (names->count + 1 == count && !is_background(names->items[0])) add_background(names);
    if (names->count != count) {
        message("--classes %s: %zu names, but the model has %zu classes and the background", given,
                names->count - (size_t)is_background(names->items[0]), count - 1);
        return EXIT_FAILED;
    }
    return mrcnn_model_set_class_names(model, (const char *const *)names->items, count, &err) ==
                   MRCNN_OK
               ? EXIT_DONE
               : fail_with(&err);
}

const char **model_class_names(const mrcnn_model *model) {
    int count = mrcnn_model_class_count(model);
    const char **names = text_grow(NULL, (size_t)count + 1, sizeof *names);
    for (int i = 0; i < count; i++) names[i] = mrcnn_model_class_name(model, i);
    names[count] = NULL;
    return names;
}

int model_is_unnamed(const mrcnn_model *model) {
    char numbered[32];
    for (int i = 1; i < mrcnn_model_class_count(model); i++) {
        snprintf(numbered, sizeof numbered, "class %d", i);
        if (strcmp(mrcnn_model_class_name(model, i), numbered) != 0) return 0;
    }
    return 1;
}
