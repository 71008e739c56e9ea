/* sheet_text.c - see sheet_text.h. */
#include "viz/sheet_text.h"

#include "viz/paper.h"

#ifdef MRCNN_WITH_CAIRO

#include "viz/caption_text.h"
#include "viz/ink.h"
#include "viz/pen.h"

#include <string.h>

static const double SIZE = 13.0, LINE = 16.0;

typedef struct writing {
    const mr_sheet_caption *captions;
    size_t count;
} writing;

/* Bytes of the longest beginning that ends before a blank and fits, 0 for none. */
static size_t first_line(const mr_ink *ink, const char *text, double room) {
    char part[MR_TEXT_BYTES];
    size_t fits = 0, length = strlen(text);
    for (size_t i = 1; i < length && i < sizeof part; i++) {
        if (text[i] != ' ') continue;
        memcpy(part, text, i);
        part[i] = 0;
        if (mr_text_width(ink, part) > room) break;
        fits = i;
    }
    return fits;
}

static void write_caption(const mr_ink *ink, const mr_sheet_caption *caption) {
    char clean[MR_TEXT_BYTES], part[MR_TEXT_BYTES];
    double middle = caption->left + caption->width / 2.0, y = caption->top + SIZE + 1.0;
    mr_plain_text(clean, caption->text, MR_TEXT_CHARACTERS);
    const char *rest = clean;
    if (mr_text_width(ink, clean) > caption->width) {
        size_t length = first_line(ink, clean, caption->width);
        if (length > 0) {
            memcpy(part, clean, length);
            part[length] = 0;
            mr_show_text(ink, part, middle, y, 0.5, 0.0);
            rest = clean + length + 1;
            y += LINE;
        }
    }
    mr_fit_text(ink, rest, caption->width, part);
    mr_show_text(ink, part, middle, y, 0.5, 0.0);
}

static mrcnn_status write_all(const mr_pen *pen, void *context, mrcnn_error *err) {
    const writing *job = context;
    mr_ink ink = mr_ink_on(pen->cairo, 0);
    (void)err;
    mr_set_color(&ink, ink.theme->text);
    mr_set_font(&ink, SIZE, 0);
    for (size_t i = 0; i < job->count; i++) write_caption(&ink, &job->captions[i]);
    return MRCNN_OK;
}

mrcnn_status mr_write_sheet_captions(mrcnn_image *canvas, const mr_sheet_caption *captions,
                                     size_t count, mrcnn_error *err) {
    writing job = {captions, count};
    return count > 0 ? mr_draw_on_canvas(canvas, write_all, &job, err) : MRCNN_OK;
}

#else

mrcnn_status mr_write_sheet_captions(mrcnn_image *canvas, const mr_sheet_caption *captions,
                                     size_t count, mrcnn_error *err) {
    (void)canvas, (void)captions;
    return count > 0 ? mr_fail_no_cairo("a sheet with captions", err) : MRCNN_OK;
}

#endif
