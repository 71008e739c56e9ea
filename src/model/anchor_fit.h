/* anchor_fit.h - how well anchors fit the boxes of a data set, and which ones would fit better. Knows
 * boxes in the network's input, not where they come from. */
#ifndef MR_MODEL_ANCHOR_FIT_H
#define MR_MODEL_ANCHOR_FIT_H

#include "config/config.h"

/* A box in the network's input, whose size says where the grid of anchors ends. */
typedef struct mr_fit_box {
    double y, x, height, width; /* centre and sides */
    int input_height, input_width;
} mr_fit_box;

/* The IoU of the box with the best one of all anchors (N7-N9): on each level that at the place nearest
 * to the box's centre, as all anchors of a level and a ratio are of one size. */
double mr_best_anchor(const mr_settings *settings, const mr_fit_box *box);

/* Recall by size of the boxes: small (below 32 x 32 pixels of the input), medium, large (96 x 96 and
 * more), all. */
void mr_anchor_recall(const mr_settings *settings, const mr_fit_box *boxes, size_t count,
                      mrcnn_anchor_recall recall[MRCNN_ANCHOR_SIZES]);

/* Looks for better scales and ratios, as many as there are, and puts them into `found`, a copy of
 * `settings` apart from that. Returns 1 when their recall is clearly higher and at neither IoU lower;
 * else 0, and `found` is as `settings`. Depends on nothing but its arguments. */
int mr_fit_anchors(const mr_settings *settings, const mr_fit_box *boxes, size_t count,
                   mr_settings *found);

#endif
