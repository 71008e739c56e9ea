/* ink.h - what charts and grids draw with: cairo in points, the colours of light and dark paper, and
 * text that is safe to print and fits its room. */
#ifndef MR_VIZ_INK_H
#define MR_VIZ_INK_H

#ifdef MRCNN_WITH_CAIRO

#include "viz/color.h"
#include "viz/paper.h"

#include <cairo.h>

enum { MR_SERIES_COLORS = 8 };

typedef struct mr_theme {
    mr_color paper, text, soft, rule; /* soft: of labels; rule: lines across the plot */
    mr_color series[MR_SERIES_COLORS];
} mr_theme;

struct mr_ink {
    cairo_t *cairo;
    const mr_theme *theme;
};

mr_ink mr_ink_on(cairo_t *cairo, int dark);
void mr_set_color(const mr_ink *ink, mr_color color);

/* Room for any text that mr_fit_text makes. */
enum { MR_TEXT_CHARACTERS = 200, MR_TEXT_BYTES = 4 * MR_TEXT_CHARACTERS + 4 };

/* The font of the calls that follow. */
void mr_set_font(const mr_ink *ink, double size, int bold);
double mr_text_width(const mr_ink *ink, const char *text);

/* As much of the text as fits into `room` points, with an ellipsis when that is not all of it; returns its
 * width. NULL is "". */
double mr_fit_text(const mr_ink *ink, const char *from, double room, char text[MR_TEXT_BYTES]);

/* Prints a text that mr_fit_text made; x is at `align` (0: its left, 0.5: its middle, 1: its right) and y on
 * its baseline. `turn`: radians, clockwise around that point. */
void mr_show_text(const mr_ink *ink, const char *text, double x, double y, double align,
                  double turn);

#endif
#endif
