/* config.c - the configuration object: settings, the text of each value and where it came from.
 * Text is made when a value changes, so that get is a plain read and many threads may share a
 * configuration that nobody changes. */
#include "config/config.h"

#include "base/error.h"
#include "base/memory.h"
#include "config/keys.h"
#include "config/nearest.h"
#include "config/object.h"
#include "config/text.h"
#include "config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DERIVED_COUNT = 3, DERIVED_TEXT = 64 };

struct mrcnn_config {
    mr_settings settings;
    char text[MR_KEY_COUNT][MR_VALUE_TEXT];
    char loss_text[MR_LOSS_COUNT][MR_NUMBER_TEXT];
    char class_text[MR_MAX_CLASS_SCORES][MR_NUMBER_TEXT];
    char derived_text[DERIVED_COUNT][DERIVED_TEXT];
    int source[MR_KEY_COUNT]; /* index in sources */
    char **sources;           /* sources[0] is "default" */
    int source_count;
};

/* ---------------------------------------------------------------------------------- the names */

typedef struct derived_key {
    const char *name, *why;
} derived_key;

static const derived_key derived_keys[DERIVED_COUNT] = {
    {"BATCH_SIZE", "it is IMAGES_PER_GPU x GPU_COUNT"},
    {"IMAGE_SHAPE", "it follows from IMAGE_MAX_DIM (IMAGE_MIN_DIM in crop mode) and "
                    "IMAGE_CHANNEL_COUNT"},
    {"IMAGE_META_SIZE", "it is 12 + NUM_CLASSES"},
};

static int derived_find(const char *name) {
    for (int i = 0; i < DERIVED_COUNT; i++)
        if (strcmp(name, derived_keys[i].name) == 0) return i;
    return -1;
}

/* What a key's name stands for: a row of the table and, for LOSS_WEIGHTS.x and CLASS_MIN_CONFIDENCE.x,
 * one entry of it. */
typedef struct target {
    int key;          /* -1: none */
    const char *item; /* NULL: the whole value */
} target;

static int is_mapping(mr_kind kind) {
    return kind == MR_KIND_LOSSES || kind == MR_KIND_CLASS_SCORES;
}

/* The mapping of which `name` is an entry, whether or not it has such a one; key -1: of none. */
static target find_item(const char *name) {
    size_t length = strcspn(name, ".");
    target t = {-1, name[length] ? name + length + 1 : NULL};
    for (int i = 0; t.item && i < MR_KEY_COUNT; i++)
        if (is_mapping(mr_keys[i].kind) && strlen(mr_keys[i].shown.name) == length &&
            memcmp(mr_keys[i].shown.name, name, length) == 0)
            t.key = i;
    return t;
}

static target find_target(const char *name) {
    target t = {mr_key_find(name), NULL};
    if (t.key >= 0) return t;
    t = find_item(name);
    if (t.key >= 0 && mr_keys[t.key].kind == MR_KIND_LOSSES && mr_loss_find(t.item, NULL) < 0)
        t.key = -1;
    return t;
}

static mrcnn_status fail_unknown_key(const char *name, mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    mr_nearest nearest = mr_nearest_start(name);
    for (int i = 0; i < MR_KEY_COUNT; i++) mr_nearest_try(&nearest, mr_keys[i].shown.name);
    for (int i = 0; i < DERIVED_COUNT; i++) mr_nearest_try(&nearest, derived_keys[i].name);
    if (!nearest.best)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "there is no key %s; `mrcnn config keys` lists those that there are",
                       mr_text_show(name, shown));
    return mr_fail(err, MRCNN_E_CONFIG, "there is no key %s; did you mean %s?%s",
                   mr_text_show(name, shown), nearest.best,
                   nearest.distance == 0 ? " Keys are written in capitals" : "");
}

mrcnn_status mr_config_check_key(const char *name, mrcnn_error *err) {
    if (find_target(name).key >= 0) return MRCNN_OK;
    int derived = derived_find(name);
    if (derived >= 0)
        return mr_fail(err, MRCNN_E_CONFIG, "%s can't be set: %s", name, derived_keys[derived].why);
    if (strcmp(name, "COMPUTE_BACKBONE_SHAPE") == 0)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "COMPUTE_BACKBONE_SHAPE can't be set: it is a Python function; here the "
                       "strides follow from the backbone's graph");
    if (strcmp(name, "preset") == 0)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "a preset is what a configuration starts from; name it in a YAML file or "
                       "when the configuration is made");
    target item = find_item(name);
    if (item.key >= 0) {
        mr_loss_find(item.item, err);
        return MRCNN_E_CONFIG;
    }
    return fail_unknown_key(name, err);
}

/* --------------------------------------------------------------------------------- its parts */

static void print_derived(mrcnn_config *config) {
    const mr_settings *s = &config->settings;
    int side = s->image_resize_mode == MR_RESIZE_CROP ? s->image_min_dim : s->image_max_dim;
    snprintf(config->derived_text[0], DERIVED_TEXT, "%lld",
             (long long)s->images_per_gpu * s->gpu_count);
    snprintf(config->derived_text[1], DERIVED_TEXT, "[%d, %d, %d]", side, side,
             s->image_channel_count);
    snprintf(config->derived_text[2], DERIVED_TEXT, "%d", 12 + s->num_classes);
}

