/* blend.h - a colour over the pixels of a mask. */
#ifndef MR_VIZ_BLEND_H
#define MR_VIZ_BLEND_H

#include "viz/color.h"

/* matterport's apply_mask, to the last bit. The canvas is RGB and has the size of the mask, which has been
 * checked (mr_check_mask). `rows` is scratch of a word for each row, all zero before and after. */
void mr_blend_mask(mrcnn_image *canvas, const mrcnn_mask *mask, mr_color color, double alpha,
                   uint64_t *rows);

#endif
