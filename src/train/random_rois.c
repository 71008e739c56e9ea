/* random_rois.c - RoIs like those that a network would propose, for looking at targets without one:
 * matterport's generate_random_rois (N63). */
#include "train/target_maker.h"

#include "base/prng.h"

typedef struct draws {
    uint64_t stream, next;
} draws;

/* 0 .. count - 1. */
static int draw(draws *d, int count) {
    return (int)(mr_prng_uniform(d->stream, d->next++) * count);
}

/* Two different whole numbers from low .. high - 1, the smaller one first; each pair is equally likely,
 * as when pairs of equals are drawn again. */
static void draw_pair(draws *d, int low, int high, double *first, double *second) {
    int a = draw(d, high - low), b = draw(d, high - low - 1);
    if (b >= a) b++;
    *first = low + (a < b ? a : b);
    *second = low + (a < b ? b : a);
}

static int larger(int a, int b) {
    return a > b ? a : b;
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* A box inside of an area, which has two pixels a side at least. */
static void draw_box(draws *d, const int32_t area[4], int height, int width, float roi[4]) {
    double box[4];
    draw_pair(d, area[0], area[2], &box[0], &box[2]);
    draw_pair(d, area[1], area[3], &box[1], &box[3]);
    mr_norm_box(box, height, width, roi);
}

void mr_random_rois(float *rois, size_t count, const mr_ground_truth *truth, int height, int width,
                    uint64_t stream) {
    draws d = {stream, 0};
    const int32_t all[4] = {0, 0, height, width};
    size_t objects = (size_t)truth->count, made = 0;
    size_t share = objects ? (size_t)(0.9 * (double)count) / objects : 0;
    for (size_t i = 0; i < objects; i++) {
        const int32_t *b = truth->boxes[i];
        int h = b[2] - b[0], w = b[3] - b[1];
        const int32_t area[4] = {larger(b[0] - h, 0), larger(b[1] - w, 0),
                                 smaller(b[2] + h, height), smaller(b[3] + w, width)};
        for (size_t k = 0; k < share; k++) draw_box(&d, area, height, width, rois + 4 * made++);
    }
    while (made < count) draw_box(&d, all, height, width, rois + 4 * made++);
}