static void print_value(mrcnn_config *config, int key) {
    mr_value_print(&mr_keys[key], &config->settings, config->text[key]);
    for (int i = 0; i < MR_LOSS_COUNT; i++)
        mr_number_print(config->settings.loss_weights.values[i], config->loss_text[i]);
    for (int i = 0; i < config->settings.class_min_confidence.count; i++)
        mr_number_print(config->settings.class_min_confidence.values[i], config->class_text[i]);
    print_derived(config);
}

/* Index of a source's name, added when it is new; -1 when memory is short. */
static int intern_source(mrcnn_config *config, const char *source) {
    for (int i = 0; i < config->source_count; i++)
        if (strcmp(config->sources[i], source) == 0) return i;
    char **larger =
        mr_realloc(config->sources, (size_t)config->source_count + 1, sizeof *config->sources);
    if (!larger) return -1;
    config->sources = larger;
    larger[config->source_count] = mr_strdup(source);
    return larger[config->source_count] ? config->source_count++ : -1;
}

static const char *source_of(const mrcnn_config *config, int key) {
    return config->sources[config->source[key]];
}

/* As long as nobody says anything else there is a mean for each channel: for one or two channels that
 * of matterport's three, and the middle of 0 to 255 for what comes behind the colours. */
static void fit_default_mean(mrcnn_config *config) {
    static const double rgb[3] = {123.7, 116.8, 103.9}, grey = 114.8, other = 127.5;
    int key = mr_key_find("MEAN_PIXEL"), count = config->settings.image_channel_count;
    mr_floats mean = {.count = count};
    if (strcmp(source_of(config, key), "default") != 0) return;
    for (int i = 0; i < count; i++)
        mean.values[i] = count < 3 ? (i == 0 ? grey : other) : i < 3 ? rgb[i] : other;
    config->settings.mean_pixel = mean;
    mr_value_print(&mr_keys[key], &config->settings, config->text[key]);
}

static mrcnn_status set_target(mrcnn_config *config, target t, const char *value,
                               const char *source, mrcnn_error *err) {
    const mr_key *key = &mr_keys[t.key];
    int index = intern_source(config, source);
    if (index < 0) return mr_fail_memory(err, strlen(source), "a configuration");
    mrcnn_status status = t.item ? mr_value_parse_item(key, t.item, value, &config->settings, err)
                                 : mr_value_parse(key, value, &config->settings, err);
    if (status != MRCNN_OK) return status;
    config->source[t.key] = index;
    print_value(config, t.key);
    fit_default_mean(config);
    return MRCNN_OK;
}

static mrcnn_status set_default(mrcnn_config *config, int key, mrcnn_error *err) {
    target t = {key, NULL};
    return set_target(config, t, mr_keys[key].shown.default_value, "default", err);
}

static int is_starting_value(const char *source) {
    return strcmp(source, "default") == 0 || strncmp(source, "preset ", 7) == 0;
}

/* ------------------------------------------------------------------------------------ presets */

static mrcnn_status find_preset(const mr_preset **preset, const char *name, mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT], names[256] = "";
    *preset = mr_preset_find(name);
    if (*preset) return MRCNN_OK;
    for (size_t i = 0; mr_preset_at(i); i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", mr_preset_at(i)->name);
    }
    return mr_fail(err, MRCNN_E_CONFIG, "there is no preset %s; there are %s",
                   mr_text_show(name, shown), names);
}

/* Its base's values first, and that one's base's before. */
static mrcnn_status set_preset_values(mrcnn_config *config, const mr_preset *preset,
                                      const char *source, mrcnn_error *err) {
    if (preset->base) {
        const mr_preset *base = mr_preset_find(preset->base);
        mrcnn_status status = set_preset_values(config, base, source, err);
        if (status != MRCNN_OK) return status;
    }
    for (const char *const *pair = preset->values; *pair; pair += 2) {
        target t = find_target(pair[0]);
        if (!is_starting_value(source_of(config, t.key))) continue;
        mrcnn_status status = set_target(config, t, pair[1], source, err);
        if (status != MRCNN_OK) return status;
    }
    return MRCNN_OK;
}

mrcnn_status mr_config_start_from(mrcnn_config *config, const char *name, mrcnn_error *err) {
    const mr_preset *preset;
    mrcnn_status status = find_preset(&preset, name, err);
    if (status != MRCNN_OK) return status;
    for (int i = 0; i < MR_KEY_COUNT && status == MRCNN_OK; i++)
        if (is_starting_value(source_of(config, i))) status = set_default(config, i, err);
    char source[80];
    snprintf(source, sizeof source, "preset %s", preset->name);
    if (status == MRCNN_OK) status = set_preset_values(config, preset, source, err);
    return status;
}

/* ------------------------------------------------------------------------- making and freeing */

