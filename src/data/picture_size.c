/* picture_size.c - see picture_size.h. It reads just enough of JPEG, PNG and .npy: their sizes, the
 * orientation, and whether the file ends where a whole one does. */
#include "data/picture_size.h"

#include "base/file.h"
#include "image/codec.h"
#include "image/npy.h"

#include <stdio.h>
#include <string.h>

enum { MOST_PARTS = 100000, MOST_EXIF = MR_NPY_MOST_HEADER };

typedef struct header {
    FILE *file;
    uint32_t height, width;
    uint32_t pixels_per_byte; /* of the file: no more can be in it */
    int orientation;
    uint8_t exif[MOST_EXIF]; /* or a header of .npy */
} header;

static int take(header *h, uint8_t *bytes, size_t length) {
    return fread(bytes, 1, length, h->file) == length;
}

static int skip(header *h, uint32_t length) {
    return fseek(h->file, (long)length, SEEK_CUR) == 0;
}

static uint32_t big_endian(const uint8_t *b, int length) {
    uint32_t value = 0;
    for (int i = 0; i < length; i++) value = value << 8 | b[i];
    return value;
}

static int ends_with(header *h, const void *bytes, size_t length) {
    uint8_t end[16];
    return fseek(h->file, -(long)length, SEEK_END) == 0 && take(h, end, length) &&
           memcmp(end, bytes, length) == 0;
}

/* ---------------------------------------------------------------------------------------- JPEG */

/* The first one counts. */
static int read_exif(header *h, uint32_t length, int *seen) {
    if (!take(h, h->exif, length)) return 0;
    if (*seen || length <= 6 || memcmp(h->exif, "Exif\0", 6) != 0) return 1;
    *seen = 1;
    h->orientation = mr_exif_orientation(h->exif + 6, length - 6);
    return 1;
}

