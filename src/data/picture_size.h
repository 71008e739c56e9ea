/* picture_size.h - a picture's size without decoding it. */
#ifndef MR_DATA_PICTURE_SIZE_H
#define MR_DATA_PICTURE_SIZE_H

#include <mrcnn/mrcnn.h>

/* The size that mrcnn_image_read would give, EXIF orientation included, from the headers of the
 * file. Files whose headers or end look odd are decoded, which tells what is wrong with them. */
mrcnn_status mr_picture_size(const char *path, int32_t *height, int32_t *width, mrcnn_error *err);

/* The same where the picture must also be one that `options` can read: whether it has the channels,
 * and an array the values, that are wanted. JPEG and PNG give grey and RGB whatever they are; for
 * anything else the file is decoded. */
mrcnn_status mr_picture_check(const char *path, const mrcnn_image_options *options, int32_t *height,
                              int32_t *width, mrcnn_error *err);

#endif
