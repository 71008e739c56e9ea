/* stretch.c - see stretch.h. */
#include "image/stretch.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/adjust.h"

#include <stdlib.h>
#include <string.h>

enum { LEVELS = 256, LEAST_SPAN = 8 };

static size_t value_count(const mrcnn_image *image) {
    return (size_t)image->height * (size_t)image->width * (size_t)image->channels;
}

/* The lowest value that at least `percent` of all values don't exceed. */
static int percentile(const size_t counts[LEVELS], size_t total, double percent) {
    double wanted = percent / 100 * (double)total;
    size_t sum = 0;
    for (int v = 0; v < LEVELS; v++) {
        sum += counts[v];
        if (sum > 0 && (double)sum >= wanted) return v;
    }
    return LEVELS - 1;
}

void mr_stretch_table(const mrcnn_image *image, const mr_floats *percentiles, uint8_t table[256]) {
    size_t counts[LEVELS] = {0}, total = value_count(image);
    for (size_t i = 0; i < total; i++) counts[image->pixels[i]]++;
    int low = percentile(counts, total, percentiles->values[0]);
    int high = percentile(counts, total, percentiles->values[1]);
    int span = high - low > LEAST_SPAN ? high - low : LEAST_SPAN;
    for (int v = 0; v < LEVELS; v++) {
        int level = ((v - low) * 255 + span / 2) / span;
        table[v] = (uint8_t)(v <= low ? 0 : level > 255 ? 255 : level);
    }
}

void mr_stretch_by(mrcnn_image *image, const uint8_t table[256]) {
    mr_adjust_values(image->pixels, value_count(image), 1, (const uint8_t(*)[LEVELS])table);
}

void mr_stretch(mrcnn_image *image, const mr_floats *percentiles) {
    uint8_t table[LEVELS];
    if (percentiles->count != 2) return;
    mr_stretch_table(image, percentiles, table);
    mr_stretch_by(image, table);
}

/* A stretched copy of the picture; or, where that changes nothing, the picture itself. *owned is to be freed. */
static mrcnn_status stretched(mrcnn_image *out, uint8_t **owned, const mrcnn_image *image,
                              const mr_floats *percentiles, mrcnn_error *err) {
    *owned = NULL;
    *out = *image;
    if (percentiles->count != 2) return MRCNN_OK;
    *owned = mr_calloc(value_count(image), 1);
    if (!*owned) return mr_fail_memory(err, value_count(image), "a stretched picture");
    memcpy(*owned, image->pixels, value_count(image));
    out->pixels = *owned;
    mr_stretch(out, percentiles);
    return MRCNN_OK;
}

mrcnn_status mr_stretch_and_resize(const mrcnn_image *image, const mr_fit *fit,
                                   const mr_settings *settings, uint8_t *out, int threads,
                                   mrcnn_error *err) {
    mrcnn_image ready;
    uint8_t *owned;
    mrcnn_status status = stretched(&ready, &owned, image, &settings->image_stretch, err);
    if (status == MRCNN_OK) status = mr_resize_image(&ready, fit, out, threads, err);
    free(owned);
    return status;
}

mrcnn_status mr_stretch_and_mold(const mrcnn_image *image, const mr_fit *fit,
                                 const mr_settings *settings, float *out, int threads,
                                 mrcnn_error *err) {
    mrcnn_image ready;
    uint8_t *owned;
    mrcnn_status status = stretched(&ready, &owned, image, &settings->image_stretch, err);
    if (status == MRCNN_OK)
        status = mr_fit_and_mold(&ready, fit, &settings->mean_pixel, out, threads, err);
    free(owned);
    return status;
}
