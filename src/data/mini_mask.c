/* mini_mask.c - see mini_mask.h. Each output pixel needs four of the input's, whatever their sizes:
 * nothing is converted to floats, and the cost is that of the output. */
#include "data/mini_mask.h"

#include "base/error.h"
#include "image/bilinear.h"

#include <stdlib.h>
#include <string.h>

int mr_bytes_box(const uint8_t *mask, int height, int width, int32_t box[4]) {
    int y1 = -1, y2 = 0, x1 = width, x2 = 0;
    for (int y = 0; y < height; y++) {
        const uint8_t *row = mask + (size_t)y * (size_t)width;
        const uint8_t *first = memchr(row, 1, (size_t)width);
        if (!first) continue;
        if (y1 < 0) y1 = y;
        y2 = y + 1;
        if (first - row < x1) x1 = (int)(first - row);
        int end = width;
        while (end > x2 && !row[end - 1]) end--;
        x2 = end;
    }
    const int32_t tight[4] = {y1, x1, y2, x2}, none[4] = {0};
    memcpy(box, y1 < 0 ? none : tight, sizeof tight);
    return y1 >= 0;
}

/* A part of a mask. */
typedef struct part {
    const uint8_t *bytes;
    size_t stride;
    int height, width;
} part;

static int value_at(const part *in, int y, int x) {
    if (y < 0 || x < 0 || y >= in->height || x >= in->width) return 0;
    return in->bytes[(size_t)y * in->stride + (size_t)x];
}

/* N3 clips to the input's range: a part without a zero stays without one, though its border blends
 * with the zeros outside. */
static int has_zero(const part *in) {
    for (int y = 0; y < in->height; y++)
        if (memchr(in->bytes + (size_t)y * in->stride, 0, (size_t)in->width)) return 1;
    return 0;
}

/* Taps count from 1: index 0 is the zero in front of the line. Rows are blended before columns, as
 * in image/bilinear.c. Half to even and the range 0..1 make rounding a comparison. */
static uint8_t blend(const part *in, mr_tap row, mr_tap column) {
    int y = row.lower - 1, x = column.lower - 1;
    double left = value_at(in, y, x) * row.weight_lower + value_at(in, y + 1, x) * row.weight_upper;
    double right =
        value_at(in, y, x + 1) * row.weight_lower + value_at(in, y + 1, x + 1) * row.weight_upper;
    return left * column.weight_lower + right * column.weight_upper > 0.5;
}

static mrcnn_status resize(const part *in, uint8_t *out, size_t stride, int height, int width,
                           mrcnn_error *err) {
    if (in->height < 1 || in->width < 1 || height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "a mask of %d x %d pixels can't become one of %d x %d: its box is empty",
                       in->width, in->height, width, height);
    mr_tap *rows = mr_bilinear_taps(in->height, height);
    mr_tap *columns = mr_bilinear_taps(in->width, width);
    mrcnn_status status = MRCNN_OK;
    int solid = !has_zero(in);
    if (!rows || !columns) {
        status =
            mr_fail_memory(err, ((size_t)height + (size_t)width) * sizeof *rows, "resizing a mask");
        goto cleanup;
    }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            out[(size_t)y * stride + (size_t)x] = solid || blend(in, rows[y], columns[x]);
cleanup:
    free(rows);
    free(columns);
    return status;
}

mrcnn_status mr_minimize_mask(const uint8_t *mask, int width, const int32_t box[4], uint8_t *mini,
                              int rows, int columns, mrcnn_error *err) {
    part in = {mask, (size_t)width, box[2] - box[0], box[3] - box[1]};
    if (in.height > 0 && in.width > 0) in.bytes += (size_t)box[0] * in.stride + (size_t)box[1];
    return resize(&in, mini, (size_t)columns, rows, columns, err);
}

mrcnn_status mr_expand_mask(const uint8_t *mini, int rows, int columns, uint8_t *mask, int width,
                            const int32_t box[4], mrcnn_error *err) {
    part in = {mini, (size_t)columns, rows, columns};
    int height = box[2] - box[0], inside = box[3] - box[1];
    if (height > 0 && inside > 0) mask += (size_t)box[0] * (size_t)width + (size_t)box[1];
    return resize(&in, mask, (size_t)width, height, inside, err);
}
