/* mask.h - masks as run lengths, and from the mask head's small floats straight into run lengths:
 * no height x width buffer is ever made (NUMERICS N39, N40). */
#ifndef MR_IMAGE_MASK_H
#define MR_IMAGE_MASK_H

#include "config/config.h"

/* Resizes `small` (rows x columns probabilities, row-major) to the box, thresholds at >= 0.5 and
 * encodes the result as the mask of a height x width picture. The box lies inside the picture and
 * is not empty. MR_MASK_MATTERPORT: the rule of N3 with zeros outside, borders eroded as
 * matterport's; MR_MASK_EXACT: edges replicated. */
mrcnn_status mr_unmold_mask(mrcnn_mask *mask, const float *small, int rows, int columns,
                            const int32_t box[4], int height, int width, mr_mask_resize mode,
                            mrcnn_error *err);

/* Tight box of the mask, y2 and x2 exclusive; all zero for an empty mask. */
void mr_mask_box(const mrcnn_mask *mask, int32_t box[4]);

/* What the mask head said of the box `small_box` (side x side), sampled (N3, zeros outside) where the
 * cells of a mask of `box` lie, times `weight`, is added to that mask. The same box: nothing is
 * sampled. Neither is empty. */
void mr_add_mask(float *mask, const int32_t box[4], const float *small, const int32_t small_box[4],
                 int side, double weight);

/* How many pixels two masks of one size share. */
uint64_t mr_mask_intersection(const mrcnn_mask *a, const mrcnn_mask *b);

/* How many pixels it has in a box that is inside the picture. */
uint64_t mr_mask_area_in(const mrcnn_mask *mask, const int32_t box[4]);

/* The pixels of either; of one size. */
mrcnn_status mr_mask_unite(mrcnn_mask *both, const mrcnn_mask *a, const mrcnn_mask *b,
                           mrcnn_error *err);

#endif
