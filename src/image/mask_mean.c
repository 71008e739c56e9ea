/* mask_mean.c - masks that several views made of one object, brought to one box to be averaged before
 * anything is thresholded. */
#include "image/mask.h"

#include <math.h>

/* Where a cell of one box lies in the other one, along an axis: the sample at or before it, and how far
 * behind that. */
static int place(double *weight, int cell, int side, const int32_t to[4], const int32_t from[4],
                 int axis) {
    double length = (double)to[2 + axis] - to[axis], other = (double)from[2 + axis] - from[axis];
    double pixel = to[axis] + (cell + 0.5) / side * length;
    double position = (pixel - from[axis]) / other * side - 0.5;
    /* Same boxes, same cells: rounding must not blend them with their neighbours. */
    if (to[axis] == from[axis] && to[2 + axis] == from[2 + axis]) position = cell;
    double before = floor(position);
    *weight = position - before;
    return before < -1 ? -2 : before > side ? side : (int)before;
}

static double sample(const float *small, int side, int y, int x) {
    return y < 0 || x < 0 || y >= side || x >= side ? 0 : small[y * side + x];
}

void mr_add_mask(float *mask, const int32_t box[4], const float *small, const int32_t small_box[4],
                 int side, double weight) {
    for (int row = 0; row < side; row++) {
        double below, right;
        int y = place(&below, row, side, box, small_box, 0);
        for (int column = 0; column < side; column++) {
            int x = place(&right, column, side, box, small_box, 1);
            double upper =
                sample(small, side, y, x) * (1 - right) + sample(small, side, y, x + 1) * right;
            double lower = sample(small, side, y + 1, x) * (1 - right) +
                           sample(small, side, y + 1, x + 1) * right;
            *mask++ += (float)(weight * (upper * (1 - below) + lower * below));
        }
    }
}
