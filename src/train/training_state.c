/* training_state.c - see training_state.h. */
#include "train/training_state.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/fingerprint.h"
#include "weights/arrays.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 };

static const struct {
    const char *name;
    size_t offset;
} integers[] =
    {
        {"step", offsetof(mr_training_state, step)},
        {"epoch", offsetof(mr_training_state, epoch)},
        {"step_in_epoch", offsetof(mr_training_state, step_in_epoch)},
        {"stage", offsetof(mr_training_state, stage)},
        {"next_draw", offsetof(mr_training_state, next_draw)},
        {"optimizer_steps", offsetof(mr_training_state, optimizer_steps)},
        {"best_epoch", offsetof(mr_training_state, best_epoch)},
        {"best_by_ap", offsetof(mr_training_state, best_by_ap)},
        {"epochs_without_improvement", offsetof(mr_training_state, without_improvement)},
        {"last_epoch", offsetof(mr_training_state, last_epoch)},
        {"summed", offsetof(mr_training_state, summed)},
},
  reals[] = {
      {"best_loss", offsetof(mr_training_state, best_loss)},
      {"best_ap", offsetof(mr_training_state, best_ap)},
      {"epoch_seconds", offsetof(mr_training_state, epoch_seconds)},
      {"loss_sums/0", offsetof(mr_training_state, loss_sums[0])},
      {"loss_sums/1", offsetof(mr_training_state, loss_sums[1])},
      {"loss_sums/2", offsetof(mr_training_state, loss_sums[2])},
      {"loss_sums/3", offsetof(mr_training_state, loss_sums[3])},
      {"loss_sums/4", offsetof(mr_training_state, loss_sums[4])},
      {"loss_sums/5", offsetof(mr_training_state, loss_sums[5])},
      {"loss_sums/6", offsetof(mr_training_state, loss_sums[6])},
};
enum { INTEGERS = sizeof integers / sizeof *integers, REALS = sizeof reals / sizeof *reals };

/* Names of the other arrays. Those of a list go on with a number or a name. */
static const char format_name[] = "format", optimizer_name[] = "optimizer",
                  config_name[] = "config", layers_name[] = "layers",
                  weights_name[] = "weights_fingerprint", sum_name[] = "fingerprint",
                  classes_prefix[] = "class_names/", sizes_prefix[] = "set_sizes/",
                  sets_prefix[] = "sets/";
enum { OTHERS = 6 };

void mr_training_state_free(mr_training_state *state) {
    if (!state) return;
    for (int i = 0; i < state->set_count; i++) mr_tensors_free(&state->sets[i].tensors);
    for (size_t i = 0; i < state->class_count; i++) free(state->class_names[i]);
    free(state->class_names);
    free(state->config);
    free(state->layers);
    *state = (mr_training_state){0};
}

mr_tensors *mr_training_state_find(const mr_training_state *state, const char *name) {
    for (int i = 0; i < state->set_count; i++)
        if (strcmp(state->sets[i].name, name) == 0) return state->sets[i].tensors;
    return NULL;
}

/* Of everything in the list but the fingerprint itself. */
static uint64_t list_fingerprint(const mr_array_list *list) {
    uint64_t print = 0;
    for (size_t i = 0; i < list->count; i++) {
        const mr_named_array *a = &list->arrays[i];
        if (strcmp(a->name, sum_name) == 0) continue;
        print = mr_fingerprint(print, a->name, strlen(a->name));
        print = mr_fingerprint(print, a->shape, (size_t)a->rank * sizeof *a->shape);
        print = mr_fingerprint(print, a->values, a->bytes);
    }
    return print;
}

/* ------------------------------------------------------------------------------------- writing */

/* A list under construction: names are owned, values borrowed. `room` is made to measure; what
 * fails shows as a name that is NULL. */
typedef struct builder {
    mr_array_list list;
    int failed;
} builder;

static void put(builder *b, char *name, mr_element element, size_t bytes, const void *values) {
    if (!name) b->failed = 1;
    if (!name) return;
    b->list.arrays[b->list.count++] =
        (mr_named_array){name, element, 0, {0}, bytes, bytes > 0 ? values : ""};
}

