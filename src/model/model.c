/* model.c - making, loading and saving models. */
#include "model/model.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "model/adapt.h"
#include "model/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REINITIALISE_ALLOWED = 1, REINITIALISE_REFUSED = 0 };

void mrcnn_model_free(mrcnn_model **model) {
    if (!model || !*model) return;
    mrcnn_model *m = *model;
    for (size_t i = 0; i < m->report_count; i++) {
        free((char *)m->reports[i].layer);
        free((char *)m->reports[i].note);
    }
    free(m->reports);
    mr_packs_free(&m->packs);
    mr_source_free(&m->source);
    mr_ranges_free(&m->ranges);
    mr_tensors_free(&m->weights);
    mr_weights_info_free(&m->info);
    mrcnn_config_free(&m->config);
    free(m);
    *model = NULL;
}

void mr_model_forget_ranges(mrcnn_model *m) {
    mr_ranges_free(&m->ranges);
    free(m->info.ranges);
    m->info.ranges = NULL;
}

/* An empty model with a copy of the configuration (or the defaults). */
static mrcnn_status start_model(mrcnn_model **model, const mrcnn_config *config, mrcnn_error *err) {
    mrcnn_model *m = mr_calloc(1, sizeof *m);
    if (!m) return mr_fail_memory(err, sizeof *m, "a model");
    mrcnn_status status = config ? mrcnn_config_copy(&m->config, config, err)
                                 : mrcnn_config_create(&m->config, NULL, err);
    m->packs = mr_packs_create();
    m->weights = mr_tensors_create();
    if (status == MRCNN_OK && (!m->packs || !m->weights))
        status = mr_fail_memory(err, sizeof *m, "a model");
    if (status != MRCNN_OK)
        mrcnn_model_free(&m);
    else
        *model = m;
    return status;
}

static mrcnn_status report(mrcnn_model *m, const char *layer, mrcnn_layer_state state, char *note,
                           mrcnn_error *err) {
    char *name = mr_strdup(layer);
    mrcnn_layer_report *reports = mr_realloc(m->reports, m->report_count + 1, sizeof *m->reports);
    if (reports) m->reports = reports;
    if (!name || !reports || !note) {
        free(name);
        free(note);
        return mr_fail_memory(err, sizeof *reports, "the table of layers");
    }
    mrcnn_layer_report fresh = {name, state, note};
    m->reports[m->report_count++] = fresh;
    return MRCNN_OK;
}

const mrcnn_layer_report *mrcnn_model_layer(const mrcnn_model *model, size_t index) {
    return index < model->report_count ? &model->reports[index] : NULL;
}

static void shape_text(const mr_tensor *t, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "(");
    for (int i = 0; i < t->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, i ? ", %lld" : "%lld",
                                 (long long)t->shape[i]);
    if (used < size) snprintf(text + used, size - used, ")");
}

