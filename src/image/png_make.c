/* png_make.c - a PNG in memory, as a plan says; see png_io.h. Errors arrive by a jump, so everything is
 * in one struct. */
#include "image/png_io.h"

#include "base/error.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h> /* Z_RLE */

/* Its address is libpng's I/O pointer. */
typedef struct sink {
    uint8_t *bytes;
    size_t length, room;
} sink;

typedef struct writer {
    png_structp png;
    png_infop info;
    mr_png_message message;
    sink sink;
} writer;

static void write_bytes(png_structp png, png_bytep bytes, size_t length) {
    sink *s = png_get_io_ptr(png);
    if (length > s->room - s->length) {
        size_t room = (s->room + length) * 2;
        uint8_t *larger = mr_realloc(s->bytes, room, 1);
        if (!larger) png_error(png, "Out of memory");
        s->bytes = larger;
        s->room = room;
    }
    memcpy(s->bytes + s->length, bytes, length);
    s->length += length;
}

static void flush_bytes(png_structp png) {
    (void)png;
}

static void set_palette(writer *w, const mr_png_plan *plan) {
    png_color colors[256];
    if (!plan->colors) return;
    for (int i = 0; i < plan->colors; i++) {
        const uint8_t *color = plan->palette[i];
        colors[i] = (png_color){color[0], color[1], color[2]};
    }
    png_set_PLTE(w->png, w->info, colors, plan->colors);
}

static mrcnn_status write_png(writer *w, const mr_png_plan *plan, mrcnn_error *err) {
    if (setjmp(png_jmpbuf(w->png)))
        return mr_fail(err, w->message.out_of_memory ? MRCNN_E_MEMORY : MRCNN_E_ARGUMENT,
                       "%s: can't make a PNG of %d x %d pixels: %s", plan->name, plan->width,
                       plan->height, w->message.text);
    png_set_write_fn(w->png, &w->sink, write_bytes, flush_bytes);
    png_set_user_limits(w->png, 0x7FFFFFFF, 0x7FFFFFFF);
    png_set_IHDR(w->png, w->info, (png_uint_32)plan->width, (png_uint_32)plan->height,
                 plan->bit_depth, plan->color_type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    set_palette(w, plan);
    if (plan->is_photo) {
        png_set_compression_level(w->png, 1);
        png_set_compression_strategy(w->png, Z_RLE);
    }
    png_set_filter(w->png, PNG_FILTER_TYPE_BASE, plan->filters);
    png_write_info(w->png, w->info);
    for (int32_t y = 0; y < plan->height; y++)
        png_write_row(w->png, plan->pixels + (size_t)y * plan->stride);
    png_write_end(w->png, NULL);
    return MRCNN_OK;
}

mrcnn_status mr_png_make(uint8_t **bytes, size_t *length, const mr_png_plan *plan,
                         mrcnn_error *err) {
    writer w = {.info = NULL};
    mrcnn_status status = MRCNN_OK;
    w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w.message, mr_png_on_error,
                                    mr_png_on_warning);
    if (w.png) w.info = png_create_info_struct(w.png);
    if (w.info)
        status = write_png(&w, plan, err);
    else
        status = mr_fail(err, MRCNN_E_MEMORY, "%s: can't start libpng %s", plan->name,
                         PNG_LIBPNG_VER_STRING);
    png_destroy_write_struct(&w.png, &w.info);
    if (status != MRCNN_OK) {
        free(w.sink.bytes);
        return status;
    }
    *bytes = w.sink.bytes;
    *length = w.sink.length;
    return MRCNN_OK;
}
