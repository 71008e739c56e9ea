/* boxes.h - boxes and anchors: what is done to them, in the precision in which the reference does
 * it. Boxes are y1 x1 y2 x2. */
#ifndef MR_MODEL_BOXES_H
#define MR_MODEL_BOXES_H

#include "config/config.h"

/* N10: pixels to normalised ((box - [0,0,1,1]) / [h-1, w-1, h-1, w-1], rounded to float once) and
 * back (half to even). */
void mr_norm_box(const double box[4], int height, int width, float out[4]);
void mr_denorm_box(const float box[4], int height, int width, int32_t out[4]);

/* IoU of two boxes in whole pixels; 0 when they share none. */
double mr_box_iou(const int32_t a[4], const int32_t b[4]);

/* N15: deltas are dy, dx, log dh, log dw, already times their standard deviations. */
void mr_apply_deltas(const float box[4], const float deltas[4], float out[4]);
/* The inverse, which training needs: deltas that move box onto target. */
void mr_box_refinement(const float box[4], const float target[4], float deltas[4]);
/* N16. */
void mr_clip_box(float box[4], const float window[4]);

/* Intersection over union as overlaps_graph: no guard, 0/0 is NaN. */
float mr_iou(const float a[4], const float b[4]);

/* What became of each box, for those who want to know: two arrays of as many entries as boxes. */
typedef struct mr_nms_record {
    int32_t *by; /* the first kept box that suppressed it, or one of these: */
    float *iou;  /* with that box; else 0 */
} mr_nms_record;
enum { MR_NMS_KEPT = -1, MR_NMS_BEYOND = -2 }; /* beyond: max_keep boxes were kept before it */

/* N14, N17, N18: tf.image.non_max_suppression of boxes that are already in falling order of score.
 * `keep` receives at most max_keep indices; returns how many. work: 5 * max_keep floats. `record` may
 * be NULL. */
size_t mr_nms_sorted(const float *boxes, size_t count, float threshold, size_t max_keep,
                     int32_t *keep, float *work, const mr_nms_record *record);

/* How Soft-NMS takes score away. */
typedef struct mr_soft_nms {
    int is_gaussian; /* times exp(-IoU^2 / sigma); or times 1 - IoU where IoU > threshold */
    float threshold, sigma;
    float minimum; /* a box whose score fell below it is gone */
} mr_soft_nms;

/* Soft-NMS of boxes and their scores: the best is kept, the others lose score by how much they overlap
 * it, and so on. `keep` receives at most max_keep indices by falling score, of equal ones the lower
 * first; `scores` become what is left of them. left: `count` numbers to work in. In a record, `by` is
 * the kept box that took the score below the minimum. Returns how many are kept. */
size_t mr_nms_soft(const float *boxes, float *scores, size_t count, const mr_soft_nms *how,
                   size_t max_keep, int32_t *keep, int32_t *left, const mr_nms_record *record);

/* N12: indices of the k largest scores (all in [0, 1]), falling, ties by lower index. work: `count`
 * 64-bit numbers. Returns min(k, count). */
size_t mr_top_k(const float *scores, size_t count, size_t k, int32_t *indices, uint64_t *work);

/* N7-N9: number of anchors of a picture, and the anchors in pixels (double) or normalised (float),
 * level by level. */
size_t mr_anchor_count(const mr_settings *settings, int height, int width);
/* Cells of a level with anchors, along a side of the picture. */
int mr_anchor_steps(const mr_settings *settings, int level, int side);
void mr_anchors_pixels(const mr_settings *settings, int height, int width, double *anchors);
void mr_anchors_normalized(const mr_settings *settings, int height, int width, float *anchors);

/* N19, N21: pyramid level 2..5 of a normalised box in a picture of `area` pixels. */
int mr_roi_level(const float box[4], double area);

#endif