static int same_shape(const mr_tensor *a, const mr_tensor *b) {
    return a->rank == b->rank &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

static int is_excluded(const char *layer, const char *const *exclude) {
    for (; exclude && *exclude; exclude++)
        if (strcmp(layer, *exclude) == 0) return 1;
    return 0;
}

/* One layer: tensors [first, last) of the model's set. All of its tensors are taken, or none. */
typedef struct layer_range {
    size_t first, last;
    const char *name;
} layer_range;

static layer_range layer_at(const mr_tensors *set, size_t first) {
    layer_range range = {first, first, mr_tensors_at(set, first)->layer};
    while (range.last < mr_tensors_count(set) &&
           strcmp(mr_tensors_at(set, range.last)->layer, range.name) == 0)
        range.last++;
    return range;
}

/* Names for a file without any: COCO's for 81 classes, numbers otherwise. */
static mrcnn_status name_classes(mrcnn_model *m, mrcnn_error *err) {
    size_t count = (size_t)mrcnn_model_class_count(m);
    if (m->info.class_count == count) return MRCNN_OK;
    char numbered[32];
    const char **names = mr_calloc(count, sizeof *names);
    char **owned = mr_calloc(count, sizeof *owned);
    mrcnn_status status = names && owned ? MRCNN_OK : mr_fail_memory(err, count, "class names");
    for (size_t i = 0; status == MRCNN_OK && i < count; i++) {
        snprintf(numbered, sizeof numbered, i ? "class %zu" : "BG", i);
        names[i] = count == 81 ? mr_coco_class_name((int)i) : (owned[i] = mr_strdup(numbered));
        if (!names[i]) status = mr_fail_memory(err, sizeof numbered, "class names");
    }
    if (status == MRCNN_OK) status = mrcnn_model_set_class_names(m, names, count, err);
    for (size_t i = 0; owned && i < count; i++) free(owned[i]);
    free(owned);
    free(names);
    return status;
}

static char *describe_mismatch(const mr_tensor *have, const mr_tensor *want) {
    char a[80], b[80];
    shape_text(have, a, sizeof a);
    shape_text(want, b, sizeof b);
    return mr_format("%s: file %s, model %s", want->param, a, b);
}

static char *describe_adapting(const mr_tensor *have, const mr_tensor *want) {
    char *shapes = describe_mismatch(have, want), *how = mr_adapt_note(want, have);
    char *note = shapes && how ? mr_format("%s: %s", shapes, how) : NULL;
    free(shapes);
    free(how);
    return note;
}

/* How a layer stands between the model and the file; *note says why it isn't loaded as it is. */
static mrcnn_layer_state compare_layer(const mrcnn_model *m, const mr_tensors *file,
                                       layer_range layer, const char *const *exclude, char **note) {
    if (is_excluded(layer.name, exclude)) {
        *note = mr_strdup("excluded");
        return MRCNN_LAYER_SKIPPED;
    }
    const mr_tensor *adapted = NULL;
    int channels = mr_config_settings(m->config)->image_channel_count;
    for (size_t i = layer.first; i < layer.last; i++) {
        const mr_tensor *want = mr_tensors_at(m->weights, i);
        const mr_tensor *have = mr_tensors_find(file, want->layer, want->param);
        if (!have) {
            *note = mr_format("the file has no %s/%s", want->layer, want->param);
            return MRCNN_LAYER_MISSING;
        }
        if (same_shape(want, have)) continue;
        if (mr_can_adapt(have, want, channels)) {
            adapted = want;
            continue;
        }
        *note = describe_mismatch(have, want);
        return MRCNN_LAYER_REINITIALISED;
    }
    *note = adapted
                ? describe_adapting(mr_tensors_find(file, adapted->layer, adapted->param), adapted)
                : mr_strdup("");
    return adapted ? MRCNN_LAYER_ADAPTED : MRCNN_LAYER_LOADED;
}

/* Moves the file's values into the model: nothing is copied but what is adapted. */
static void take_layer(mrcnn_model *m, mr_tensors *file, layer_range layer) {
    for (size_t i = layer.first; i < layer.last; i++) {
        mr_tensor *to = mr_tensors_at(m->weights, i);
        mr_tensor *from = mr_tensors_find(file, to->layer, to->param);
        if (!same_shape(to, from)) {
            mr_adapt(to, from);
            continue;
        }
        mr_tensor_release(to);
        to->values = from->values;
        from->values = NULL;
    }
}

static mrcnn_status refuse(const char *path, const char *layer, const char *note,
                           mrcnn_error *err) {
    return mr_fail(
        err, MRCNN_E_WEIGHTS,
        "%s: layer '%s' can't be loaded (%s); to start training from part of a file, start "
        "a new model from it",
        path, layer, note ? note : "");
}

static mrcnn_status fill_from_file(mrcnn_model *m, mr_tensors *file, const char *path,
                                   const char *const *exclude, int fresh_allowed, uint64_t seed,
                                   mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; status == MRCNN_OK && i < mr_tensors_count(m->weights);) {
        layer_range layer = layer_at(m->weights, i);
        char *note = NULL;
        mrcnn_layer_state state = compare_layer(m, file, layer, exclude, &note);
        if (state == MRCNN_LAYER_LOADED || (state == MRCNN_LAYER_ADAPTED && fresh_allowed)) {
            take_layer(m, file, layer);
        } else if (!fresh_allowed) {
            status = refuse(path, layer.name, note, err);
            free(note);
            return status;
        } else {
            for (size_t k = layer.first; k < layer.last; k++)
                mr_tensor_initialise(mr_tensors_at(m->weights, k), seed);
        }
        status = report(m, layer.name, state, note, err);
        i = layer.last;
    }
    /* What the file has and the model doesn't. */
    for (size_t i = 0; status == MRCNN_OK && i < mr_tensors_count(file);) {
        layer_range layer = layer_at(file, i);
        i = layer.last;
        const mr_tensor *t = mr_tensors_at(file, layer.first);
        if (!mr_tensors_find(m->weights, layer.name, t->param))
            status = report(m, layer.name, MRCNN_LAYER_SKIPPED, mr_strdup("not in the model"), err);
    }
    return status;
}

