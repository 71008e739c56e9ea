/* bits.c - see bits.h. */
#include "image/bits.h"

static uint8_t pack_eight(const uint8_t *bytes, int count) {
    unsigned packed = 0;
    for (int i = 0; i < count; i++) packed |= (unsigned)(bytes[i] & 1) << i;
    return (uint8_t)packed;
}

void mr_bits_pack(const uint8_t *bytes, int height, int width, uint8_t *bits) {
    for (int y = 0; y < height; y++, bytes += width) {
        int x = 0;
        for (; x + 8 <= width; x += 8) *bits++ = pack_eight(bytes + x, 8);
        if (x < width) *bits++ = pack_eight(bytes + x, width - x);
    }
}

void mr_bits_unpack(const uint8_t *bits, int height, int width, uint8_t *bytes) {
    for (int y = 0; y < height; y++, bits += mr_bits_row(width))
        for (int x = 0; x < width; x++) *bytes++ = (uint8_t)mr_bit(bits, x);
}
