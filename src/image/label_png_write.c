/* label_png_write.c - writing numbers as PNG files; see label_png.h. */
#include "image/label_png.h"

#include "base/error.h"
#include "base/file.h"
#include "image/png_io.h"

#include <setjmp.h>
#include <stdlib.h>

typedef struct writer {
    png_structp png;
    png_infop info;
    mr_png_message message;
    mr_png_sink sink;
} writer;

static void set_palette(writer *w, const mr_labels *labels) {
    png_color colors[256];
    if (!labels->colors) return;
    for (int i = 0; i < labels->colors; i++) {
        const uint8_t *color = labels->palette[i];
        colors[i] = (png_color){color[0], color[1], color[2]};
    }
    png_set_PLTE(w->png, w->info, colors, labels->colors);
}

static mrcnn_status write_numbers(writer *w, const mr_labels *labels, const char *path,
                                  mrcnn_error *err) {
    if (setjmp(png_jmpbuf(w->png)))
        return mr_fail(err, w->message.out_of_memory ? MRCNN_E_MEMORY : MRCNN_E_ARGUMENT,
                       "%s: can't make a PNG of %d x %d pixels: %s", path, labels->width,
                       labels->height, w->message.text);
    png_set_write_fn(w->png, &w->sink, mr_png_write_bytes, mr_png_flush_bytes);
    png_set_user_limits(w->png, 0x7FFFFFFF, 0x7FFFFFFF);
    png_set_IHDR(w->png, w->info, (png_uint_32)labels->width, (png_uint_32)labels->height,
                 labels->bytes * 8, labels->colors ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    set_palette(w, labels);
    /* Rows of labels repeat themselves as they are. */
    png_set_filter(w->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_write_info(w->png, w->info);
    size_t stride = (size_t)labels->width * (size_t)labels->bytes;
    for (int32_t y = 0; y < labels->height; y++)
        png_write_row(w->png, labels->pixels + stride * (size_t)y);
    png_write_end(w->png, NULL);
    return MRCNN_OK;
}

mrcnn_status mr_labels_write(const mr_labels *labels, const char *path, mrcnn_error *err) {
    writer w = {.info = NULL};
    mrcnn_status status = MRCNN_OK;
    w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w.message, mr_png_on_error,
                                    mr_png_on_warning);
    if (w.png) w.info = png_create_info_struct(w.png);
    if (w.info)
        status = write_numbers(&w, labels, path, err);
    else
        status =
            mr_fail(err, MRCNN_E_MEMORY, "%s: can't start libpng %s", path, PNG_LIBPNG_VER_STRING);
    png_destroy_write_struct(&w.png, &w.info);
    if (status == MRCNN_OK) status = mr_file_put(path, w.sink.bytes, w.sink.length, err);
    free(w.sink.bytes);
    return status;
}
