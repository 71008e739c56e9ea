/* shrink.h - pictures made smaller (or larger) to be looked at. What the network sees is resized by
 * resize.h. */
#ifndef MR_IMAGE_SHRINK_H
#define MR_IMAGE_SHRINK_H

#include <mrcnn/mrcnn.h>

/* Each pixel of `out` is the mean of the area that it covers in `image`, whose channels it has; free it
 * with mrcnn_image_free. */
mrcnn_status mr_shrink(mrcnn_image *out, const mrcnn_image *image, int32_t height, int32_t width,
                       mrcnn_error *err);

#endif
