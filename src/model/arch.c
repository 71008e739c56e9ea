/* arch.c - between weight files and configuration: which architecture a file holds, and which
 * tensors an architecture needs. */
#include "base/error.h"
#include "base/memory.h"
#include "model/model.h"
#include "model/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Size of axis `axis` of a kernel, counted from the end when negative; 0 if there is no such
 * tensor. */
static int64_t kernel_axis(const mr_tensors *weights, const char *layer, int axis) {
    const mr_tensor *t = mr_tensors_find(weights, layer, "kernel");
    if (!t || t->rank < 1) return 0;
    int at = axis < 0 ? t->rank + axis : axis;
    return at >= 0 && at < t->rank ? t->shape[at] : 0;
}

static int count_blocks(const mr_tensors *weights, int stage) {
    int blocks = 0;
    char layer[32];
    for (char block = 'a'; block <= 'z'; block++, blocks++) {
        snprintf(layer, sizeof layer, "res%d%c_branch2a", stage, block);
        if (!mr_tensors_find(weights, layer, "kernel")) break;
    }
    return blocks;
}

static const char *backbone_name(const mr_tensors *weights) {
    int bottleneck = mr_tensors_find(weights, "res2a_branch2c", "kernel") != NULL;
    int blocks = count_blocks(weights, 4);
    if (bottleneck) return blocks == 6 ? "resnet50" : blocks == 23 ? "resnet101" : NULL;
    return blocks == 2 ? "resnet18" : blocks == 6 ? "resnet34" : NULL;
}

static mrcnn_status set_number(mrcnn_config *config, const char *key, int64_t value,
                               mrcnn_error *err) {
    char text[32];
    if (value <= 0) return MRCNN_OK; /* the file doesn't say */
    snprintf(text, sizeof text, "%lld", (long long)value);
    return mr_config_set_from(config, key, text, "weights", err);
}

static int is_default(const mrcnn_config *config, const char *key) {
    return strcmp(mrcnn_config_source(config, key), "default") == 0;
}

/* Unlike other keys of the architecture this one says something about the user's pictures, and the
 * means belong to it: nothing is replaced without a word. */
static mrcnn_status infer_channels(mrcnn_config *config, const mr_tensors *weights,
                                   const char *path, mrcnn_error *err) {
    const mr_settings *s = mr_config_settings(config);
    long long channels = kernel_axis(weights, "conv1", 2);
    if (channels > 0 && channels != s->image_channel_count) {
        if (mr_config_is_explicit(config, "IMAGE_CHANNEL_COUNT"))
            return mr_fail(err, MRCNN_E_WEIGHTS,
                           "%s: the network is for pictures with a channel count of %lld, and "
                           "IMAGE_CHANNEL_COUNT is %d: leave it out to read pictures as it needs "
                           "them, or adapt the "
                           "weights (mrcnn weights convert, or training)",
                           path, channels, s->image_channel_count);
        mrcnn_status status = set_number(config, "IMAGE_CHANNEL_COUNT", channels, err);
        if (status != MRCNN_OK) return status;
    }
    int is_told = !is_default(config, "MEAN_PIXEL");
    int fits = is_told ? s->mean_pixel.count == channels : channels == 3;
    if (channels <= 0 || fits) return MRCNN_OK;
    return mr_fail(
        err, MRCNN_E_WEIGHTS,
        "%s: the network is for pictures with a channel count of %lld, and MEAN_PIXEL is "
        "%s: set the means that it was trained with, one for each channel",
        path, channels, is_told ? mrcnn_config_get(config, "MEAN_PIXEL") : "not known");
}

static mrcnn_status infer_backbone(mrcnn_config *config, const mr_tensors *weights,
                                   const char *path, mrcnn_error *err) {
    const char *name = backbone_name(weights);
    if (!name)
        return mr_fail(err, MRCNN_E_WEIGHTS,
                       "%s: the backbone is no ResNet-18, 34, 50 or 101 (stage 4 has %d blocks)",
                       path, count_blocks(weights, 4));
    mrcnn_status status = mr_config_set_from(config, "BACKBONE", name, "weights", err);
    char widths[96];
    snprintf(widths, sizeof widths, "[%lld, %lld, %lld, %lld]",
             (long long)kernel_axis(weights, "res2a_branch2a", -1),
             (long long)kernel_axis(weights, "res3a_branch2a", -1),
             (long long)kernel_axis(weights, "res4a_branch2a", -1),
             (long long)kernel_axis(weights, "res5a_branch2a", -1));
    if (status == MRCNN_OK)
        status = mr_config_set_from(config, "BACKBONE_WIDTHS", widths, "weights", err);
    if (status == MRCNN_OK)
        status = set_number(config, "BACKBONE_STEM_WIDTH", kernel_axis(weights, "conv1", -1), err);
    if (status == MRCNN_OK) status = infer_channels(config, weights, path, err);
    return status;
}

