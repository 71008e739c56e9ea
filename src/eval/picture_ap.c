/* picture_ap.c - see picture_ap.h. Overlaps and recalls are of single precision, as matterport's. */
#include "eval/picture_ap.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct work {
    const mr_coco_item **sorted; /* detections by falling score */
    float *overlaps;             /* a row for each of them */
    uint8_t *taken;              /* objects */
    double *recalls, *precisions;
} work;

static void free_work(work *w) {
    free(w->sorted);
    free(w->overlaps);
    free(w->taken);
    free(w->recalls);
    free(w->precisions);
}

static mrcnn_status make_work(work *w, size_t objects, size_t detections, mrcnn_error *err) {
    size_t cells = SIZE_MAX;
    memset(w, 0, sizeof *w);
    w->sorted = mr_calloc(detections, sizeof *w->sorted);
    if (mr_mul_size(objects, detections, &cells)) w->overlaps = mr_calloc(cells, sizeof(float));
    w->taken = mr_calloc(objects, 1);
    w->recalls = mr_calloc(detections, sizeof(double));
    w->precisions = mr_calloc(detections, sizeof(double));
    if (w->sorted && w->overlaps && w->taken && w->recalls && w->precisions) return MRCNN_OK;
    free_work(w);
    return mr_fail_memory(err, cells, "matching a picture");
}

static int compare_scores(const void *a, const void *b) {
    const mr_coco_item *x = *(const mr_coco_item *const *)a, *y = *(const mr_coco_item *const *)b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x < y ? -1 : x > y;
}

static float overlap(const mr_coco_item *a, const mr_coco_item *b) {
    float both = (float)mr_mask_intersection(a->mask, b->mask);
    float all = (float)a->area[MR_COCO_SEGM] + (float)mrcnn_mask_area(b->mask) - both;
    return all > 0 ? both / all : 0;
}

/* Does the detection find an object of its class? It takes the one that it covers best, of those that
 * are left (N66). */
static int find_object(work *w, const float *overlaps, const mr_coco_item *detection,
                       const mr_coco_item *objects, size_t count, double threshold) {
    size_t best = SIZE_MAX;
    for (size_t k = 0; k < count; k++) {
        int fits = objects[k].class_id == detection->class_id && !w->taken[k];
        if (!fits || overlaps[k] < threshold) continue;
        if (best == SIZE_MAX || overlaps[k] >= overlaps[best]) best = k;
    }
    if (best == SIZE_MAX) return 0;
    w->taken[best] = 1;
    return 1;
}

/* The area below precision over recall, where precision is the best at this recall or a higher one
 * (N67). */
static double area_below(work *w, size_t count) {
    double area = 0, before = 0;
    for (size_t i = count; i-- > 1;)
        if (w->precisions[i] > w->precisions[i - 1]) w->precisions[i - 1] = w->precisions[i];
    for (size_t i = 0; i < count; i++) {
        area += (w->recalls[i] - before) * w->precisions[i];
        before = w->recalls[i];
    }
    return area;
}

mrcnn_status mr_picture_ap(const mr_coco_item *objects, size_t object_count,
                           const mr_coco_item *detections, size_t detection_count,
                           double ap[MR_COCO_THRESHOLDS], mrcnn_error *err) {
    work w;
    mrcnn_status status = make_work(&w, object_count, detection_count, err);
    if (status != MRCNN_OK) return status;
    for (size_t i = 0; i < detection_count; i++) w.sorted[i] = &detections[i];
    if (detection_count) qsort(w.sorted, detection_count, sizeof *w.sorted, compare_scores);
    for (size_t i = 0; i < detection_count; i++)
        for (size_t k = 0; k < object_count; k++)
            w.overlaps[i * object_count + k] = overlap(w.sorted[i], &objects[k]);
    for (int t = 0; t < MR_COCO_THRESHOLDS; t++) {
        size_t hits = 0;
        memset(w.taken, 0, object_count);
        for (size_t i = 0; i < detection_count; i++) {
            hits += (size_t)find_object(&w, w.overlaps + i * object_count, w.sorted[i], objects,
                                        object_count, mr_coco_threshold(t));
            w.precisions[i] = (double)hits / (double)(i + 1);
            w.recalls[i] = (float)hits / (float)object_count;
        }
        ap[t] = area_below(&w, detection_count);
    }
    free_work(&w);
    return MRCNN_OK;
}
