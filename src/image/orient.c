/* orient.c - turns and mirrors a picture as EXIF's orientation asks. All eight are one walk over
 * the source: a corner to start from, a step for each column and a step for each row. */
#include "image/codec.h"

#include "base/error.h"

#include <stdlib.h>

enum {
    TILE = 32
}; /* a turn walks down columns; in tiles, the lines it touches stay in the cache */

typedef struct walk {
    ptrdiff_t start, per_row, per_column; /* in pixels of the source */
} walk;

/* Where pixel (row, column) of the upright picture lies in the stored one of width w, height h. */
static walk plan(int orientation, ptrdiff_t w, ptrdiff_t h) {
    int transposed = orientation >= 5;
    /* Which of the stored picture's axes is walked backwards. */
    int flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    int flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    ptrdiff_t along_x = flip_x ? -1 : 1, along_y = flip_y ? -w : w;
    walk p = {(flip_x ? w - 1 : 0) + (flip_y ? (h - 1) * w : 0), transposed ? along_x : along_y,
              transposed ? along_y : along_x};
    return p;
}

/* Inlined for each number of channels that is common: it is known then. */
static inline void copy_pixels(uint8_t *out, const uint8_t *in, const walk *p,
                               const int32_t tile[4], int32_t width, ptrdiff_t channels) {
    for (ptrdiff_t y = tile[0]; y < tile[2]; y++) {
        uint8_t *to = out + channels * (y * width + tile[1]);
        for (ptrdiff_t x = tile[1]; x < tile[3]; x++, to += channels) {
            const uint8_t *from = in + channels * (p->start + y * p->per_row + x * p->per_column);
            for (ptrdiff_t c = 0; c < channels; c++) to[c] = from[c];
        }
    }
}

static void copy_tile(uint8_t *out, const mrcnn_image *image, const walk *p, const int32_t tile[4],
                      int32_t width) {
    switch (image->channels) {
    case 1: copy_pixels(out, image->pixels, p, tile, width, 1); break;
    case 3: copy_pixels(out, image->pixels, p, tile, width, 3); break;
    case 4: copy_pixels(out, image->pixels, p, tile, width, 4); break;
    default: copy_pixels(out, image->pixels, p, tile, width, image->channels); break;
    }
}

void mr_orient_pixels(uint8_t *out, const mrcnn_image *image, int orientation) {
    walk p = plan(orientation, image->width, image->height);
    int32_t width = orientation >= 5 ? image->height : image->width;
    int32_t height = orientation >= 5 ? image->width : image->height;
    for (int32_t y = 0; y < height; y += TILE)
        for (int32_t x = 0; x < width; x += TILE) {
            int32_t tile[4] = {y, x, height - y < TILE ? height : y + TILE,
                               width - x < TILE ? width : x + TILE};
            copy_tile(out, image, &p, tile, width);
        }
}

mrcnn_status mr_image_orient(mrcnn_image *image, int orientation, mrcnn_error *err) {
    if (orientation < 2 || orientation > 8) return MRCNN_OK;
    size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    uint8_t *out = malloc(bytes);
    if (!out) return mr_fail_memory(err, bytes, "turning a picture");
    mr_orient_pixels(out, image, orientation);
    free(image->pixels);
    int32_t width = image->width;
    image->pixels = out;
    if (orientation >= 5) {
        image->width = image->height;
        image->height = width;
    }
    return MRCNN_OK;
}
