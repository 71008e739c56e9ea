/* shade.h - numbers as colours: shades of one hue for the cells of grids, and a map of rising brightness
 * for pictures of floats. */
#ifndef MR_VIZ_SHADE_H
#define MR_VIZ_SHADE_H

#include "viz/color.h"

/* From nearly the paper (low) to strong (high); values outside are as their end. */
mr_color mr_shade(double value, double low, double high, int dark);

/* Black or white, whichever stands out more (WCAG's contrast ratio). */
mr_color mr_readable_on(mr_color color);

/* share 0: dark blue, 1: yellow; brightness rises evenly. */
mr_color mr_false_color(double share);

/* Three digits, at most 12 bytes, in every locale: "0.12", "1.5e-7". */
void mr_short_number(double value, char text[32]);

#endif
