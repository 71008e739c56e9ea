/* stretch.h - IMAGE_STRETCH: a picture's own darkest and brightest values become 0 and 255, so that a
 * network needn't learn every exposure. Cellpose and others prepare microscopy this way. */
#ifndef MR_IMAGE_STRETCH_H
#define MR_IMAGE_STRETCH_H

#include "config/config.h"
#include "image/resize.h"

/* What each value becomes: linear between the two percentiles of all values in all channels, so that
 * colours keep their hue. The span is at least 8 levels, lest an empty picture become noise. */
void mr_stretch_table(const mrcnn_image *image, const mr_floats *percentiles, uint8_t table[256]);

/* Each value becomes what the table says. */
void mr_stretch_by(mrcnn_image *image, const uint8_t table[256]);

/* In place; nothing without percentiles. */
void mr_stretch(mrcnn_image *image, const mr_floats *percentiles);

/* mr_resize_image of the stretched picture. */
mrcnn_status mr_stretch_and_resize(const mrcnn_image *image, const mr_fit *fit,
                                   const mr_settings *settings, uint8_t *out, int threads,
                                   mrcnn_error *err);

/* What detection does with a picture: mr_fit_and_mold of the stretched one, with MEAN_PIXEL. */
mrcnn_status mr_stretch_and_mold(const mrcnn_image *image, const mr_fit *fit,
                                 const mr_settings *settings, float *out, int threads,
                                 mrcnn_error *err);

#endif
