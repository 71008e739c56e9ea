/* label_png.h - PNG files whose pixels are numbers: labels and masks. They are read as they are
 * stored, where png.c makes colours of them. */
#ifndef MR_IMAGE_LABEL_PNG_H
#define MR_IMAGE_LABEL_PNG_H

#include <mrcnn/mrcnn.h>

/* Rows from the top without padding. Pixels of 1, 2 and 4 bits are a byte each; alpha is left out. */
typedef struct mr_labels {
    int32_t height, width;
    int bytes;               /* of a pixel: 1; 2, big-endian; 3, RGB; 6, RGB of 16 bits each */
    int colors;              /* in the palette; 0: it has none */
    uint8_t palette[256][3]; /* black where there is no colour */
    uint8_t *pixels;
} mr_labels;

/* Reads a PNG of at most max_pixels. Free it with mr_labels_free. */
mrcnn_status mr_labels_read(mr_labels *labels, const char *path, int64_t max_pixels,
                            mrcnn_error *err);
/* The same from memory; `name` is what messages call it. */
mrcnn_status mr_labels_decode(mr_labels *labels, const void *bytes, size_t length, const char *name,
                              int64_t max_pixels, mrcnn_error *err);
void mr_labels_free(mr_labels *labels);

/* The number of a pixel: the grey value or place in the palette, or 0xRRGGBB (of 16-bit colours the
 * high bytes). */
static inline uint32_t mr_label_at(const mr_labels *labels, size_t pixel) {
    const uint8_t *p = labels->pixels + pixel * (size_t)labels->bytes;
    switch (labels->bytes) {
    case 1: return p[0];
    case 2: return (uint32_t)p[0] << 8 | p[1];
    case 3: return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    default: return (uint32_t)p[0] << 16 | (uint32_t)p[2] << 8 | p[4];
    }
}

/* Fills height * width bytes with 1 where the pixel isn't black and 0 where it is, as matterport's
 * nucleus.py judges masks; with a palette, its colours are meant. */
void mr_labels_to_mask(const mr_labels *labels, uint8_t *mask);

/* Writes numbers of 1 or 2 bytes (labels->bytes) as grey, or as places in the palette. The file
 * appears whole or not at all; as one of thousands it isn't forced onto the disk. */
mrcnn_status mr_labels_write(const mr_labels *labels, const char *path, mrcnn_error *err);

#endif
