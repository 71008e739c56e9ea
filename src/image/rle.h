/* rle.h - building run lengths front to back. Equal neighbours join, so that every mask has one
 * encoding, COCO's: it begins with a run of zeros (of length 0 if the first pixel is set). */
#ifndef MR_IMAGE_RLE_H
#define MR_IMAGE_RLE_H

#include <mrcnn/mrcnn.h>

typedef struct mr_rle {
    uint32_t *counts;
    size_t count, room;
    int failed; /* memory was short: everything appended since is lost */
} mr_rle;

/* `length` pixels of `value` (0 or 1). */
void mr_rle_append(mr_rle *rle, int value, uint64_t length);

/* Makes the mask of what was appended, or frees it and reports that memory was short. */
mrcnn_status mr_rle_finish(mr_rle *rle, mrcnn_mask *mask, int32_t height, int32_t width,
                           mrcnn_error *err);

/* Run lengths are 32 bits: refuses a picture in which one might not fit. */
mrcnn_status mr_rle_check_size(int32_t height, int32_t width, mrcnn_error *err);

#endif
