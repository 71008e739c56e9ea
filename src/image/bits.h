/* bits.h - masks with one bit a pixel, as training keeps them. Rows begin at whole bytes; the pixel
 * furthest left is the lowest bit; the bits behind a row's end are 0. */
#ifndef MR_IMAGE_BITS_H
#define MR_IMAGE_BITS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a row, and of a mask. */
static inline size_t mr_bits_row(int width) {
    return ((size_t)width + 7) / 8;
}

static inline size_t mr_bits_size(int height, int width) {
    return (size_t)height * mr_bits_row(width);
}

/* Pixel x of a row. */
static inline int mr_bit(const uint8_t *row, int x) {
    return row[x >> 3] >> (x & 7) & 1;
}

/* The part of a mask inside a box (y1 x1 y2 x2 in the mask's pixels); elsewhere the mask is 0. */
typedef struct mr_patch {
    int32_t box[4];
    const uint8_t *bits; /* of the box alone */
} mr_patch;

/* From and to height x width bytes of 0 or 1. */
void mr_bits_pack(const uint8_t *bytes, int height, int width, uint8_t *bits);
void mr_bits_unpack(const uint8_t *bits, int height, int width, uint8_t *bytes);

#endif
