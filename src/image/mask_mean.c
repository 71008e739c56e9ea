/* mask_mean.c - what several views made of one object, brought to one grid to be averaged before anything is
 * thresholded. */
#include "image/mask.h"

#include <math.h>

/* Where sample `index` of one grid lies in the other one, along an axis: the sample at or before it, and
 * how far behind that. */
static int place(double *weight, int index, int side, const double to[4], const double from[4],
                 int axis) {
    double length = to[2 + axis] - to[axis], other = from[2 + axis] - from[axis];
    double pixel = to[axis] + length * index / (side - 1);
    double position = other > 0 ? (pixel - from[axis]) / other * (side - 1) : index;
    double nearest = rint(position);
    /* The same grid, turned and turned back: rounding must not blend neighbours. */
    if (fabs(position - nearest) < 1e-9) position = nearest;
    double before = floor(position);
    *weight = position - before;
    return before < -1 ? -2 : before > side ? side : (int)before;
}

static double sample(const float *small, int side, int y, int x) {
    return y < 0 || x < 0 || y >= side || x >= side ? 0 : small[y * side + x];
}

void mr_add_mask(float *mask, const double to[4], const float *small, const double from[4],
                 int side, double weight) {
    for (int row = 0; row < side; row++) {
        double below, right;
        int y = place(&below, row, side, to, from, 0);
        for (int column = 0; column < side; column++) {
            int x = place(&right, column, side, to, from, 1);
            double upper =
                sample(small, side, y, x) * (1 - right) + sample(small, side, y, x + 1) * right;
            double lower = sample(small, side, y + 1, x) * (1 - right) +
                           sample(small, side, y + 1, x + 1) * right;
            *mask++ += (float)(weight * (upper * (1 - below) + lower * below));
        }
    }
}
