/* mini_mask.h - masks of objects at a small fixed size (N54), and the tight boxes around masks
 * (N51). Masks are bytes of 0 or 1. */
#ifndef MR_DATA_MINI_MASK_H
#define MR_DATA_MINI_MASK_H

#include <mrcnn/mrcnn.h>

/* The tight box y1 x1 y2 x2 of a height x width mask, y2 and x2 exclusive; all zero and the result
 * 0 when the mask is empty. */
int mr_bytes_box(const uint8_t *mask, int height, int width, int32_t box[4]);

/* minimize_mask: the box cut out of a mask whose rows have `width` bytes, resized bilinearly (N3) to
 * rows x columns, rounded half to even: 0.5 gives 0. The box lies inside the mask; an empty one is
 * an error. */
mrcnn_status mr_minimize_mask(const uint8_t *mask, int width, const int32_t box[4], uint8_t *mini,
                              int rows, int columns, mrcnn_error *err);

/* expand_mask: the way back. Writes the box's pixels of a mask whose rows have `width` bytes, and
 * no others. */
mrcnn_status mr_expand_mask(const uint8_t *mini, int rows, int columns, uint8_t *mask, int width,
                            const int32_t box[4], mrcnn_error *err);

#endif