mrcnn_status mrcnn_config_create(mrcnn_config **config, const char *preset, mrcnn_error *err) {
    if (!config) return mr_fail(err, MRCNN_E_ARGUMENT, "mrcnn_config_create: config is NULL");
    mrcnn_config *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a configuration");
    mrcnn_status status = MRCNN_OK;
    for (int i = 0; i < MR_KEY_COUNT && status == MRCNN_OK; i++) status = set_default(made, i, err);
    if (status == MRCNN_OK && preset) status = mr_config_start_from(made, preset, err);
    if (status == MRCNN_OK)
        *config = made;
    else
        mrcnn_config_free(&made);
    return status;
}

static int copy_sources(mrcnn_config *to, const mrcnn_config *from) {
    for (int i = 0; i < from->source_count; i++)
        if (intern_source(to, from->sources[i]) != i) return 0;
    return 1;
}

mrcnn_status mrcnn_config_copy(mrcnn_config **config, const mrcnn_config *from, mrcnn_error *err) {
    if (!config || !from)
        return mr_fail(err, MRCNN_E_ARGUMENT, "mrcnn_config_copy: config or from is NULL");
    mrcnn_config *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a configuration");
    *made = *from;
    made->sources = NULL;
    made->source_count = 0;
    if (!copy_sources(made, from)) {
        mrcnn_config_free(&made);
        return mr_fail_memory(err, sizeof *made, "a configuration");
    }
    *config = made;
    return MRCNN_OK;
}

void mrcnn_config_free(mrcnn_config **config) {
    if (!config || !*config) return;
    for (int i = 0; i < (*config)->source_count; i++) free((*config)->sources[i]);
    free((*config)->sources);
    free(*config);
    *config = NULL;
}

void mr_config_swap(mrcnn_config *a, mrcnn_config *b) {
    mrcnn_config old = *a;
    *a = *b;
    *b = old;
}

/* ---------------------------------------------------------------------------- setting, getting */

mrcnn_status mr_config_set_from(mrcnn_config *config, const char *key, const char *value,
                                const char *source, mrcnn_error *err) {
    if (!config || !key || !value || !source)
        return mr_fail(err, MRCNN_E_ARGUMENT, "setting a key: config, key or value is NULL");
    mrcnn_status status = mr_config_check_key(key, err);
    if (status != MRCNN_OK) return status;
    return set_target(config, find_target(key), value, source, err);
}

mrcnn_status mrcnn_config_set(mrcnn_config *config, const char *key, const char *value,
                              mrcnn_error *err) {
    return mr_config_set_from(config, key, value, "set", err);
}

static const char *item_text(const mrcnn_config *config, target t) {
    if (mr_keys[t.key].kind == MR_KIND_LOSSES) return config->loss_text[mr_loss_find(t.item, NULL)];
    int at = mr_class_scores_find(&config->settings.class_min_confidence, t.item);
    return at >= 0 ? config->class_text[at] : "";
}

const char *mrcnn_config_get(const mrcnn_config *config, const char *key) {
    if (!config || !key) return "";
    target t = find_target(key);
    if (t.item && t.key >= 0) return item_text(config, t);
    if (t.key >= 0) return config->text[t.key];
    int derived = derived_find(key);
    return derived >= 0 ? config->derived_text[derived] : "";
}

const char *mrcnn_config_source(const mrcnn_config *config, const char *key) {
    if (!config || !key) return "";
    target t = find_target(key);
    if (t.key >= 0) return source_of(config, t.key);
    return derived_find(key) >= 0 ? "derived" : "";
}

int mr_config_is_explicit(const mrcnn_config *config, const char *key) {
    target t = find_target(key);
    if (t.key < 0) return 0;
    const char *source = source_of(config, t.key);
    return strcmp(source, "default") != 0 && strcmp(source, "weights") != 0;
}

const mr_settings *mr_config_settings(const mrcnn_config *config) {
    return &config->settings;
}

mrcnn_image_options mrcnn_config_image_options(const mrcnn_config *config) {
    mrcnn_image_options options = mrcnn_image_options_default();
    if (!config) return options;
    options.channels = config->settings.image_channel_count;
    if (config->settings.image_value_range.count == 2) {
        options.low = config->settings.image_value_range.values[0];
        options.high = config->settings.image_value_range.values[1];
    }
    return options;
}

/* ------------------------------------------------------------------------------- own backbones */

int mr_has_own_backbone(const mr_settings *settings) {
    return settings->own_backbone_build && strcmp(settings->backbone, settings->own_backbone) == 0;
}

mrcnn_status mrcnn_config_set_backbone(mrcnn_config *config, const char *name, mrcnn_backbone build,
                                       void *user, mrcnn_error *err) {
    if (!build) return mr_fail(err, MRCNN_E_ARGUMENT, "BACKBONE %s: its builder is NULL", name);
    mrcnn_status status = mr_config_set_from(config, "BACKBONE", name, "set", err);
    if (status != MRCNN_OK) return status;
    memcpy(config->settings.own_backbone, config->settings.backbone,
           sizeof config->settings.own_backbone);
    config->settings.own_backbone_build = build;
    config->settings.own_backbone_user = user;
    return MRCNN_OK;
}
