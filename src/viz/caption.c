/* caption.c - captions on dark plates, inside the picture and where possible
 * beside each other. Places are chosen in the order of the result (best first); what is sure is
 * drawn last. */
#include "viz/pen.h"

#ifdef MRCNN_WITH_CAIRO

#include "viz/caption_text.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* Each place is compared with those of so many better instances: more would be quadratic for
 * results that nobody can read anyway. */
enum { COMPARED = 500, PLACES = 8 };

/* The share of itself that a caption may have below others. */
static const double HIDDEN = 0.12;

static double padding(const mr_pen *pen) {
    return 0.25 * pen->font;
}

/* Width of the coloured bar at the plate's left. */
static double bar(const mr_pen *pen) {
    return round(0.35 * pen->font);
}

static void choose_font(const mr_pen *pen) {
    cairo_font_options_t *options = cairo_font_options_create();
    /* Grey even where the desktop is set to coloured subpixels: a file has no subpixels. */
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(pen->cairo, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(pen->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(pen->cairo, pen->font);
}

static double text_width(const mr_pen *pen, const char *text) {
    cairo_text_extents_t extents;
    cairo_text_extents(pen->cairo, text, &extents);
    return extents.x_advance;
}

static int write_text(const mr_caption *caption, int characters, char text[MR_CAPTION_BYTES]) {
    return caption->instance ? mr_caption_text(text, caption->instance, caption->id, characters)
                             : mr_plain_text(text, caption->text, characters);
}

/* The longest form of the caption that is not wider than the picture, or the shortest; returns its
 * width. */
static double fit_text(const mr_pen *pen, const mr_caption *caption, char text[MR_CAPTION_BYTES]) {
    double room = pen->width - bar(pen) - 2.0 * padding(pen);
    int characters = write_text(caption, MR_CAPTION_NAME, text);
    double width = text_width(pen, text);
    while (width > room && characters > 1) {
        write_text(caption, --characters, text);
        width = text_width(pen, text);
    }
    return width;
}

static double clamp(double value, double most) {
    return value > most ? most : value < 0.0 ? 0.0 : value;
}

static double overlap(const mr_rectangle *a, const mr_rectangle *b) {
    double width = fmin(a->x2, b->x2) - fmax(a->x1, b->x1);
    double height = fmin(a->y2, b->y2) - fmax(a->y1, b->y1);
    return width > 0.0 && height > 0.0 ? width * height : 0.0;
}

static double crowding(const mr_rectangle *plate, const mr_rectangle *others, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count && i < COMPARED; i++) sum += overlap(plate, &others[i]);
    return sum;
}

/* The first of eight places around and in the box that covers no better caption, else the one that
 * covers least; none (x1 = x2) where it would lie below others all the same: a heap of captions says less than
 * those on top alone. */
static mr_rectangle place(const mr_pen *pen, const mr_rectangle *box, double width, double height,
                          const mr_rectangle *others, size_t count) {
    const double left = box->x1, right = box->x2 - width;
    const double above = box->y1 - height, top = box->y1, bottom = box->y2 - height;
    const double places[PLACES][2] = {{left, above},    {left, top},    {left, box->y2},
                                      {left, bottom},   {right, above}, {right, top},
                                      {right, box->y2}, {right, bottom}};
    mr_rectangle best = {0};
    double least = INFINITY;
    for (int i = 0; i < PLACES && least > 0.0; i++) {
        double x = floor(clamp(places[i][0], pen->width - width));
        double y = floor(clamp(places[i][1], pen->height - height));
        mr_rectangle plate = {x, y, x + width, y + height};
        double covered = crowding(&plate, others, count);
        if (covered >= least) continue;
        least = covered;
        best = plate;
    }
    if (least > HIDDEN * width * height) best.x2 = best.x1;
    return best;
}

/* White on a dark plate is readable on any picture and, unlike the palette's colours, next to any
 * mask; a bar of the instance's colour says whose caption it is. */
static void draw_caption(const mr_pen *pen, const char *text, const mr_rectangle *plate,
                         double baseline, mr_color color) {
    cairo_t *cairo = pen->cairo;
    double height = plate->y2 - plate->y1;
    cairo_rectangle(cairo, plate->x1, plate->y1, plate->x2 - plate->x1, height);
    cairo_set_source_rgba(cairo, 0.0, 0.0, 0.0, 0.75);
    cairo_fill(cairo);
    cairo_rectangle(cairo, plate->x1, plate->y1, bar(pen), height);
    cairo_set_source_rgb(cairo, color.r, color.g, color.b);
    cairo_fill(cairo);
    cairo_set_source_rgb(cairo, 1.0, 1.0, 1.0);
    cairo_move_to(cairo, plate->x1 + bar(pen) + padding(pen), plate->y1 + baseline);
    cairo_show_text(cairo, text);
}

mrcnn_status mr_draw_captions(const mr_pen *pen, const mr_caption *captions, size_t count,
                              mrcnn_error *err) {
    mr_rectangle *plates = mr_calloc(count, sizeof *plates);
    if (!plates) return mr_fail_memory(err, count * sizeof *plates, "captions");
    char text[MR_CAPTION_BYTES];
    cairo_font_extents_t font;
    choose_font(pen);
    cairo_font_extents(pen->cairo, &font);
    double height = ceil(font.ascent + font.descent + padding(pen));
    double baseline = round(font.ascent + padding(pen) / 2.0);

    for (size_t i = 0; i < count; i++) {
        mr_rectangle box;
        if (!(captions[i].instance || captions[i].text)) continue;
        if (!mr_visible_box(pen, captions[i].box, &box)) continue;
        double width = fit_text(pen, &captions[i], text);
        width = ceil(bar(pen) + width + 2.0 * padding(pen));
        if (width > pen->width || height > pen->height) continue; /* would hide the picture */
        plates[i] = place(pen, &box, width, height, plates, i);
    }
    for (size_t i = count; i-- > 0;) {
        if (plates[i].x1 >= plates[i].x2) continue; /* it has no place */
        fit_text(pen, &captions[i], text);
        draw_caption(pen, text, &plates[i], baseline, captions[i].color);
    }
    free(plates);
    return MRCNN_OK;
}

#endif