static void put_integer(builder *b, const char *name, const int64_t *value) {
    put(b, mr_strdup(name), MR_INT64, sizeof *value, value);
}

static void put_text(builder *b, char *name, const char *text) {
    put(b, name, MR_TEXT, strlen(text), text);
}

static void put_set(builder *b, const mr_state_set *set, int64_t *size) {
    *size = (int64_t)mr_tensors_count(set->tensors);
    put(b, mr_format("%s%s", sizes_prefix, set->name), MR_INT64, sizeof *size, size);
    for (size_t i = 0; i < mr_tensors_count(set->tensors); i++) {
        const mr_tensor *t = mr_tensors_at(set->tensors, i);
        char *name = mr_format("%s%s/%s/%s", sets_prefix, set->name, t->layer, t->param);
        size_t before = b->list.count;
        put(b, name, MR_FLOAT32, t->count * sizeof *t->values, t->values);
        if (b->list.count == before) return;
        b->list.arrays[before].rank = t->rank;
        memcpy(b->list.arrays[before].shape, t->shape, (size_t)t->rank * sizeof *t->shape);
    }
}

static size_t array_count(const mr_training_state *state) {
    size_t count = INTEGERS + REALS + OTHERS + state->class_count;
    for (int i = 0; i < state->set_count; i++)
        count += 1 + mr_tensors_count(state->sets[i].tensors);
    return count;
}

/* Numbers that the list points to and the state does not hold as such. */
typedef struct extras {
    int64_t format, weights, print, sizes[MR_STATE_SETS];
} extras;

static void put_all(builder *b, const mr_training_state *state, extras *more) {
    put_integer(b, format_name, &more->format);
    put_integer(b, weights_name, &more->weights);
    for (size_t i = 0; i < INTEGERS; i++)
        put_integer(b, integers[i].name,
                    (const int64_t *)((const char *)state + integers[i].offset));
    for (size_t i = 0; i < REALS; i++)
        put(b, mr_strdup(reals[i].name), MR_FLOAT64, sizeof(double),
            (const char *)state + reals[i].offset);
    put_text(b, mr_strdup(optimizer_name), state->optimizer);
    if (state->config) put_text(b, mr_strdup(config_name), state->config);
    if (state->layers) put_text(b, mr_strdup(layers_name), state->layers);
    for (size_t i = 0; i < state->class_count; i++)
        put_text(b, mr_format("%s%zu", classes_prefix, i), state->class_names[i]);
    for (int i = 0; i < state->set_count; i++) put_set(b, &state->sets[i], &more->sizes[i]);
    more->print = (int64_t)list_fingerprint(&b->list);
    put_integer(b, sum_name, &more->print);
}

static mrcnn_status check_values(const mr_training_state *state, const char *path,
                                 mrcnn_error *err) {
    for (int i = 0; i < state->set_count; i++) {
        const mr_state_set *set = &state->sets[i];
        if (!set->name[0] || strchr(set->name, '/'))
            return mr_fail(err, MRCNN_E_ARGUMENT, "%s: a set of tensors can't have the name \"%s\"",
                           path, set->name);
        for (size_t k = 0; k < mr_tensors_count(set->tensors); k++)
            if (!mr_tensors_at(set->tensors, k)->values)
                return mr_fail(err, MRCNN_E_ARGUMENT, "%s: %s of %s/%s was given back to memory",
                               path, set->name, mr_tensors_at(set->tensors, k)->layer,
                               mr_tensors_at(set->tensors, k)->param);
    }
    return MRCNN_OK;
}

mrcnn_status mr_training_state_write(const mr_training_state *state, uint64_t fingerprint,
                                     const char *path, mrcnn_error *err) {
    mrcnn_status status = check_values(state, path, err);
    if (status != MRCNN_OK) return status;
    size_t count = array_count(state);
    extras more = {.format = FORMAT, .weights = (int64_t)fingerprint};
    builder b = {{0, mr_calloc(count, sizeof *b.list.arrays)}, 0};
    if (!b.list.arrays) return mr_fail_memory(err, count * sizeof *b.list.arrays, path);
    put_all(&b, state, &more);
    if (b.failed)
        status = mr_fail_memory(err, count * MR_ARRAY_NAME, path);
    else
        status = mr_named_arrays_write(b.list.arrays, b.list.count, path, err);
    for (size_t i = 0; i < b.list.count; i++) free((char *)b.list.arrays[i].name);
    free(b.list.arrays);
    return status;
}

