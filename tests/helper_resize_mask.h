/* helper_resize_mask.h - mr_resize_mask of a mask of bytes: only its box goes in, as bits. */
#ifndef HELPER_RESIZE_MASK_H
#define HELPER_RESIZE_MASK_H

#include "data/mini_mask.h"
#include "image/resize.h"

#include <stdlib.h>

static inline mrcnn_status resize_bytes(const uint8_t *mask, const mr_fit *fit, uint8_t *out) {
    mr_patch patch = {{0, 0, 0, 0}, NULL};
    int width = fit->original_width;
    uint8_t *bits = calloc(mr_bits_size(fit->original_height, width) + 1, 1);
    if (!bits) return MRCNN_E_MEMORY;
    if (!mr_bytes_box(mask, fit->original_height, width, patch.box))
        for (int i = 0; i < 4; i++) patch.box[i] = 0;
    int columns = patch.box[3] - patch.box[1];
    for (int y = patch.box[0]; y < patch.box[2]; y++)
        mr_bits_pack(mask + (size_t)y * (size_t)width + patch.box[1], 1, columns,
                     bits + (size_t)(y - patch.box[0]) * mr_bits_row(columns));
    patch.bits = bits;
    mrcnn_status status = mr_resize_mask(&patch, fit, out, NULL);
    free(bits);
    return status;
}

#endif