static mrcnn_status check_file_is_a_model(const mr_tensors *file, const char *path,
                                          mrcnn_error *err) {
    if (mr_tensors_find(file, "mrcnn_class_logits", "kernel")) return MRCNN_OK;
    if (mr_tensors_find(file, "conv1", "kernel"))
        return mr_fail(err, MRCNN_E_WEIGHTS,
                       "%s: holds a backbone without Mask R-CNN's heads; it can start a training "
                       "but detects nothing",
                       path);
    return mr_fail(err, MRCNN_E_WEIGHTS,
                   "%s: has no layer 'mrcnn_class_logits'; these are not Mask R-CNN weights", path);
}

mrcnn_load_options mrcnn_load_options_default(void) {
    return (mrcnn_load_options){sizeof(mrcnn_load_options), NULL};
}

mrcnn_status mrcnn_model_load_with(mrcnn_model **model, const char *path,
                                   const mrcnn_config *config, const mrcnn_load_options *options,
                                   mrcnn_error *err) {
    mr_tensors *file = NULL;
    mrcnn_model *m = NULL;
    mrcnn_load_options o = mrcnn_load_options_default();
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_load_options", err);
    if (status == MRCNN_OK) status = start_model(&m, config, err);
    if (status == MRCNN_OK) status = mr_source_open(m, path, o.cache, err);
    if (status == MRCNN_OK)
        status = m->source->is_packed ? mr_weights_outline(&file, &m->info, path, err)
                                      : mr_weights_read(&file, &m->info, path, err);
    if (status == MRCNN_OK && m->info.config)
        status = mr_config_from_yaml(m->config, m->info.config, strlen(m->info.config), "weights",
                                     1, err);
    if (status == MRCNN_OK && m->info.ranges)
        status = mr_ranges_parse(&m->ranges, m->info.ranges, path, err);
    if (status == MRCNN_OK) status = check_file_is_a_model(file, path, err);
    if (status == MRCNN_OK) status = mr_infer_architecture(m->config, file, path, err);
    if (status == MRCNN_OK) status = mr_config_validate(m->config, err);
    if (status == MRCNN_OK)
        status = mr_required_tensors(m->weights, mr_config_settings(m->config), err);
    if (status == MRCNN_OK)
        status = fill_from_file(m, file, path, NULL, REINITIALISE_REFUSED, 0, err);
    if (status == MRCNN_OK) status = name_classes(m, err);
    if (file) mr_tensors_free(&file);
    if (status != MRCNN_OK)
        mrcnn_model_free(&m);
    else
        *model = m;
    return status;
}

mrcnn_status mrcnn_model_load(mrcnn_model **model, const char *path, const mrcnn_config *config,
                              mrcnn_error *err) {
    return mrcnn_model_load_with(model, path, config, NULL, err);
}

mrcnn_status mrcnn_model_create(mrcnn_model **model, const mrcnn_config *config, uint64_t seed,
                                mrcnn_error *err) {
    mrcnn_model *m = NULL;
    mrcnn_status status = start_model(&m, config, err);
    if (status == MRCNN_OK) status = mr_config_validate(m->config, err);
    if (status == MRCNN_OK)
        status = mr_required_tensors(m->weights, mr_config_settings(m->config), err);
    for (size_t i = 0; status == MRCNN_OK && i < mr_tensors_count(m->weights); i++)
        mr_tensor_initialise(mr_tensors_at(m->weights, i), seed);
    if (status == MRCNN_OK) status = name_classes(m, err);
    if (status != MRCNN_OK)
        mrcnn_model_free(&m);
    else
        *model = m;
    return status;
}

