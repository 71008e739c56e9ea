/* check.h - what must hold before anything is drawn: pictures with pixels, results of the same
 * size, and masks whose runs cover exactly their picture. After these checks the walkers of this
 * room trust what they are given, so a hostile result can't make them write outside. */
#ifndef MR_VIZ_CHECK_H
#define MR_VIZ_CHECK_H

#include "base/error.h"

/* The mask's sides are not negative and its counts sum to height * width. `who` begins the
 * message ("instance 3"). */
mrcnn_status mr_check_mask(const mrcnn_mask *mask, const char *who, mrcnn_error *err);

/* The picture has pixels, and 1 to 16 channels. */
mrcnn_status mr_check_picture(const mrcnn_image *image, mrcnn_error *err);

/* `image` is RGB with pixels, `result` is of its size, each of its masks is sound, and `out` is
 * neither NULL nor `image` itself. */
mrcnn_status mr_check_drawing(const mrcnn_image *out, const mrcnn_image *image,
                              const mrcnn_result *result, mrcnn_error *err);

#endif
