/* sniff.c - recognises what a file is by its first bytes, so that the message for a file that is
 * no picture can say what it is instead. */
#include "image/codec.h"

#include <string.h>

typedef struct signature {
    size_t offset, length;
    const char *bytes;
    const char *looks_like;
} signature;

static const signature signatures[] = {
    {0, 6, "GIF87a", "a GIF picture"},
    {0, 6, "GIF89a", "a GIF picture"},
    {8, 4, "WEBP", "a WebP picture"},
    {0, 2, "BM", "a BMP picture"},
    {0, 4, "II*\0", "a TIFF picture"},
    {0, 4, "MM\0*", "a TIFF picture"},
    {4, 8, "ftypheic", "a HEIC picture"},
    {4, 8, "ftypheix", "a HEIC picture"},
    {4, 8, "ftypmif1", "a HEIC picture"},
    {4, 8, "ftypavif", "an AVIF picture"},
    {4, 4, "ftyp", "an MP4 or QuickTime video"},
    {8, 3, "AVI", "an AVI video"},
    {0, 4, "\x1A\x45\xDF\xA3", "a Matroska or WebM video"},
    {4, 8, "jP  \r\n\x87\n", "a JPEG 2000 picture"},
    {0, 4, "\xFF\x4F\xFF\x51", "a JPEG 2000 picture"},
    {4, 8, "JXL \r\n\x87\n", "a JPEG XL picture"},
    {0, 2, "\xFF\x0A", "a JPEG XL picture"},
    {0, 4, "8BPS", "a Photoshop document"},
    {0, 4, "%PDF", "a PDF document"},
    {0, 8, "\x89HDF\r\n\x1A\n", "an HDF5 file, such as weights"},
    {0, 4, "PK\3\4", "a ZIP archive"},
    {0, 2, "\x1F\x8B", "a gzip archive"},
    {0, 4, "<svg", "an SVG drawing"},
    {0, 5, "<html", "a web page (a download that went wrong?)"},
    {0, 14, "<!DOCTYPE html", "a web page (a download that went wrong?)"},
    {0, 14, "<!doctype html", "a web page (a download that went wrong?)"},
};

/* Nothing that ASCII or UTF-8 never has. */
static int is_text(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        int control = bytes[i] == 127 || (bytes[i] < 32 && !memchr("\t\n\f\r", bytes[i], 4));
        if (control || bytes[i] >= 0xF8) return 0;
    }
    return 1;
}

mr_picture_format mr_sniff(const uint8_t *bytes, size_t length, const char **looks_like) {
    if (length > MR_SNIFF_BYTES) length = MR_SNIFF_BYTES;
    if (length >= 2 && memcmp(bytes, "\xFF\xD8", 2) == 0) {
        *looks_like = "a JPEG picture";
        return MR_PICTURE_JPEG;
    }
    /* Not the whole signature: what follows tells libpng how the file was damaged. */
    if (length >= 4 && memcmp(bytes, "\x89PNG", 4) == 0) {
        *looks_like = "a PNG picture";
        return MR_PICTURE_PNG;
    }
    if (length >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0) {
        *looks_like = "a NumPy array";
        return MR_PICTURE_NPY;
    }
    *looks_like = length == 0 ? "an empty file" : "no picture";
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (s->offset + s->length <= length &&
            memcmp(bytes + s->offset, s->bytes, s->length) == 0) {
            *looks_like = s->looks_like;
            return MR_PICTURE_OTHER;
        }
    }
    if (length > 0 && is_text(bytes, length)) *looks_like = "a text file";
    return MR_PICTURE_OTHER;
}