/* ------------------------------------------------------------------------------------- reading */

static mrcnn_status missing(const char *path, const char *what, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_FORMAT,
                   "%s: lacks %s or holds something else there; it is no training state of this "
                   "program, or damaged",
                   path, what);
}

/* Evaluation came later than the format: 0 says that there was none. */
static int is_absent(const mr_array_list *list, const char *name) {
    if (strcmp(name, "best_by_ap") != 0 && strcmp(name, "best_ap") != 0) return 0;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->arrays[i].name, name) == 0) return 0;
    return 1;
}

static mrcnn_status get_integer(int64_t *value, const mr_array_list *list, const char *name,
                                const char *path, mrcnn_error *err) {
    const mr_named_array *a = mr_array_list_find(list, name, MR_INT64);
    if (!a || a->rank != 0) return missing(path, name, err);
    memcpy(value, a->values, sizeof *value);
    return MRCNN_OK;
}

static mrcnn_status get_numbers(mr_training_state *state, const mr_array_list *list,
                                const char *path, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < INTEGERS && status == MRCNN_OK; i++) {
        int64_t *to = (int64_t *)((char *)state + integers[i].offset);
        if (is_absent(list, integers[i].name)) continue;
        status = get_integer(to, list, integers[i].name, path, err);
        if (status == MRCNN_OK && *to < 0) status = missing(path, integers[i].name, err);
    }
    for (size_t i = 0; i < REALS && status == MRCNN_OK; i++) {
        if (is_absent(list, reals[i].name)) continue;
        const mr_named_array *a = mr_array_list_find(list, reals[i].name, MR_FLOAT64);
        if (!a || a->rank != 0) return missing(path, reals[i].name, err);
        memcpy((char *)state + reals[i].offset, a->values, sizeof(double));
    }
    if (status != MRCNN_OK) return status;
    const mr_named_array *optimizer = mr_array_list_find(list, optimizer_name, MR_TEXT);
    if (!optimizer || optimizer->bytes >= MR_STATE_NAME) return missing(path, optimizer_name, err);
    memcpy(state->optimizer, optimizer->values, optimizer->bytes + 1);
    return MRCNN_OK;
}

static char *take_text(mr_named_array *a) {
    char *text = (char *)a->values;
    a->values = NULL;
    return text;
}

static mrcnn_status take_class_name(mr_training_state *state, mr_named_array *a, mrcnn_error *err) {
    char **names = mr_realloc(state->class_names, state->class_count + 1, sizeof *names);
    if (!names) return mr_fail_memory(err, state->class_count * sizeof *names, "class names");
    state->class_names = names;
    state->class_names[state->class_count++] = take_text(a);
    return MRCNN_OK;
}

static mrcnn_status start_set(mr_training_state *state, const char *name, const char *path,
                              mrcnn_error *err) {
    if (state->set_count == MR_STATE_SETS || strlen(name) >= MR_STATE_NAME)
        return missing(path, sizes_prefix, err);
    mr_state_set *set = &state->sets[state->set_count];
    set->tensors = mr_tensors_create();
    if (!set->tensors) return mr_fail_memory(err, sizeof *set, "a set of tensors");
    strcpy(set->name, name);
    state->set_count++;
    return MRCNN_OK;
}

/* `name` is "velocity/conv1/kernel". Only the newest set can grow. */
static mrcnn_status take_tensor(mr_training_state *state, const char *name, mr_named_array *a,
                                const char *path, mrcnn_error *err) {
    mr_state_set *set = state->set_count ? &state->sets[state->set_count - 1] : NULL;
    size_t n = set ? strlen(set->name) : 0;
    const char *param = strrchr(name, '/');
    if (!set || strncmp(name, set->name, n) != 0 || name[n] != '/' || param == name + n)
        return missing(path, "the list of its sets", err);
    char *layer = mr_format("%.*s", (int)(param - name - (ptrdiff_t)n - 1), name + n + 1);
    if (!layer) return mr_fail_memory(err, strlen(name), "a layer's name");
    mr_tensor *t = NULL;
    mrcnn_status status =
        mr_tensors_add(set->tensors, layer, param + 1, a->rank, a->shape, &t, err);
    free(layer);
    if (status != MRCNN_OK)
        return mr_prefix(err, status == MRCNN_E_ARGUMENT ? MRCNN_E_FORMAT : status, path);
    mr_tensor_release(t);
    t->values = (float *)a->values;
    a->values = NULL;
    return MRCNN_OK;
}

