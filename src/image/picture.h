/* picture.h - what other rooms need of pictures beyond the public interface: the options to read them
 * with, and other channels than they have. */
#ifndef MR_IMAGE_PICTURE_H
#define MR_IMAGE_PICTURE_H

#include <mrcnn/mrcnn.h>

/* The options with defaults for what the caller leaves out (NULL: for all), once they make sense. */
mrcnn_status mr_image_take_options(mrcnn_image_options *taken, const mrcnn_image_options *given,
                                   mrcnn_error *err);

/* From the channels that there are to those that are wanted: grey to RGB by copying, RGB to grey by
 * luma, alpha and what is like it left out. Channels that there are not can't be made up: whether it
 * is possible, and doing it. */
mrcnn_status mr_image_check_channels(int have, int wanted, const char *name, mrcnn_error *err);
mrcnn_status mr_image_convert(mrcnn_image *image, int wanted, const char *name, mrcnn_error *err);

/* To look at: height * width * 3 bytes, grey copied to R, G and B, or the first three channels. */
void mr_copy_as_rgb(uint8_t *rgb, const mrcnn_image *image);

#endif