static int is_frame(uint8_t marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* Segments of marker, length, content up to the frame header, which has the size. */
static int read_jpeg(header *h) {
    uint8_t b[5];
    int seen = 0;
    if (fseek(h->file, 2, SEEK_SET) != 0) return 0;
    for (int i = 0; i < MOST_PARTS; i++) {
        if (!take(h, b, 4) || b[0] != 0xFF || b[1] < 0xC0) return 0;
        uint32_t length = big_endian(b + 2, 2);
        if (length < 2) return 0;
        if (is_frame(b[1])) {
            if (!take(h, b, 5)) return 0;
            h->height = big_endian(b + 1, 2);
            h->width = big_endian(b + 3, 2);
            h->pixels_per_byte = MR_MAX_JPEG_PIXELS;
            return ends_with(h, "\xFF\xD9", 2);
        }
        if (!(b[1] == 0xE1 ? read_exif(h, length - 2, &seen) : skip(h, length - 2))) return 0;
    }
    return 0;
}

/* ----------------------------------------------------------------------------------------- PNG */

/* 0: there is no such type. */
static uint32_t bits_of_pixel(uint8_t depth, uint8_t type) {
    static const uint8_t samples[] = {1, 0, 3, 1, 2, 0, 4};
    return type < sizeof samples && depth <= 16 ? (uint32_t)samples[type] * depth : 0;
}

static int read_size(header *h) {
    uint8_t b[10];
    if (!take(h, b, sizeof b)) return 0;
    uint32_t bits = bits_of_pixel(b[8], b[9]);
    h->width = big_endian(b, 4);
    h->height = big_endian(b + 4, 4);
    if (bits) h->pixels_per_byte = MR_MAX_DEFLATE_RATIO * 8 / bits;
    return bits != 0;
}

/* Chunks of length, type, content, checksum. As in decoding, EXIF data behind the pixels is not
 * looked at. */
static int read_png(header *h) {
    uint8_t b[8];
    if (fseek(h->file, 8, SEEK_SET) != 0) return 0;
    for (int i = 0; i < MOST_PARTS; i++) {
        if (!take(h, b, 8)) return 0;
        uint32_t length = big_endian(b, 4);
        if (memcmp(b + 4, "IDAT", 4) == 0) break;
        if (i == 0) {
            if (memcmp(b + 4, "IHDR", 4) != 0 || length != 13 || !read_size(h)) return 0;
            length -= 10;
        } else if (memcmp(b + 4, "eXIf", 4) == 0) {
            if (length > MOST_EXIF || !take(h, h->exif, length)) return 0;
            h->orientation = mr_exif_orientation(h->exif, length);
            length = 0;
        }
        if (length > INT32_MAX || !skip(h, length + 4)) return 0;
    }
    return ends_with(h, "\0\0\0\0IEND\xAE\x42\x60\x82", 12);
}

/* ----------------------------------------------------------------------------------------- npy */

static int read_npy(header *h) {
    mr_npy about;
    if (fseek(h->file, 0, SEEK_SET) != 0) return 0;
    size_t length = fread(h->exif, 1, MOST_EXIF, h->file);
    if (mr_npy_header(&about, h->exif, length, "", NULL) != MRCNN_OK) return 0;
    h->height = (uint32_t)about.height;
    h->width = (uint32_t)about.width;
    h->pixels_per_byte = 1;
    return fseek(h->file, 0, SEEK_END) == 0 &&
           (uint64_t)ftell(h->file) == (uint64_t)about.begin + about.bytes;
}

/* Leaves the file at its end. */
static int read_header(header *h) {
    uint8_t start[MR_SNIFF_BYTES];
    const char *looks_like;
    size_t length = fread(start, 1, sizeof start, h->file);
    switch (mr_sniff(start, length, &looks_like)) {
    case MR_PICTURE_JPEG: return read_jpeg(h);
    case MR_PICTURE_PNG: return read_png(h);
    case MR_PICTURE_NPY: return read_npy(h);
    case MR_PICTURE_OTHER: break;
    }
    return 0;
}

static mrcnn_status decode_size(const char *path, const mrcnn_image_options *options,
                                int32_t *height, int32_t *width, mrcnn_error *err) {
    mrcnn_image image = {0};
    mrcnn_status status = mrcnn_image_read(&image, path, options, err);
    if (status != MRCNN_OK) return status;
    *height = image.height;
    *width = image.width;
    mrcnn_image_free(&image);
    return MRCNN_OK;
}

/* Within the limit, and not more than so short a file can hold, as decoding it would find out. */
static int is_possible(const header *h) {
    uint64_t pixels = (uint64_t)h->height * h->width;
    return pixels <= (uint64_t)mrcnn_image_options_default().max_pixels &&
           pixels / h->pixels_per_byte <= (uint64_t)ftell(h->file);
}

mrcnn_status mr_picture_size(const char *path, int32_t *height, int32_t *width, mrcnn_error *err) {
    mrcnn_status status = mr_file_check_plain(path, err);
    if (status != MRCNN_OK) return status;
    header h = {.file = fopen(path, "rb"), .orientation = 1};
    int known = h.file && read_header(&h) && h.height > 0 && h.width > 0 && h.height <= INT32_MAX &&
                h.width <= INT32_MAX && is_possible(&h);
    if (h.file) fclose(h.file);
    if (known) {
        int turned = h.orientation >= 5; /* by 90 degrees */
        *height = (int32_t)(turned ? h.width : h.height);
        *width = (int32_t)(turned ? h.height : h.width);
        return MRCNN_OK;
    }
    return decode_size(path, NULL, height, width, err);
}

static int is_array(const char *path) {
    uint8_t start[MR_SNIFF_BYTES];
    const char *looks_like;
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(start, 1, sizeof start, file) : 0;
    if (file) fclose(file);
    return mr_sniff(start, length, &looks_like) == MR_PICTURE_NPY;
}

mrcnn_status mr_picture_check(const char *path, const mrcnn_image_options *options, int32_t *height,
                              int32_t *width, mrcnn_error *err) {
    mrcnn_status status = mr_file_check_plain(path, err);
    if (status != MRCNN_OK) return status;
    int any_will_do = options->channels == 1 || options->channels == 3;
    if (any_will_do && !is_array(path)) return mr_picture_size(path, height, width, err);
    return decode_size(path, options, height, width, err);
}
