/* public.c - weight files through the public API: a set of tensors seen from outside. */
#include "weights/weights.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mrcnn_weights {
    mr_tensors *set;
    mr_weights_info info;
    mrcnn_weights_tensor *views;
    char *class_names; /* one a line */
    char kernels[128]; /* how they are stored */
};

/* Views borrow from the set. */
static int make_views(mrcnn_weights *w) {
    size_t count = mr_tensors_count(w->set);
    w->views = mr_calloc(count, sizeof *w->views);
    if (!w->views) return 0;
    for (size_t i = 0; i < count; i++) {
        const mr_tensor *t = mr_tensors_at(w->set, i);
        mrcnn_weights_tensor *view = &w->views[i];
        view->layer = t->layer;
        view->name = t->param;
        view->path = t->path;
        view->rank = t->rank;
        memcpy(view->shape, t->shape, sizeof view->shape);
        view->values = t->values;
    }
    return 1;
}

static int join_class_names(mrcnn_weights *w) {
    size_t bytes = 1, used = 0;
    if (w->info.class_count == 0) return 1;
    for (size_t i = 0; i < w->info.class_count; i++) bytes += strlen(w->info.class_names[i]) + 1;
    w->class_names = malloc(bytes);
    if (!w->class_names) return 0;
    for (size_t i = 0; i < w->info.class_count; i++) {
        size_t n = strlen(w->info.class_names[i]);
        if (i > 0) w->class_names[used++] = '\n';
        memcpy(w->class_names + used, w->info.class_names[i], n);
        used += n;
    }
    w->class_names[used] = 0;
    return 1;
}

/* "31 of 8 bits, 2 of 16 bits, 1 of 32 bits" */
static void describe_kernels(mrcnn_weights *w) {
    static const int widths[] = {8, 16, 32, 64};
    size_t used = 0;
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        size_t found = 0;
        for (size_t i = 0; i < mr_tensors_count(w->set); i++) {
            const mr_tensor *t = mr_tensors_at(w->set, i);
            found += t->bits == widths[k] && strcmp(t->param, "kernel") == 0;
        }
        if (found && used < sizeof w->kernels)
            used += (size_t)snprintf(w->kernels + used, sizeof w->kernels - used,
                                     "%s%zu of %d bits", used ? ", " : "", found, widths[k]);
    }
}

mrcnn_status mrcnn_weights_open(mrcnn_weights **weights, const char *path, mrcnn_error *err) {
    if (!weights || !path)
        return mr_fail(err, MRCNN_E_ARGUMENT, "opening weights needs a place and a path");
    mrcnn_weights *w = mr_calloc(1, sizeof *w);
    if (!w) return mr_fail_memory(err, sizeof *w, path);
    mrcnn_status status = mr_weights_look(&w->set, &w->info, path, err);
    if (status == MRCNN_OK && (!make_views(w) || !join_class_names(w)))
        status = mr_fail_memory(err, mr_tensors_count(w->set) * sizeof *w->views, path);
    if (status == MRCNN_OK) describe_kernels(w);
    if (status == MRCNN_OK)
        *weights = w;
    else
        mrcnn_weights_free(&w);
    return status;
}

const mrcnn_weights_tensor *mrcnn_weights_at(const mrcnn_weights *weights, size_t index) {
    return weights && index < mr_tensors_count(weights->set) ? &weights->views[index] : NULL;
}

const char *mrcnn_weights_attribute(const mrcnn_weights *weights, const char *name) {
    if (!weights || !name) return NULL;
    if (strcmp(name, "keras_version") == 0) return weights->info.keras_version;
    if (strcmp(name, "backend") == 0) return weights->info.backend;
    if (strcmp(name, "mrcnn_config") == 0) return weights->info.config;
    if (strcmp(name, "class_names") == 0) return weights->class_names;
    if (strcmp(name, "kernels") == 0) return weights->kernels[0] ? weights->kernels : NULL;
    return NULL;
}

void mrcnn_weights_free(mrcnn_weights **weights) {
    if (!weights || !*weights) return;
    mr_tensors_free(&(*weights)->set);
    mr_weights_info_free(&(*weights)->info);
    free((*weights)->views);
    free((*weights)->class_names);
    free(*weights);
    *weights = NULL;
}

void mrcnn_string_free(char **string) {
    if (!string) return;
    free(*string);
    *string = NULL;
}
