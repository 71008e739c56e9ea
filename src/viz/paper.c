/* paper.c - see paper.h. */
#include "viz/paper.h"

#include "viz/ink.h"

mrcnn_status mr_fail_no_cairo(const char *what, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_UNSUPPORTED,
                   "%s needs cairo, which this build of mrcnn is without: build it with "
                   "MRCNN_WITH_CAIRO=ON",
                   what);
}

#ifdef MRCNN_WITH_CAIRO

#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"
#include "viz/surface.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SIDE_MAX = 16384 };

typedef struct buffer {
    char *bytes;
    size_t length, room;
} buffer;

static int buffer_add(buffer *to, const void *bytes, size_t length) {
    size_t need;
    if (!mr_add_size(to->length, length, &need) || !mr_add_size(need, 1, &need)) return 0;
    if (!to->bytes || need > to->room) {
        size_t room = need > SIZE_MAX / 2 ? need : 2 * need;
        char *larger = realloc(to->bytes, room);
        if (!larger) return 0;
        to->bytes = larger;
        to->room = room;
    }
    if (length > 0) memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
    to->bytes[to->length] = 0;
    return 1;
}

static cairo_status_t take_bytes(void *context, const unsigned char *bytes, unsigned length) {
    return buffer_add(context, bytes, length) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

static mrcnn_status fail_cairo(cairo_status_t status, const char *what, mrcnn_error *err) {
    return mr_fail(err, status == CAIRO_STATUS_NO_MEMORY ? MRCNN_E_MEMORY : MRCNN_E_UNSUPPORTED,
                   "%s: cairo can't draw it: %s", what, cairo_status_to_string(status));
}

/* Draws and finishes. */
static mrcnn_status draw_on(cairo_surface_t *surface, const mr_paper *paper, double scale,
                            const char *what, mrcnn_error *err) {
    cairo_t *cairo = cairo_create(surface); /* one in error if the surface is */
    cairo_scale(cairo, scale, scale);
    mr_ink ink = mr_ink_on(cairo, paper->dark);
    mr_set_color(&ink, ink.theme->paper);
    cairo_paint(cairo);
    mrcnn_status status = paper->draw(paper->context, &ink, err);
    cairo_status_t drawn = cairo_status(cairo);
    cairo_destroy(cairo);
    if (status == MRCNN_OK && drawn == CAIRO_STATUS_SUCCESS) {
        cairo_surface_flush(surface);
        drawn = cairo_surface_status(surface);
    }
    if (status == MRCNN_OK && drawn != CAIRO_STATUS_SUCCESS) status = fail_cairo(drawn, what, err);
    return status;
}

/* The last bytes of a file come now. */
static mrcnn_status finish(cairo_surface_t *surface, const char *what, mrcnn_error *err) {
    cairo_surface_finish(surface);
    cairo_status_t status = cairo_surface_status(surface);
    return status == CAIRO_STATUS_SUCCESS ? MRCNN_OK : fail_cairo(status, what, err);
}

/* ---------------------------------------------------------------------------------------- PNG */

static mrcnn_status write_picture(const mr_paper *paper, const char *path, const char *what,
                                  mrcnn_error *err) {
    double width = ceil(paper->width * paper->scale), height = ceil(paper->height * paper->scale);
    if (!(width <= SIDE_MAX && height <= SIDE_MAX))
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: %s would have %.0f x %.0f pixels; a side may have %d: use a smaller "
                       "scale, or SVG",
                       path, what, width, height, SIDE_MAX);
    mrcnn_image image = {(int32_t)width, (int32_t)height, 3, NULL};
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, image.width, image.height);
    mrcnn_status status = draw_on(surface, paper, paper->scale, what, err);
    if (status == MRCNN_OK) {
        image.pixels = mr_calloc(3 * (size_t)image.width, (size_t)image.height);
        if (!image.pixels)
            status = mr_fail_memory(err, 3 * (size_t)image.width * (size_t)image.height, what);
    }
    if (status == MRCNN_OK) {
        mr_surface_to_image(&image, surface);
        status = mrcnn_image_write(&image, path, err);
    }
    free(image.pixels);
    cairo_surface_destroy(surface);
    return status;
}

/* ---------------------------------------------------------------------------------------- PDF */