/* What follows `prefix` in the name; NULL if it begins in another way. */
static const char *after(const char *name, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(name, prefix, n) == 0 ? name + n : NULL;
}

static mrcnn_status take_array(mr_training_state *state, mr_named_array *a, const char *path,
                               mrcnn_error *err) {
    const char *rest;
    if (a->element == MR_TEXT && strcmp(a->name, config_name) == 0 && !state->config) {
        state->config = take_text(a);
        return MRCNN_OK;
    }
    if (a->element == MR_TEXT && strcmp(a->name, layers_name) == 0 && !state->layers) {
        state->layers = take_text(a);
        return MRCNN_OK;
    }
    if (a->element == MR_TEXT && after(a->name, classes_prefix))
        return take_class_name(state, a, err);
    if (a->element == MR_INT64 && (rest = after(a->name, sizes_prefix)) != NULL)
        return start_set(state, rest, path, err);
    if (a->element == MR_FLOAT32 && (rest = after(a->name, sets_prefix)) != NULL)
        return take_tensor(state, rest, a, path, err);
    return MRCNN_OK;
}

static mrcnn_status check_list(const mr_array_list *list, uint64_t *weights, const char *path,
                               mrcnn_error *err) {
    int64_t format = 0, print = 0, number = 0;
    mrcnn_status status = get_integer(&format, list, format_name, path, err);
    if (status == MRCNN_OK && format != FORMAT)
        status = mr_fail(err, MRCNN_E_UNSUPPORTED,
                         "%s: is a training state of format %lld; this program knows format %d",
                         path, (long long)format, FORMAT);
    if (status == MRCNN_OK) status = get_integer(&print, list, sum_name, path, err);
    if (status == MRCNN_OK && (uint64_t)print != list_fingerprint(list))
        status =
            mr_fail(err, MRCNN_E_FORMAT,
                    "%s: its values are not those that were written: the file is damaged", path);
    if (status == MRCNN_OK) status = get_integer(&number, list, weights_name, path, err);
    *weights = (uint64_t)number;
    return status;
}

static mrcnn_status check_sizes(const mr_training_state *state, const mr_array_list *list,
                                const char *path, mrcnn_error *err) {
    for (int i = 0; i < state->set_count; i++) {
        char name[sizeof sizes_prefix + MR_STATE_NAME];
        int64_t size = 0;
        strcpy(name, sizes_prefix);
        strcat(name, state->sets[i].name);
        mrcnn_status status = get_integer(&size, list, name, path, err);
        if (status != MRCNN_OK) return status;
        if ((uint64_t)size != mr_tensors_count(state->sets[i].tensors))
            return missing(path, name, err);
    }
    return MRCNN_OK;
}

mrcnn_status mr_training_state_read(mr_training_state *state, uint64_t *fingerprint,
                                    const char *path, mrcnn_error *err) {
    mr_array_list list = {0};
    mr_training_state found = {0};
    uint64_t weights = 0;
    mrcnn_status status = mr_named_arrays_read(&list, path, err);
    if (status == MRCNN_OK) status = check_list(&list, &weights, path, err);
    if (status == MRCNN_OK) status = get_numbers(&found, &list, path, err);
    for (size_t i = 0; i < list.count && status == MRCNN_OK; i++)
        status = take_array(&found, &list.arrays[i], path, err);
    if (status == MRCNN_OK) status = check_sizes(&found, &list, path, err);
    mr_array_list_free(&list);
    if (status != MRCNN_OK) {
        mr_training_state_free(&found);
        return status;
    }
    *state = found;
    *fingerprint = weights;
    return MRCNN_OK;
}
