/* blur.h - Gaussian blur of pictures of bytes. */
#ifndef MR_IMAGE_BLUR_H
#define MR_IMAGE_BLUR_H

#include <mrcnn/mrcnn.h>

/* Blurs `pixels`, height x width x channels bytes, in place; `scratch` has their size and is
 * overwritten. Weights reach three sigmas; beyond the edges the picture is reflected, its outermost
 * pixels twice (scipy's "reflect"). A sigma below 0.2 changes nothing along its axis. */
mrcnn_status mr_blur(uint8_t *pixels, uint8_t *scratch, int height, int width, int channels,
                     double sigma_x, double sigma_y, mrcnn_error *err);

#endif
