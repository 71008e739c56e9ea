/* anchors.c - anchor boxes of all pyramid levels (N7-N9): level, row, column, ratio; centred on
 * index * stride without a half-pixel offset, neither clipped nor filtered. */
#include "model/boxes.h"

#include <math.h>

static int steps(int n, int stride, int anchor_stride) {
    int cells = (n + stride - 1) / stride;
    return (cells + anchor_stride - 1) / anchor_stride;
}

int mr_anchor_steps(const mr_settings *settings, int level, int side) {
    return steps(side, settings->backbone_strides.values[level], settings->rpn_anchor_stride);
}

static int level_count(const mr_settings *settings) {
    return settings->backbone_strides.count;
}

size_t mr_anchor_count(const mr_settings *settings, int height, int width) {
    size_t count = 0;
    for (int l = 0; l < level_count(settings); l++) {
        int stride = settings->backbone_strides.values[l];
        count += (size_t)steps(height, stride, settings->rpn_anchor_stride) *
                 (size_t)steps(width, stride, settings->rpn_anchor_stride) *
                 (size_t)settings->rpn_anchor_ratios.count;
    }
    return count;
}

/* Calls put(out, index, box) for every anchor. */
typedef void (*anchor_sink)(void *out, size_t index, const double box[4]);

static void each_anchor(const mr_settings *s, int height, int width, anchor_sink put, void *out) {
    size_t index = 0;
    for (int l = 0; l < level_count(s); l++) {
        int stride = s->backbone_strides.values[l], every = s->rpn_anchor_stride;
        for (int y = 0; y < steps(height, stride, every); y++)
            for (int x = 0; x < steps(width, stride, every); x++)
                for (int r = 0; r < s->rpn_anchor_ratios.count; r++) {
                    double root = sqrt(s->rpn_anchor_ratios.values[r]);
                    double h = s->rpn_anchor_scales.values[l] / root;
                    double w = s->rpn_anchor_scales.values[l] * root;
                    double cy = (double)y * every * stride, cx = (double)x * every * stride;
                    double box[4] = {cy - 0.5 * h, cx - 0.5 * w, cy + 0.5 * h, cx + 0.5 * w};
                    put(out, index++, box);
                }
    }
}

typedef struct normalised {
    float *out;
    int height, width;
} normalised;

static void put_pixels(void *out, size_t index, const double box[4]) {
    double *anchors = out;
    for (size_t i = 0; i < 4; i++) anchors[4 * index + i] = box[i];
}

static void put_normalised(void *out, size_t index, const double box[4]) {
    normalised *n = out;
    mr_norm_box(box, n->height, n->width, n->out + 4 * index);
}

void mr_anchors_pixels(const mr_settings *settings, int height, int width, double *anchors) {
    each_anchor(settings, height, width, put_pixels, anchors);
}

void mr_anchors_normalized(const mr_settings *settings, int height, int width, float *anchors) {
    normalised n = {anchors, height, width};
    each_anchor(settings, height, width, put_normalised, &n);
}
