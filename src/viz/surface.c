/* surface.c - see surface.h. */
#include "viz/surface.h"

#ifdef MRCNN_WITH_CAIRO

void mr_surface_from_image(cairo_surface_t *surface, const mrcnn_image *image) {
    unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    const uint8_t *from = image->pixels;
    for (int32_t y = 0; y < image->height; y++) {
        uint32_t *to = (uint32_t *)(void *)(data + (size_t)y * stride);
        for (int32_t x = 0; x < image->width; x++, from += 3)
            to[x] = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    }
    cairo_surface_mark_dirty(surface);
}

void mr_surface_to_image(mrcnn_image *image, cairo_surface_t *surface) {
    cairo_surface_flush(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    uint8_t *to = image->pixels;
    for (int32_t y = 0; y < image->height; y++) {
        const uint32_t *from = (const uint32_t *)(const void *)(data + (size_t)y * stride);
        for (int32_t x = 0; x < image->width; x++, to += 3) {
            to[0] = (uint8_t)(from[x] >> 16);
            to[1] = (uint8_t)(from[x] >> 8);
            to[2] = (uint8_t)from[x];
        }
    }
}

#endif
