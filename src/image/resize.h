/* resize.h - the picture side of the network's input: matterport's four resize modes and mold_image
 * (NUMERICS N1-N6). */
#ifndef MR_IMAGE_RESIZE_H
#define MR_IMAGE_RESIZE_H

#include "config/config.h"
#include "image/bits.h"

/* Where a picture of height x width lands in the network's input. */
typedef struct mr_fit {
    int original_height, original_width;
    int scaled_height, scaled_width; /* after resizing, before padding or cropping (N2) */
    int height, width;               /* of the network's input */
    int window[4];                   /* y1 x1 y2 x2 of the picture inside it (N5) */
    int pad_top, pad_left;
    int crop_y, crop_x; /* crop mode only */
    double scale;
} mr_fit;

/* N1, N2, N5: the geometry alone. crop_y and crop_x start at the centre in crop mode; matterport
 * draws them. */
mrcnn_status mr_fit_image(mr_fit *fit, int height, int width, const mr_settings *settings,
                          mrcnn_error *err);

/* The same for a network that sees pictures larger or smaller by a factor: its input grows with them
 * (to a multiple of 64), but in crop mode. */
mrcnn_status mr_fit_image_at(mr_fit *fit, int height, int width, double factor,
                             const mr_settings *settings, mrcnn_error *err);

/* N3: skimage's bilinear rule without anti-aliasing in double precision: half-pixel centres, zeros
 * outside, clipped to the input's range. `in` is in_h x in_w x channels, `out` out_h x out_w x
 * channels. Single plane versions serve masks. scratch-free; rows are independent. */
mrcnn_status mr_resize_bilinear(const float *in, int in_h, int in_w, int channels, double *out,
                                int out_h, int out_w, mrcnn_error *err);

/* The picture resized, truncated to 8 bits (N4) and zero-padded: height x width x its channels bytes
 * in `out`. */
mrcnn_status mr_resize_image(const mrcnn_image *image, const mr_fit *fit, uint8_t *out, int threads,
                             mrcnn_error *err);

/* N6: nearest with aligned end points (scipy.ndimage.zoom order 0), then the fit's padding or crop.
 * The patch lies in original_height x original_width pixels; out: height x width bytes. */
mrcnn_status mr_resize_mask(const mr_patch *mask, const mr_fit *fit, uint8_t *out,
                            mrcnn_error *err);

/* Subtracts the mean: (float)((double)u8 - mean), NHWC, one mean a channel. count is in pixels. */
void mr_mold_image(const uint8_t *pixels, size_t count, const mr_floats *mean, float *out);

/* mold(resize(image)) in one pass, which is what detection uses: out is height x width x
 * mean->count floats, and the picture must have as many channels. Equal to mr_mold_image(mr_resize_image(...)) bit for bit. */
mrcnn_status mr_fit_and_mold(const mrcnn_image *image, const mr_fit *fit, const mr_floats *mean,
                             float *out, int threads, mrcnn_error *err);

#endif
