/* surface.h - RGB pictures into cairo's image surfaces and back. */
#ifndef MR_VIZ_SURFACE_H
#define MR_VIZ_SURFACE_H

#ifdef MRCNN_WITH_CAIRO

#include <mrcnn/mrcnn.h>

#include <cairo.h>

/* Both are RGB (CAIRO_FORMAT_RGB24) and of the same size. */
void mr_surface_from_image(cairo_surface_t *surface, const mrcnn_image *image);
void mr_surface_to_image(mrcnn_image *image, cairo_surface_t *surface);

#endif
#endif
