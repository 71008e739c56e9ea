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

mrcnn_status mr_stretch_and_mold(const mrcnn_image *image, const mr_fit *fit,
                                 const mr_settings *settings, float *out, int threads,
                                 mrcnn_error *err) {
    const mr_floats *mean = &settings->mean_pixel;
    if (settings->image_stretch.count != 2)
        return mr_fit_and_mold(image, fit, mean, out, threads, err);
    mrcnn_image copy = *image;
    copy.pixels = mr_calloc(value_count(image), 1);
    if (!copy.pixels) return mr_fail_memory(err, value_count(image), "a stretched picture");
    memcpy(copy.pixels, image->pixels, value_count(image));
    mr_stretch(&copy, &settings->image_stretch);
    mrcnn_status status = mr_fit_and_mold(&copy, fit, mean, out, threads, err);
    free(copy.pixels);
    return status;
}