mrcnn_status mr_infer_architecture(mrcnn_config *config, const mr_tensors *weights,
                                   const char *path, mrcnn_error *err) {
    static const struct {
        const char *key, *layer;
        int axis;
    } keys[] = {
        {"TOP_DOWN_PYRAMID_SIZE", "fpn_c5p5", -1},
        {"RPN_WIDTH", "rpn_conv_shared", -1},
        {"FPN_CLASSIF_FC_LAYERS_SIZE", "mrcnn_class_conv1", -1},
        {"POOL_SIZE", "mrcnn_class_conv1", 0},
        {"MASK_WIDTH", "mrcnn_mask_conv1", -1},
        {"NUM_CLASSES", "mrcnn_class_logits", -1},
    };
    const mr_settings *s = mr_config_settings(config);
    mrcnn_status status = MRCNN_OK;
    if (!mr_has_own_backbone(s)) status = infer_backbone(config, weights, path, err);
    for (size_t i = 0; status == MRCNN_OK && i < sizeof keys / sizeof *keys; i++)
        status =
            set_number(config, keys[i].key, kernel_axis(weights, keys[i].layer, keys[i].axis), err);
    if (status != MRCNN_OK) return status;
    int64_t logits = kernel_axis(weights, "rpn_class_raw", -1);
    if (logits && logits != 2 * s->rpn_anchor_ratios.count)
        return mr_fail(
            err, MRCNN_E_WEIGHTS,
            "%s: its RPN has %lld anchors at each place, RPN_ANCHOR_RATIOS lists %d; set "
            "the ratios that it was trained with",
            path, (long long)(logits / 2), s->rpn_anchor_ratios.count);
    return MRCNN_OK;
}

typedef struct collector {
    mr_tensors *set;
    mrcnn_error *err;
    mrcnn_status status;
} collector;

static void collect(void *user, const char *layer, const char *param, int rank,
                    const int64_t *shape) {
    collector *c = user;
    mr_tensor *tensor = mr_tensors_find(c->set, layer, param);
    if (c->status != MRCNN_OK) return;
    if (!tensor) {
        c->status = mr_tensors_add(c->set, layer, param, rank, shape, &tensor, c->err);
    } else if (tensor->rank != rank || memcmp(tensor->shape, shape, (size_t)rank * sizeof *shape)) {
        c->status = mr_fail(c->err, MRCNN_E_ARGUMENT,
                            "layer '%s' is used twice with different shapes", layer);
    }
}

mrcnn_status mr_required_tensors(mr_tensors *set, const mr_settings *settings, mrcnn_error *err) {
    enum { SIZE = 512 }; /* shapes of weights do not depend on it; any backbone has room here */
    if (!mr_has_own_backbone(settings) && !mr_is_resnet(settings->backbone))
        return mr_fail(
            err, MRCNN_E_CONFIG,
            "BACKBONE '%s' is not known; use resnet18, resnet34, resnet50 or resnet101, or "
            "give its builder to mrcnn_config_set_backbone",
            settings->backbone);
    mrcnn_graph *graphs[3] = {mr_pyramid_graph(settings, SIZE, SIZE, NULL),
                              mr_box_graph(settings, SIZE, SIZE, NULL),
                              mr_mask_graph(settings, SIZE, SIZE, NULL)};
    collector c = {set, err, MRCNN_OK};
    for (int i = 0; i < 3; i++) {
        if (!graphs[i]) c.status = mr_fail_memory(err, sizeof(mrcnn_graph *), "the network");
        if (c.status == MRCNN_OK) c.status = mr_graph_status(graphs[i], err);
        for (int n = 0; c.status == MRCNN_OK && n < graphs[i]->count; n++)
            mr_node_weights(graphs[i], &graphs[i]->nodes[n], collect, &c);
    }
    for (int i = 0; i < 3; i++) mr_graph_free(&graphs[i]);
    return c.status;
}
