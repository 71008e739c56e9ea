/* shade.c - see shade.h. Both maps are polylines in CIE L*a*b* whose lightness changes evenly, so that equal
 * steps of a value look equal. */
#include "viz/shade.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct lab {
    double l, a, b;
} lab;

/* CIE L*a*b* of a D65 white into sRGB (IEC 61966-2-1); what sRGB lacks is cut off. */
static double gamma_of(double linear) {
    double value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1.0 / 2.4) - 0.055;
    return value < 0.0 ? 0.0 : value > 1.0 ? 1.0 : value;
}

static double cube_of(double f) {
    return f > 6.0 / 29.0 ? f * f * f : 3.0 * (6.0 / 29.0) * (6.0 / 29.0) * (f - 4.0 / 29.0);
}

static mr_color color_of(lab c) {
    double fy = (c.l + 16.0) / 116.0;
    double x = 0.95047 * cube_of(fy + c.a / 500.0), y = cube_of(fy);
    double z = 1.08883 * cube_of(fy - c.b / 200.0);
    return (mr_color){gamma_of(3.2404542 * x - 1.5371385 * y - 0.4985314 * z),
                      gamma_of(-0.9692660 * x + 1.8760108 * y + 0.0415560 * z),
                      gamma_of(0.0556434 * x - 0.2040259 * y + 1.0572252 * z)};
}

static mr_color on_polyline(const lab *points, int count, double share) {
    double at = (share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share) * (count - 1);
    int i = at >= count - 1 ? count - 2 : (int)at;
    double t = at - i;
    const lab *p = &points[i], *q = &points[i + 1];
    return color_of(
        (lab){p->l + t * (q->l - p->l), p->a + t * (q->a - p->a), p->b + t * (q->b - p->b)});
}

/* Where a value lies between two others that may be far apart, or the same. */
static double share_of(double value, double low, double high) {
    if (value <= low) return 0.0;
    if (value >= high) return 1.0;
    return (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
}

mr_color mr_shade(double value, double low, double high, int dark) {
    static const lab on_light[] = {{97, -1, -2}, {76, -10, -24}, {55, -6, -40}, {34, 8, -46}};
    static const lab on_dark[] = {{14, 0, -6}, {34, 2, -34}, {55, -8, -40}, {76, -14, -28}};
    return on_polyline(dark ? on_dark : on_light, 4, share_of(value, low, high));
}

mr_color mr_false_color(double share) {
    static const lab points[] = {{8, 12, -28}, {22, 30, -45}, {36, 34, -34}, {50, 22, -12},
                                 {64, 14, 22}, {78, 4, 58},   {94, -14, 62}};
    return on_polyline(points, 7, share);
}

static double linear_of(double value) {
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

mr_color mr_readable_on(mr_color c) {
    double light = 0.2126 * linear_of(c.r) + 0.7152 * linear_of(c.g) + 0.0722 * linear_of(c.b);
    double white = 1.05 / (light + 0.05), black = (light + 0.05) / 0.05;
    return white > black ? (mr_color){1.0, 1.0, 1.0} : (mr_color){0.0, 0.0, 0.0};
}

void mr_short_number(double value, char text[32]) {
    char digits[32], *end;
    snprintf(digits, sizeof digits, "%.2e", value);
    double rounded = strtod(digits, &end); /* of this locale, as printf is */
    mr_number_print(isfinite(rounded) ? rounded : 0.0, text);
}
