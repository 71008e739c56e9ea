/* raster.h - outlines and simple shapes as masks of height x width bytes of 0 or 1, row-major, all of
 * which are written. Pixels lie at whole numbers: pixel (0, 0) is the point 0, 0.
 *
 * Whatever lies outside the picture is cut off. Coordinates may be any finite numbers; beyond
 * +-2^30 they count as +-2^30. The mask depends on nothing else, and costs no memory beside it. */
#ifndef MR_DATA_RASTER_H
#define MR_DATA_RASTER_H

#include <stddef.h>
#include <stdint.h>

/* skimage.draw.polygon (0.18 and later; NUMERICS: oracle quirk 12): pixels inside by the even-odd
 * rule, and those exactly on an edge or a corner. xy: `count` points (x, y); the last one is joined
 * with the first. */
void mr_fill_polygon(const double *xy, size_t count, int height, int width, uint8_t *mask);

/* skimage.draw.rectangle with an extent: pixels from x to before x + w, and from y to before y + h. A
 * negative extent goes to the other side. */
void mr_fill_rect(double x, double y, double w, double h, int height, int width, uint8_t *mask);

/* skimage.draw.ellipse and disk: pixels at a distance < 1 (rounding may decide for one that lies on a
 * turned ellipse). theta turns the rx axis from right towards down,
 * in radians, as HTML's canvas and VIA do; skimage turns the other way round. */
void mr_fill_ellipse(double cx, double cy, double rx, double ry, double theta, int height,
                     int width, uint8_t *mask);

#endif
