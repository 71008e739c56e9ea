/* bilinear.c - N3 in double precision: rows are blended first, then columns, as the reference does;
 * the order decides the last bit, and truncation to 8 bits (N4) can see it. */
#include "image/bilinear.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

mr_tap *mr_bilinear_taps(int in, int out) {
    mr_tap *taps = mr_calloc((size_t)out, sizeof *taps);
    if (!taps) return NULL;
    double step = (double)in / out;
    for (int i = 0; i < out; i++) {
        double position = (i + 0.5) * step - 0.5, floor_position = floor(position);
        double t = position - floor_position;
        taps[i] = (mr_tap){(int32_t)floor_position + 1, 1 - t, t};
    }
    return taps;
}

mr_tap *mr_bilinear_taps_at(int in, int out, double first, double step) {
    mr_tap *taps = mr_calloc((size_t)out, sizeof *taps);
    if (!taps) return NULL;
    for (int i = 0; i < out; i++) {
        double position = first + i * step;
        position = position > 0 ? position < in - 1 ? position : in - 1 : 0; /* NaN: 0 */
        double floor_position = floor(position), t = position - floor_position;
        taps[i] = (mr_tap){(int32_t)floor_position + 1, 1 - t, t};
    }
    return taps;
}

typedef struct plane {
    const float *values;
    int height, width, channels;
} plane;

/* The row above `padded_row`'s place in the padded picture; NULL outside, where all is zero. */
static const float *row_or_null(const plane *in, int padded_row) {
    int row = padded_row - 1;
    if (row < 0 || row >= in->height) return NULL;
    return in->values + (size_t)row * (size_t)in->width * (size_t)in->channels;
}

static void blend_rows(double *line, const plane *in, mr_tap tap) {
    const float *lower = row_or_null(in, tap.lower), *upper = row_or_null(in, tap.lower + 1);
    size_t count = (size_t)in->width * (size_t)in->channels;
    for (size_t i = 0; i < count; i++)
        line[i] = (lower ? (double)lower[i] : 0) * tap.weight_lower +
                  (upper ? (double)upper[i] : 0) * tap.weight_upper;
}

static void blend_columns(double *out, const double *padded, const mr_tap *taps, int width,
                          int channels, const double range[2]) {
    for (int x = 0; x < width; x++) {
        const double *p = padded + (size_t)taps[x].lower * (size_t)channels;
        for (int c = 0; c < channels; c++) {
            double v = p[c] * taps[x].weight_lower + p[c + channels] * taps[x].weight_upper;
            *out++ = v < range[0] ? range[0] : v > range[1] ? range[1] : v;
        }
    }
}

static void find_range(double range[2], const float *values, size_t count) {
    range[0] = range[1] = values[0];
    for (size_t i = 1; i < count; i++) {
        if (values[i] < range[0]) range[0] = values[i];
        if (values[i] > range[1]) range[1] = values[i];
    }
}

mrcnn_status mr_resize_bilinear(const float *in, int in_h, int in_w, int channels, double *out,
                                int out_h, int out_w, mrcnn_error *err) {
    if (in_h < 1 || in_w < 1 || channels < 1 || out_h < 1 || out_w < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "can't resize %d x %d x %d to %d x %d: nothing there",
                       in_h, in_w, channels, out_h, out_w);
    plane source = {in, in_h, in_w, channels};
    size_t line_length = ((size_t)in_w + 2) * (size_t)channels;
    mr_tap *rows = mr_bilinear_taps(in_h, out_h), *columns = mr_bilinear_taps(in_w, out_w);
    double *line = mr_calloc(line_length, sizeof *line), range[2];
    mrcnn_status status = MRCNN_OK;
    if (!rows || !columns || !line) {
        status = mr_fail_memory(err, line_length * sizeof *line, "resizing");
        goto cleanup;
    }
    find_range(range, in, (size_t)in_h * (size_t)in_w * (size_t)channels);
    for (int y = 0; y < out_h; y++) {
        blend_rows(line + channels, &source, rows[y]);
        blend_columns(out + (size_t)y * (size_t)out_w * (size_t)channels, line, columns, out_w,
                      channels, range);
    }
cleanup:
    free(rows);
    free(columns);
    free(line);
    return status;
}
