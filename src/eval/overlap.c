/* overlap.c - intersection over union of boxes and of masks. Masks are compared run by run: no bitmap
 * is made. */
#include "eval/coco.h"

#include "image/mask.h"

#include <math.h>

static double box_overlap(const mr_coco_item *d, const mr_coco_item *o) {
    double width = fmin(d->width + d->x, o->width + o->x) - fmax(d->x, o->x);
    double height = fmin(d->height + d->y, o->height + o->y) - fmax(d->y, o->y);
    if (!(width > 0) || !(height > 0)) return 0;
    double both = width * height, found = d->width * d->height;
    return both / (o->is_crowd ? found : found + o->width * o->height - both);
}

/* Where a walk over a mask's runs stands. Runs with odd indices lie inside. */
typedef struct runs {
    const mrcnn_mask *mask;
    size_t index;
    uint32_t left; /* pixels of this run */
} runs;

/* Goes on to a run that is not empty; 0 at the end. */
static int next_run(runs *r) {
    while (r->left == 0) {
        if (++r->index >= r->mask->count) return 0;
        r->left = r->mask->counts[r->index];
    }
    return 1;
}

static runs first_run(const mrcnn_mask *mask) {
    runs r = {mask, 0, mask->count ? mask->counts[0] : 0};
    return r;
}

uint64_t mr_mask_intersection(const mrcnn_mask *a, const mrcnn_mask *b) {
    uint64_t both = 0;
    runs x = first_run(a), y = first_run(b);
    while (next_run(&x) && next_run(&y)) {
        uint32_t step = x.left < y.left ? x.left : y.left;
        if (x.index % 2 && y.index % 2) both += step;
        x.left -= step;
        y.left -= step;
    }
    return both;
}

static int boxes_meet(const int32_t a[4], const int32_t b[4]) {
    return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

static double mask_overlap(const mr_coco_item *d, const mr_coco_item *o) {
    if (!boxes_meet(d->mask_box, o->mask_box)) return 0;
    uint64_t both = mr_mask_intersection(d->mask, o->mask);
    if (both == 0) return 0;
    uint64_t all = o->is_crowd ? d->pixels : d->pixels + o->pixels - both;
    return (double)both / (double)all;
}

double mr_coco_overlap(mr_coco_kind kind, const mr_coco_item *detection,
                       const mr_coco_item *object) {
    return kind == MR_COCO_BBOX ? box_overlap(detection, object) : mask_overlap(detection, object);
}

void mr_coco_look_at_mask(mr_coco_item *item) {
    item->pixels = (uint64_t)mrcnn_mask_area(item->mask);
    mr_mask_box(item->mask, item->mask_box);
}
