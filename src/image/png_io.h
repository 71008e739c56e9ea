/* png_io.h - libpng over memory: where bytes come from and go to, how its errors arrive, and what it
 * must not read. What the bytes mean is up to those who use it. */
#ifndef MR_IMAGE_PNG_IO_H
#define MR_IMAGE_PNG_IO_H

#include "image/codec.h"

#include <png.h>

/* What libpng says before it jumps. Its address is libpng's error pointer. */
typedef struct mr_png_message {
    char text[160];
    int out_of_memory;
} mr_png_message;

void mr_png_on_error(png_structp png, png_const_charp text);
void mr_png_on_warning(png_structp png, png_const_charp text);

/* Its address is libpng's I/O pointer when reading. */
typedef struct mr_png_source {
    const mr_encoded *file;
    size_t used;
    int cut_short;
} mr_png_source;

void mr_png_read_bytes(png_structp png, png_bytep out, size_t length);

/* Texts and colour profiles can be packed bombs and are not needed: only what decides about pixels
 * and EXIF data is read. */
void mr_png_set_limits(png_structp png);

/* The error that libpng jumped for while it read. */
mrcnn_status mr_png_fail_reading(const mr_png_message *message, const mr_png_source *source,
                                 mrcnn_error *err);

/* A PNG to be made. */
typedef struct mr_png_plan {
    const char *name; /* for messages */
    int32_t height, width;
    int bit_depth, color_type; /* as libpng has them */
    const uint8_t *pixels;
    size_t stride; /* bytes of a row */
    const uint8_t (*palette)[3];
    int colors;   /* in it; 0: there is none */
    int filters;  /* PNG_FILTER_... */
    int is_photo; /* zlib looks for runs alone */
} mr_png_plan;

/* Makes it in malloc'ed memory. */
mrcnn_status mr_png_make(uint8_t **bytes, size_t *length, const mr_png_plan *plan,
                         mrcnn_error *err);

#endif