static mrcnn_status write_pdf(const mr_paper *paper, const char *path, const char *what,
                              mrcnn_error *err) {
    buffer pdf = {0};
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(take_bytes, &pdf, paper->width, paper->height);
    /* Without a date of its own cairo writes the time of day. */
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
    mrcnn_status status = draw_on(surface, paper, 1.0, what, err);
    if (status == MRCNN_OK) status = finish(surface, what, err);
    cairo_surface_destroy(surface);
    if (status == MRCNN_OK) status = mr_file_write(path, pdf.bytes, pdf.length, err);
    free(pdf.bytes);
    return status;
}

/* ---------------------------------------------------------------------------------------- SVG */

/* cairo counts its ids from 0 in each file ("glyph0-1"): two files in one page would take each other's
 * glyphs. Where an id stands, what precedes it is one of these. */
static size_t id_begins(const char *at) {
    static const char *const before[] = {" id=\"", "href=\"#", "url(#"};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        if (strncmp(at, before[i], strlen(before[i])) == 0) return strlen(before[i]);
    return 0;
}

/* cairo's surfaces are counted as long as the program runs; this number, which nothing refers to, goes. */
static void forget_surface_number(buffer *svg) {
    static const char surface[] = "<g id=\"surface";
    char *number = svg->bytes ? strstr(svg->bytes, surface) : NULL;
    if (!number) return;
    number += sizeof surface - 1;
    size_t digits = strspn(number, "0123456789");
    memmove(number, number + digits, strlen(number + digits) + 1);
    svg->length -= digits;
}

static int name_ids(buffer *named, const buffer *svg) {
    char prefix[16];
    int length =
        snprintf(prefix, sizeof prefix, "m%08x-", (unsigned)mr_crc32c(svg->bytes, svg->length));
    size_t done = 0;
    for (size_t i = 0; i < svg->length; i++) {
        size_t skip = id_begins(svg->bytes + i);
        if (skip == 0) continue;
        if (!buffer_add(named, svg->bytes + done, i + skip - done) ||
            !buffer_add(named, prefix, (size_t)length))
            return 0;
        done = i + skip;
        i = done - 1;
    }
    return buffer_add(named, svg->bytes + done, svg->length - done);
}

mrcnn_status mr_paper_svg(const mr_paper *paper, char **svg, size_t *length, const char *what,
                          mrcnn_error *err) {
    buffer raw = {0}, named = {0};
    cairo_surface_t *surface =
        cairo_svg_surface_create_for_stream(take_bytes, &raw, paper->width, paper->height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    mrcnn_status status = draw_on(surface, paper, 1.0, what, err);
    if (status == MRCNN_OK) status = finish(surface, what, err);
    cairo_surface_destroy(surface);
    forget_surface_number(&raw);
    if (status == MRCNN_OK && !name_ids(&named, &raw))
        status = mr_fail_memory(err, raw.length, what);
    free(raw.bytes);
    if (status == MRCNN_OK) {
        *svg = named.bytes;
        *length = named.length;
    } else {
        free(named.bytes);
    }
    return status;
}

static mrcnn_status write_svg(const mr_paper *paper, const char *path, const char *what,
                              mrcnn_error *err) {
    char *svg = NULL;
    size_t length = 0;
    mrcnn_status status = mr_paper_svg(paper, &svg, &length, what, err);
    if (status == MRCNN_OK) status = mr_file_write(path, svg, length, err);
    free(svg);
    return status;
}

mrcnn_status mr_paper_write(const mr_paper *paper, const char *path, const char *what,
                            mrcnn_error *err) {
    const char *dot = strrchr(path, '.');
    if (dot && strcasecmp(dot, ".png") == 0) return write_picture(paper, path, what, err);
    if (dot && strcasecmp(dot, ".svg") == 0) return write_svg(paper, path, what, err);
    if (dot && strcasecmp(dot, ".pdf") == 0) return write_pdf(paper, path, what, err);
    return mr_fail(err, MRCNN_E_ARGUMENT,
                   "%s: %s can be written as .png, .svg or .pdf; the extension says which", path,
                   what);
}

#else

mrcnn_status mr_paper_write(const mr_paper *paper, const char *path, const char *what,
                            mrcnn_error *err) {
    (void)paper, (void)path;
    return mr_fail_no_cairo(what, err);
}

mrcnn_status mr_paper_svg(const mr_paper *paper, char **svg, size_t *length, const char *what,
                          mrcnn_error *err) {
    (void)paper, (void)svg, (void)length;
    return mr_fail_no_cairo(what, err);
}

#endif
