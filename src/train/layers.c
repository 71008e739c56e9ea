/* layers.c - see layers.h. Layers are chosen by name alone, as matterport's set_trainable does. */
#include "train/layers.h"

#include "base/error.h"
#include "base/memory.h"
#include "config/layer_pattern.h"
#include "config/nearest.h"
#include "config/text.h"

#include <stdlib.h>
#include <string.h>

static int is_trainable(const mr_tensor *tensor) {
    return strncmp(tensor->param, "moving_", 7) != 0;
}

/* Tensors of a layer stand together, so a name is matched once. */
static size_t select_tensors(const mr_tensors *weights, const regex_t *pattern,
                             mr_tensor **chosen) {
    const char *layer = "";
    size_t count = 0;
    int matches = 0;
    for (size_t i = 0; i < mr_tensors_count(weights); i++) {
        mr_tensor *tensor = mr_tensors_at(weights, i);
        if (strcmp(layer, tensor->layer) != 0) {
            layer = tensor->layer;
            matches = mr_layer_pattern_matches(pattern, layer);
        }
        if (matches && is_trainable(tensor)) chosen[count++] = tensor;
    }
    return count;
}

static mrcnn_status fail_nothing(const mr_tensors *weights, const char *layers, mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    mr_nearest nearest = mr_nearest_start(layers);
    for (size_t i = 0; mr_layer_word(i); i++) mr_nearest_try(&nearest, mr_layer_word(i));
    for (size_t i = 0; i < mr_tensors_count(weights); i++)
        mr_nearest_try(&nearest, mr_tensors_at(weights, i)->layer);
    const char *first = mr_tensors_count(weights) ? mr_tensors_at(weights, 0)->layer : "none";
    if (nearest.best)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "layers %s: no layer with weights has such a name; did you mean %s?",
                       mr_text_show(layers, shown), nearest.best);
    return mr_fail(err, MRCNN_E_CONFIG,
                   "layers %s: no layer with weights has such a name (the first one is %s); write "
                   "heads, 5+, 4+, 3+, all or a regular expression for whole names, such as res5.*",
                   mr_text_show(layers, shown), first);
}

mrcnn_status mr_layers_select(const mr_tensors *weights, const char *layers, mr_tensor ***chosen,
                              size_t *count, mrcnn_error *err) {
    regex_t pattern;
    mrcnn_status status = mr_layer_pattern_compile(&pattern, layers, err);
    if (status != MRCNN_OK) return status;
    mr_tensor **made = mr_calloc(mr_tensors_count(weights) + 1, sizeof *made);
    size_t found = made ? select_tensors(weights, &pattern, made) : 0;
    regfree(&pattern);
    if (!made)
        return mr_fail_memory(err, mr_tensors_count(weights) * sizeof *made, "a list of tensors");
    if (found == 0) {
        free(made);
        return fail_nothing(weights, layers, err);
    }
    *chosen = made;
    *count = found;
    return MRCNN_OK;
}

mrcnn_status mr_layers_gradients(const mr_tensors *weights, const char *layers,
                                 mr_tensors **gradients, mrcnn_error *err) {
    mr_tensor **chosen = NULL;
    size_t count = 0;
    mrcnn_status status = mr_layers_select(weights, layers, &chosen, &count, err);
    if (status != MRCNN_OK) return status;
    mr_tensors *made = mr_tensors_create();
    if (!made) status = mr_fail_memory(err, count * sizeof *chosen, "the gradients");
    for (size_t i = 0; i < count && status == MRCNN_OK; i++) {
        const mr_tensor *w = chosen[i];
        mr_tensor *g = NULL;
        status = mr_tensors_add(made, w->layer, w->param, w->rank, w->shape, &g, err);
        if (status == MRCNN_OK) memset(g->values, 0, g->count * sizeof *g->values);
    }
    free(chosen);
    if (status == MRCNN_OK)
        *gradients = made;
    else
        mr_tensors_free(&made);
    return status;
}
