/* helper_oracle.c - see helper_oracle.h. */
#include "helper_oracle.h"

#include "base/prng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct range {
    double low, high;
} range;

/* Chosen by the oracle so that activations stay near 1 through 16 to 33 residual blocks and an
 * input of 0..255. */
static double gain_of(const char *layer) {
    static const struct {
        const char *layer;
        double gain;
    } gains[] = {{"rpn_class_raw", 0.5},
                 {"rpn_bbox_pred", 0.35},
                 {"mrcnn_class_logits", 2.0},
                 {"mrcnn_bbox_fc", 0.5},
                 {"mrcnn_mask", 0.8}};
    if (strncmp(layer, "fpn_", 4) == 0) return 0.5;
    for (size_t i = 0; i < sizeof gains / sizeof *gains; i++)
        if (strcmp(layer, gains[i].layer) == 0) return gains[i].gain;
    return 1.0;
}

static range kernel_range(const mr_tensor *t) {
    int64_t fan = 1;
    if (t->rank == 2)
        fan = t->shape[0];
    else if (strcmp(t->layer, "mrcnn_mask_deconv") == 0)
        fan = t->shape[3]; /* (h, w, out, in) */
    else
        fan = t->shape[0] * t->shape[1] * t->shape[2];
    double limit = gain_of(t->layer) * sqrt(6.0 / (double)fan);
    range r = {-limit, limit};
    return r;
}

static int ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static range range_of(const mr_tensor *t, int resnet50) {
    static const struct {
        const char *layer, *param; /* layer NULL: any other */
        range r;
    } ranges[] = {
        {"bn_conv1", "moving_mean", {-5, 5}}, {"bn_conv1", "moving_variance", {5000, 9000}},
        {NULL, "bias", {-0.05, 0.05}},        {NULL, "gamma", {0.8, 1.2}},
        {NULL, "beta", {-0.1, 0.1}},          {NULL, "moving_mean", {-0.1, 0.1}},
        {NULL, "moving_variance", {0.8, 1.2}}};
    static const range last_gamma[2] = {{0.1, 0.25}, {0.2, 0.4}};
    static const range none = {0, 0};
    if (strcmp(t->param, "kernel") == 0) return kernel_range(t);
    if (strcmp(t->param, "gamma") == 0 && ends_with(t->layer, "_branch2c"))
        return last_gamma[resnet50 != 0];
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (strcmp(t->param, ranges[i].param) == 0 &&
            (!ranges[i].layer || strcmp(t->layer, ranges[i].layer) == 0))
            return ranges[i].r;
    return none;
}

void oracle_fill(mr_tensors *weights, uint64_t seed, int resnet50) {
    for (size_t k = 0; k < mr_tensors_count(weights); k++) {
        mr_tensor *t = mr_tensors_at(weights, k);
        char key[sizeof t->layer + sizeof t->param + 1];
        snprintf(key, sizeof key, "%s/%s", t->layer, t->param);
        uint64_t stream = mr_prng_stream(seed, key);
        range r = range_of(t, resnet50);
        for (size_t i = 0; i < t->count; i++)
            t->values[i] = (float)(r.low + (r.high - r.low) * mr_prng_uniform(stream, i));
    }
}

static mrcnn_status set_number(mrcnn_config *config, const char *key, int value, mrcnn_error *err) {
    char text[32];
    snprintf(text, sizeof text, "%d", value);
    return mrcnn_config_set(config, key, text, err);
}

mrcnn_status oracle_set_widths(mrcnn_config *config, int div, mrcnn_error *err) {
    const mr_settings *s = mr_config_settings(config);
    const struct {
        const char *key;
        int width;
    } widths[] = {{"BACKBONE_STEM_WIDTH", 64},
                  {"TOP_DOWN_PYRAMID_SIZE", s->top_down_pyramid_size},
                  {"RPN_WIDTH", 512},
                  {"FPN_CLASSIF_FC_LAYERS_SIZE", s->fpn_classif_fc_layers_size},
                  {"MASK_WIDTH", 256}};
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; status == MRCNN_OK && i < sizeof widths / sizeof *widths; i++)
        status = set_number(config, widths[i].key, widths[i].width / div, err);
    char list[64];
    snprintf(list, sizeof list, "[%d, %d, %d, %d]", 64 / div, 128 / div, 256 / div, 512 / div);
    return status != MRCNN_OK ? status : mrcnn_config_set(config, "BACKBONE_WIDTHS", list, err);
}

mrcnn_status oracle_model(mrcnn_model **model, const mrcnn_config *config, uint64_t seed,
                          mrcnn_error *err) {
    mrcnn_status status = mrcnn_model_create(model, config, seed, err);
    if (status == MRCNN_OK)
        oracle_fill((*model)->weights, seed,
                    strcmp(mr_config_settings(config)->backbone, "resnet50") == 0);
    return status;
}

const char *const oracle_talkative[] = {"DETECTION_MIN_CONFIDENCE",
                                        "0",
                                        "DETECTION_MAX_INSTANCES",
                                        "12",
                                        "POST_NMS_ROIS_INFERENCE",
                                        "60",
                                        "IMAGE_MIN_DIM",
                                        "64",
                                        "IMAGE_MAX_DIM",
                                        "64",
                                        "RPN_ANCHOR_SCALES",
                                        "[8, 16, 32, 64, 128]",
                                        NULL};

mrcnn_status oracle_tiny_config(mrcnn_config **config, int classes, const char *const *keys,
                                mrcnn_error *err) {
    static const char *const base[] = {
        "BACKBONE", "resnet50",          "IMAGE_MIN_DIM",          "128", "IMAGE_MAX_DIM",
        "128",      "RPN_ANCHOR_SCALES", "[16, 32, 64, 128, 256]", NULL};
    const char *const *lists[] = {base, keys};
    mrcnn_config *c = NULL;
    mrcnn_status status = mrcnn_config_create(&c, NULL, err);
    if (status == MRCNN_OK) status = set_number(c, "NUM_CLASSES", classes, err);
    if (status == MRCNN_OK) status = oracle_set_widths(c, 8, err);
    for (int l = 0; l < 2; l++)
        for (const char *const *k = lists[l]; status == MRCNN_OK && k && *k; k += 2)
            status = mrcnn_config_set(c, k[0], k[1], err);
    if (status != MRCNN_OK)
        mrcnn_config_free(&c);
    else
        *config = c;
    return status;
}

mrcnn_status oracle_tiny_model(mrcnn_model **model, int classes, const char *const *keys,
                               mrcnn_error *err) {
    mrcnn_config *config = NULL;
    mrcnn_status status = oracle_tiny_config(&config, classes, keys, err);
    if (status == MRCNN_OK) status = oracle_model(model, config, 2, err);
    mrcnn_config_free(&config);
    return status;
}
