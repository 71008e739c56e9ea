/* mask.h - masks as run lengths, and from the mask head's small floats straight into run lengths:
 * no height x width buffer is ever made (NUMERICS N39, N40). */
#ifndef MR_IMAGE_MASK_H
#define MR_IMAGE_MASK_H

#include "config/config.h"

/* Resizes `small` (rows x columns probabilities, row-major) to the box, thresholds at >= 0.5 and
 * encodes the result as the mask of a height x width picture. The box lies inside the picture and
 * is not empty. MR_MASK_MATTERPORT: the rule of N3 with zeros outside, borders eroded as
 * matterport's; MR_MASK_EXACT: edges replicated. MR_MASK_SUBPIXEL: the samples are not shared out over
 * the box but are where the network took them: `samples` are the first row's y, the first column's x, the
 * last row's and the last column's, in pixels of the picture, 0 the centre of the first; other modes don't
 * read them. */
mrcnn_status mr_unmold_mask(mrcnn_mask *mask, const float *small, int rows, int columns,
                            const int32_t box[4], const double samples[4], int height, int width,
                            mr_mask_resize mode, mrcnn_error *err);

/* Tight box of the mask, y2 and x2 exclusive; all zero for an empty mask. */
void mr_mask_box(const mrcnn_mask *mask, int32_t box[4]);

/* What the mask head said at the places `from` (side x side; the first row's y, the first column's x, the
 * last row's and the last column's), sampled at the places `to` with zeros outside, times `weight`, is
 * added to `mask`. At the same places nothing is sampled. */
void mr_add_mask(float *mask, const double to[4], const float *small, const double from[4],
                 int side, double weight);

/* How many pixels two masks of one size share. */
uint64_t mr_mask_intersection(const mrcnn_mask *a, const mrcnn_mask *b);

/* How many pixels it has in a box that is inside the picture. */
uint64_t mr_mask_area_in(const mrcnn_mask *mask, const int32_t box[4]);

/* The pixels of either; of one size. */
mrcnn_status mr_mask_unite(mrcnn_mask *both, const mrcnn_mask *a, const mrcnn_mask *b,
                           mrcnn_error *err);

#endif
