/* overlap.c - intersection over union of boxes and of masks. */
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

int mr_masks_may_meet(const mr_coco_item *a, const mr_coco_item *b) {
    const int32_t *p = a->mask_box, *q = b->mask_box;
    return p[0] < q[2] && q[0] < p[2] && p[1] < q[3] && q[1] < p[3];
}

int mr_mask_is_whole(const mrcnn_mask *mask) {
    uint64_t pixels = (uint64_t)mask->height * (uint64_t)mask->width, sum = 0;
    for (size_t i = 0; i < mask->count && sum <= pixels; i++) sum += mask->counts[i];
    return sum == pixels;
}

static double mask_overlap(const mr_coco_item *d, const mr_coco_item *o) {
    if (!mr_masks_may_meet(d, o)) return 0;
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
