/* exif.c - the one thing that is needed of EXIF data: which way up the picture is. The data is a
 * small TIFF file; only its first directory is looked at, and every offset is checked against the
 * length, since the bytes may be anything. */
#include "image/codec.h"

#include <string.h>

typedef struct tiff {
    const uint8_t *bytes;
    size_t length;
    int big_endian;
} tiff;

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_BYTES = 12 };

static unsigned read_u16(const tiff *t, size_t at) {
    unsigned a = t->bytes[at], b = t->bytes[at + 1];
    return t->big_endian ? a << 8 | b : b << 8 | a;
}

static uint32_t read_u32(const tiff *t, size_t at) {
    uint32_t first = read_u16(t, at), second = read_u16(t, at + 2);
    return t->big_endian ? first << 16 | second : second << 16 | first;
}

static int open_tiff(tiff *t, const uint8_t *bytes, size_t length) {
    if (length < 8) return 0;
    t->bytes = bytes;
    t->length = length;
    t->big_endian = bytes[0] == 'M';
    return (memcmp(bytes, "II", 2) == 0 || memcmp(bytes, "MM", 2) == 0) && read_u16(t, 2) == 42;
}

int mr_exif_orientation(const uint8_t *bytes, size_t length) {
    tiff t;
    if (!open_tiff(&t, bytes, length)) return 1;
    size_t directory = read_u32(&t, 4);
    if (directory > length - 2) return 1;
    size_t entries = read_u16(&t, directory);
    for (size_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + i * ENTRY_BYTES;
        if (entry + ENTRY_BYTES > length) break;
        if (read_u16(&t, entry) != TAG_ORIENTATION) continue;
        unsigned type = read_u16(&t, entry + 2);
        uint32_t value = type == TYPE_SHORT  ? read_u16(&t, entry + 8)
                         : type == TYPE_LONG ? read_u32(&t, entry + 8)
                                             : 0;
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
