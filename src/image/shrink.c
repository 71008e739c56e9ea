/* shrink.c - pictures made smaller (or larger) to be looked at; what the network sees is resized by
 * resize.h. Areas are measured in parts of a pixel, of which there are `height` (`width`)
 * to a pixel of the original, so that integers do. */
#include "base/error.h"
#include "base/memory.h"

#include <mrcnn/draw.h>

#include <stdlib.h>

/* The stretch of an axis that one pixel covers: parts [begin, end). */
typedef struct stretch {
    int64_t begin, end, parts; /* parts: of a pixel of the original */
} stretch;

static stretch stretch_at(int32_t index, int32_t from, int32_t to) {
    return (stretch){(int64_t)index * from, ((int64_t)index + 1) * from, to};
}

/* How much of pixel `at` lies in the stretch. */
static int64_t share(const stretch *s, int64_t at) {
    int64_t begin = at * s->parts, end = begin + s->parts;
    if (begin < s->begin) begin = s->begin;
    if (end > s->end) end = s->end;
    return end - begin;
}

/* Sums are below 255 x height x width of a picture, which has fewer than 2^31 x 2^31 pixels: as doubles
 * they are exact for all pictures that fit in memory. */
static void mean(uint8_t *out, const mrcnn_image *image, const stretch *rows,
                 const stretch *columns) {
    int64_t last_y = (rows->end - 1) / rows->parts, last_x = (columns->end - 1) / columns->parts;
    double area = (double)(rows->end - rows->begin) * (double)(columns->end - columns->begin);
    for (int32_t c = 0; c < image->channels; c++) {
        double sum = 0;
        for (int64_t y = rows->begin / rows->parts; y <= last_y; y++)
            for (int64_t x = columns->begin / columns->parts; x <= last_x; x++) {
                size_t at =
                    ((size_t)y * (size_t)image->width + (size_t)x) * (size_t)image->channels +
                    (size_t)c;
                sum += (double)(share(rows, y) * share(columns, x)) * image->pixels[at];
            }
        out[c] = (uint8_t)(sum / area + 0.5);
    }
}

mrcnn_status mrcnn_shrink(mrcnn_image *out, const mrcnn_image *image, int32_t height, int32_t width,
                          mrcnn_error *err) {
    if (!image || !image->pixels || image->height < 1 || image->width < 1 || image->channels < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no picture to shrink");
    if (height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a picture of %d x %d pixels", height, width);
    size_t channels = (size_t)image->channels;
    mrcnn_image made = {width, height, image->channels, NULL};
    made.pixels = mr_calloc((size_t)height * channels, (size_t)width);
    if (!made.pixels)
        return mr_fail_memory(err, (size_t)height * channels * (size_t)width, "a smaller picture");
    for (int32_t y = 0; y < height; y++) {
        stretch rows = stretch_at(y, image->height, height);
        for (int32_t x = 0; x < width; x++) {
            stretch columns = stretch_at(x, image->width, width);
            mean(made.pixels + ((size_t)y * (size_t)width + (size_t)x) * channels, image, &rows,
                 &columns);
        }
    }
    *out = made;
    return MRCNN_OK;
}
