/* blur.c - see blur.h. One axis after the other, in floats that are rounded once: a row of output is
 * the weighted sum of rows, and then of itself shifted. Loops run along rows, so that compilers make
 * vectors of them. */
#include "image/blur.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RADIUS = 256 };
static const double least_sigma = 0.2, most_sigma = 80;

/* Half of a symmetric kernel: weights[0] is the centre's. */
typedef struct kernel {
    int radius;
    float weights[MOST_RADIUS + 1];
} kernel;

static void make_kernel(kernel *k, double sigma) {
    double weights[MOST_RADIUS + 1], sum = 1;
    k->radius = 0;
    k->weights[0] = 1;
    if (!(sigma >= least_sigma)) return;
    if (sigma > most_sigma) sigma = most_sigma;
    k->radius = (int)ceil(3 * sigma);
    for (int i = 1; i <= k->radius; i++) {
        weights[i] = exp(-0.5 * i * i / (sigma * sigma));
        sum += 2 * weights[i];
    }
    k->weights[0] = (float)(1 / sum);
    for (int i = 1; i <= k->radius; i++) k->weights[i] = (float)(weights[i] / sum);
}

/* ... 1 0 | 0 1 2 | 2 1 ... */
static int reflect(int i, int count) {
    int period = 2 * count;
    i %= period;
    if (i < 0) i += period;
    return i < count ? i : period - 1 - i;
}

/* sum: `count` floats of row y, blurred along y. */
static void blend_rows(float *restrict sum, const uint8_t *pixels, int height, size_t count, int y,
                       const kernel *k) {
    const uint8_t *row = pixels + (size_t)y * count;
    for (size_t i = 0; i < count; i++) sum[i] = k->weights[0] * (float)row[i];
    for (int t = 1; t <= k->radius; t++) {
        const uint8_t *upper = pixels + (size_t)reflect(y - t, height) * count;
        const uint8_t *lower = pixels + (size_t)reflect(y + t, height) * count;
        float weight = k->weights[t];
        for (size_t i = 0; i < count; i++) sum[i] += weight * (float)(upper[i] + lower[i]);
    }
}

/* line: a row with radius reflected pixels at either end. */
static void blend_columns(float *restrict sum, const float *restrict line, size_t count,
                          int channels, const kernel *k) {
    const float *centre = line + (size_t)k->radius * (size_t)channels;
    for (size_t i = 0; i < count; i++) sum[i] = k->weights[0] * centre[i];
    for (int t = 1; t <= k->radius; t++) {
        const float *left = centre - (size_t)t * (size_t)channels;
        const float *right = centre + (size_t)t * (size_t)channels;
        float weight = k->weights[t];
        for (size_t i = 0; i < count; i++) sum[i] += weight * (left[i] + right[i]);
    }
}

static void reflect_ends(float *line, int width, int channels, int radius) {
    size_t size = (size_t)channels;
    float *row = line + (size_t)radius * size;
    for (int t = 1; t <= radius; t++) {
        float *left = row - (size_t)t * size;
        float *right = row + ((size_t)width + (size_t)t - 1) * size;
        memcpy(left, row + (size_t)reflect(-t, width) * size, size * sizeof *row);
        memcpy(right, row + (size_t)reflect(width + t - 1, width) * size, size * sizeof *row);
    }
}

static void round_row(uint8_t *restrict out, const float *restrict sum, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = (uint8_t)(int)(sum[i] + 0.5f);
}

mrcnn_status mr_blur(uint8_t *pixels, uint8_t *scratch, int height, int width, int channels,
                     double sigma_x, double sigma_y, mrcnn_error *err) {
    kernel down, across;
    make_kernel(&down, sigma_y);
    make_kernel(&across, sigma_x);
    if (down.radius == 0 && across.radius == 0) return MRCNN_OK;
    size_t count = (size_t)width * (size_t)channels;
    size_t margin = (size_t)across.radius * (size_t)channels;
    float *line = mr_calloc(2 * (count + margin), sizeof *line);
    if (!line) return mr_fail_memory(err, 2 * (count + margin) * sizeof *line, "a blur");
    float *sum = line + count + 2 * margin;
    memcpy(scratch, pixels, (size_t)height * count);
    for (int y = 0; y < height; y++) {
        blend_rows(line + margin, scratch, height, count, y, &down);
        reflect_ends(line, width, channels, across.radius);
        blend_columns(sum, line, count, channels, &across);
        round_row(pixels + (size_t)y * count, sum, count);
    }
    free(line);
    return MRCNN_OK;
}
