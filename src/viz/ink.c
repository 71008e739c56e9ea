/* ink.c - see ink.h. */
#include "viz/ink.h"

#ifdef MRCNN_WITH_CAIRO

#include "viz/caption_text.h"

#define RGB(hex) \
    { ((hex) >> 16 & 0xFF) / 255.0, ((hex) >> 8 & 0xFF) / 255.0, ((hex)&0xFF) / 255.0 }

/* The series' colours are after Okabe and Ito (Color Universal Design, 2008), without their yellow, which
 * does not show on white; on dark paper the same hues, lighter. */
static const mr_theme light = {RGB(0xFFFFFF),
                               RGB(0x1F2328),
                               RGB(0x57606A),
                               RGB(0xE3E6EA),
                               {RGB(0x0072B2), RGB(0xD55E00), RGB(0x009E73), RGB(0xC4619C),
                                RGB(0xE69F00), RGB(0x56B4E9), RGB(0x6B4C9A), RGB(0x6E6E6E)}},
                      dark = {RGB(0x16191D),
                              RGB(0xE8EAED),
                              RGB(0xA4ABB3),
                              RGB(0x2C3238),
                              {RGB(0x4A9FE0), RGB(0xF0803C), RGB(0x2BC49A), RGB(0xE28DC0),
                               RGB(0xF2B938), RGB(0x9AD4F7), RGB(0xA98BD8), RGB(0xB0B0B0)}};

mr_ink mr_ink_on(cairo_t *cairo, int is_dark) {
    mr_ink ink = {cairo, is_dark ? &dark : &light};
    cairo_font_options_t *options = cairo_font_options_create();
    /* The same widths on every kind of paper, and grey edges even where the desktop has coloured ones. */
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_set_font_options(cairo, options);
    cairo_font_options_destroy(options);
    return ink;
}

void mr_set_color(const mr_ink *ink, mr_color color) {
    cairo_set_source_rgb(ink->cairo, color.r, color.g, color.b);
}

void mr_set_font(const mr_ink *ink, double size, int bold) {
    cairo_select_font_face(ink->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(ink->cairo, size);
}

double mr_text_width(const mr_ink *ink, const char *text) {
    cairo_text_extents_t extents;
    cairo_text_extents(ink->cairo, text, &extents);
    return extents.x_advance;
}

double mr_fit_text(const mr_ink *ink, const char *from, double room, char text[MR_TEXT_BYTES]) {
    int fits = 0, most = mr_plain_text(text, from ? from : "", MR_TEXT_CHARACTERS);
    double width = mr_text_width(ink, text);
    if (width <= room || most == 0) return width;
    while (most - fits > 1) { /* `fits` characters do (or none), `most` don't */
        int middle = fits + (most - fits) / 2;
        mr_plain_text(text, from, middle);
        if (mr_text_width(ink, text) <= room)
            fits = middle;
        else
            most = middle;
    }
    mr_plain_text(text, from, fits);
    width = mr_text_width(ink, text);
    if (width <= room) return width;
    text[0] = 0; /* not even the ellipsis */
    return 0.0;
}

void mr_show_text(const mr_ink *ink, const char *text, double x, double y, double align,
                  double turn) {
    if (!text[0]) return;
    cairo_save(ink->cairo);
    cairo_translate(ink->cairo, x, y);
    if (turn != 0.0) cairo_rotate(ink->cairo, turn);
    cairo_move_to(ink->cairo, align != 0.0 ? -align * mr_text_width(ink, text) : 0.0, 0.0);
    cairo_show_text(ink->cairo, text);
    cairo_restore(ink->cairo);
}

#endif