mrcnn_status mrcnn_model_start_from(mrcnn_model **model, const char *path,
                                    const mrcnn_config *config, const char *const *exclude,
                                    uint64_t seed, mrcnn_error *err) {
    mr_tensors *file = NULL;
    mr_weights_info info = {0};
    mrcnn_model *m = NULL;
    mrcnn_status status = start_model(&m, config, err);
    if (status == MRCNN_OK) status = mr_weights_read(&file, &info, path, err);
    if (status == MRCNN_OK) status = mr_config_validate(m->config, err);
    if (status == MRCNN_OK)
        status = mr_required_tensors(m->weights, mr_config_settings(m->config), err);
    if (status == MRCNN_OK)
        status = fill_from_file(m, file, path, exclude, REINITIALISE_ALLOWED, seed, err);
    /* Names go along when they still fit. */
    if (status == MRCNN_OK && info.class_count == (size_t)mrcnn_model_class_count(m)) {
        m->info = info;
        memset(&info, 0, sizeof info);
        mr_model_forget_ranges(m); /* they were measured with other weights */
    }
    if (status == MRCNN_OK) status = name_classes(m, err);
    mr_weights_info_free(&info);
    if (file) mr_tensors_free(&file);
    if (status != MRCNN_OK)
        mrcnn_model_free(&m);
    else
        *model = m;
    return status;
}

/* The first layer, and the last ones, whose results are probabilities and boxes. */
static const char *const wide_layers[] = {
    "conv1", "rpn_class_raw", "rpn_bbox_pred", "mrcnn_class_logits", "mrcnn_bbox_fc", "mrcnn_mask",
    NULL};

static int find_storage(const char *name, mr_weights_precision *precision) {
    static const char *const names[] = {"f32", "f16", "int8"}; /* in the enumeration's order */
    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], name) == 0) {
            *precision = (mr_weights_precision)i;
            return 1;
        }
    return 0;
}

mrcnn_save_options mrcnn_save_options_default(void) {
    return (mrcnn_save_options){sizeof(mrcnn_save_options), "f32"};
}

mrcnn_status mrcnn_model_save_as(const mrcnn_model *model, const char *path,
                                 const mrcnn_save_options *options, mrcnn_error *err) {
    mrcnn_save_options o = mrcnn_save_options_default();
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_save_options", err);
    if (status != MRCNN_OK) return status;
    mr_weights_storage storage = {.wide = wide_layers};
    if (!find_storage(o.precision, &storage.precision))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: weights are saved as f32, f16 or int8, not as %s", path, o.precision);
    if ((status = mr_model_need_weights(model, err)) != MRCNN_OK)
        return mr_prefix(err, status, path);
    mr_weights_info info = model->info;
    info.keras_version = "2.1.6";
    info.backend = "tensorflow";
    info.config = mr_config_to_yaml(model->config);
    if (!info.config) return mr_fail_memory(err, 1 << 12, "the configuration's text");
    status = mr_weights_write_as(model->weights, &info, path, &storage, err);
    free(info.config);
    return status;
}

mrcnn_status mrcnn_model_save(const mrcnn_model *model, const char *path, mrcnn_error *err) {
    return mrcnn_model_save_as(model, path, NULL, err);
}

const mrcnn_config *mrcnn_model_config(const mrcnn_model *model) {
    return model->config;
}

int mrcnn_model_class_count(const mrcnn_model *model) {
    return mr_config_settings(model->config)->num_classes;
}

const char *mrcnn_model_class_name(const mrcnn_model *model, int class_id) {
    if (class_id < 0 || (size_t)class_id >= model->info.class_count) return "?";
    return model->info.class_names[class_id];
}

mrcnn_status mrcnn_model_set_class_names(mrcnn_model *model, const char *const *names, size_t count,
                                         mrcnn_error *err) {
    if (count != (size_t)mrcnn_model_class_count(model))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%zu class names were given, the model has %d classes with background",
                       count, mrcnn_model_class_count(model));
    char **copies = mr_calloc(count, sizeof *copies);
    size_t done = 0;
    while (copies && done < count && (copies[done] = mr_strdup(names[done]))) done++;
    if (done < count) {
        for (size_t i = 0; copies && i < done; i++) free(copies[i]);
        free(copies);
        return mr_fail_memory(err, count * sizeof *copies, "class names");
    }
    for (size_t i = 0; i < model->info.class_count; i++) free(model->info.class_names[i]);
    free(model->info.class_names);
    model->info.class_names = copies;
    model->info.class_count = count;
    return MRCNN_OK;
}
