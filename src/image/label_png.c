/* label_png.c - reading numbers from PNG files; see label_png.h. */
#include "image/label_png.h"

#include "base/error.h"
#include "base/file.h"
#include "image/png_io.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* As in png.c, errors arrive by a jump, so everything is in one struct. */
typedef struct reader {
    png_structp png;
    png_infop info;
    mr_png_message message;
    mr_png_source source;
    mr_labels labels;
} reader;

static void take_palette(reader *r) {
    png_colorp colors = NULL;
    if (!png_get_PLTE(r->png, r->info, &colors, &r->labels.colors)) return;
    for (int i = 0; i < r->labels.colors && i < 256; i++) {
        uint8_t color[3] = {colors[i].red, colors[i].green, colors[i].blue};
        memcpy(r->labels.palette[i], color, sizeof color);
    }
}

static mrcnn_status make_room(reader *r, int channels, int sample_bytes, mrcnn_error *err) {
    mrcnn_image room = {0};
    mr_announced announced = {.width = png_get_image_width(r->png, r->info),
                              .height = png_get_image_height(r->png, r->info),
                              .channels = channels,
                              .sample_bytes = sample_bytes};
    announced.least_bytes =
        (uint64_t)png_get_rowbytes(r->png, r->info) * announced.height / MR_MAX_DEFLATE_RATIO;
    mrcnn_status status = mr_image_allocate(&room, r->source.file, &announced, err);
    r->labels.pixels = room.pixels;
    r->labels.height = room.height;
    r->labels.width = room.width;
    r->labels.bytes = channels * sample_bytes;
    return status;
}

static mrcnn_status read_numbers(reader *r, mrcnn_error *err) {
    if (setjmp(png_jmpbuf(r->png))) return mr_png_fail_reading(&r->message, &r->source, err);
    png_set_read_fn(r->png, &r->source, mr_png_read_bytes);
    mr_png_set_limits(r->png);
    png_read_info(r->png, r->info);
    int type = png_get_color_type(r->png, r->info), depth = png_get_bit_depth(r->png, r->info);
    int has_colors = type == PNG_COLOR_TYPE_RGB || type == PNG_COLOR_TYPE_RGBA;
    if (type == PNG_COLOR_TYPE_PALETTE) take_palette(r);
    mrcnn_status status = make_room(r, has_colors ? 3 : 1, depth == 16 ? 2 : 1, err);
    if (status != MRCNN_OK) return status;
    if (depth < 8) png_set_packing(r->png);
    if (type & PNG_COLOR_MASK_ALPHA) png_set_strip_alpha(r->png);
    int passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    size_t stride = (size_t)r->labels.width * (size_t)r->labels.bytes;
    if (png_get_rowbytes(r->png, r->info) != stride) png_error(r->png, "unexpected row length");
    for (int pass = 0; pass < passes; pass++)
        for (int32_t y = 0; y < r->labels.height; y++)
            png_read_row(r->png, r->labels.pixels + stride * (size_t)y, NULL);
    png_read_end(r->png, NULL);
    return MRCNN_OK;
}

mrcnn_status mr_labels_decode(mr_labels *labels, const void *bytes, size_t length, const char *name,
                              int64_t max_pixels, mrcnn_error *err) {
    mr_encoded file = {.bytes = bytes, .length = length, .name = name, .max_pixels = max_pixels};
    reader r = {.source = {.file = &file}};
    const char *looks_like;
    if (mr_sniff(bytes, length, &looks_like) != MR_PICTURE_PNG)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: this is %s; it must be a PNG", name, looks_like);
    mrcnn_status status = MRCNN_OK;
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r.message, mr_png_on_error,
                                   mr_png_on_warning);
    if (r.png) r.info = png_create_info_struct(r.png);
    if (r.info)
        status = read_numbers(&r, err);
    else
        status =
            mr_fail(err, MRCNN_E_MEMORY, "%s: can't start libpng %s", name, PNG_LIBPNG_VER_STRING);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    if (status == MRCNN_OK)
        *labels = r.labels;
    else
        free(r.labels.pixels);
    return status;
}

mrcnn_status mr_labels_read(mr_labels *labels, const char *path, int64_t max_pixels,
                            mrcnn_error *err) {
    const size_t max_file_bytes = 2147483647; /* as for pictures */
    void *bytes = NULL;
    size_t length = 0;
    mrcnn_status status = mr_file_read(path, max_file_bytes, &bytes, &length, err);
    if (status != MRCNN_OK) return status;
    status = mr_labels_decode(labels, bytes, length, path, max_pixels, err);
    free(bytes);
    return status;
}

void mr_labels_free(mr_labels *labels) {
    free(labels->pixels);
    memset(labels, 0, sizeof *labels);
}

void mr_labels_to_mask(const mr_labels *labels, uint8_t *mask) {
    size_t count = (size_t)labels->height * (size_t)labels->width, bytes = (size_t)labels->bytes;
    uint8_t inside[256];
    for (int i = 0; i < 256; i++) {
        const uint8_t *color = labels->palette[i];
        inside[i] = labels->colors ? (color[0] | color[1] | color[2]) != 0 : i != 0;
    }
    if (bytes == 1) {
        for (size_t i = 0; i < count; i++) mask[i] = inside[labels->pixels[i]];
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = labels->pixels + i * bytes;
        uint8_t any = 0;
        for (size_t b = 0; b < bytes; b++) any |= inside[p[b]];
        mask[i] = any;
    }
}
