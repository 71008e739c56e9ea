/* png_io.c - see png_io.h. Writing is in png_make.c. */
#include "image/png_io.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

void mr_png_on_error(png_structp png, png_const_charp text) {
    mr_png_message *m = png_get_error_ptr(png);
    snprintf(m->text, sizeof m->text, "%s", text);
    m->out_of_memory = strcmp(text, "Out of memory") == 0;
    png_longjmp(png, 1);
}

void mr_png_on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

void mr_png_read_bytes(png_structp png, png_bytep out, size_t length) {
    mr_png_source *s = png_get_io_ptr(png);
    if (length > s->file->length - s->used) {
        s->cut_short = 1;
        png_error(png, "cut short");
    }
    memcpy(out, s->file->bytes + s->used, length);
    s->used += length;
}

void mr_png_set_limits(png_structp png) {
    static const png_byte exif_name[5] = "eXIf";
    png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF); /* our own limit is on their product */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, exif_name, 1);
}

mrcnn_status mr_png_fail_reading(const mr_png_message *message, const mr_png_source *source,
                                 mrcnn_error *err) {
    const char *name = source->file->name;
    if (message->out_of_memory)
        return mr_fail(err, MRCNN_E_MEMORY, "%s: out of memory for this PNG", name);
    if (source->cut_short)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: the PNG is cut short: copy or download it again",
                       name);
    return mr_fail(err, MRCNN_E_FORMAT, "%s: the PNG is damaged: %s", name, message->text);
}
