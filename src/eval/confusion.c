/* confusion.c - see confusion.h; mrcnn_report says how detections find objects. */
#include "eval/confusion.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

static const double least_iou = 0.5;

mrcnn_status mr_confusion_create(mr_confusion *c, int class_count, mrcnn_error *err) {
    enum { MOST_CLASSES = 2001 };
    *c = (mr_confusion){.class_count = (size_t)class_count, .score = 0.7};
    if (class_count > MOST_CLASSES) return MRCNN_OK;
    c->cells = mr_calloc(c->class_count * c->class_count, sizeof *c->cells);
    if (c->cells) return MRCNN_OK;
    return mr_fail_memory(err, c->class_count * c->class_count * sizeof *c->cells, "classes");
}

/* Both lists lie in one array, so that of equal scores the first stays first. */
static int compare_scores(const void *a, const void *b) {
    const mr_coco_item *x = *(const mr_coco_item *const *)a, *y = *(const mr_coco_item *const *)b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x < y ? -1 : x > y;
}

typedef struct work {
    const mr_coco_item **sorted; /* detections that are sure enough */
    uint8_t *taken;              /* objects */
    size_t count;
} work;

/* The free object that the detection covers best; of equals one of its class, else the first. SIZE_MAX:
 * none. */
static size_t find_object(const work *w, mr_coco_kind kind, const mr_coco_item *detection,
                          const mr_coco_item *objects, size_t count) {
    size_t found = SIZE_MAX;
    double best = least_iou;
    for (size_t k = 0; k < count; k++) {
        if (w->taken[k] || objects[k].is_crowd) continue;
        double iou = mr_coco_overlap(kind, detection, &objects[k]);
        int is_better =
            iou > best || (iou == best &&
                           (found == SIZE_MAX || (objects[k].class_id == detection->class_id &&
                                                  objects[found].class_id != detection->class_id)));
        if (!is_better) continue;
        best = iou;
        found = k;
    }
    return found;
}

static int lies_in_crowd(mr_coco_kind kind, const mr_coco_item *detection,
                         const mr_coco_item *objects, size_t count) {
    for (size_t k = 0; k < count; k++)
        if (objects[k].is_crowd && objects[k].class_id == detection->class_id &&
            mr_coco_overlap(kind, detection, &objects[k]) >= least_iou)
            return 1;
    return 0;
}

static void count_picture(mr_confusion *c, work *w, mr_coco_kind kind, const mr_coco_item *objects,
                          size_t object_count) {
    for (size_t i = 0; i < w->count; i++) {
        const mr_coco_item *d = w->sorted[i];
        size_t k = find_object(w, kind, d, objects, object_count), truth = 0;
        if (k == SIZE_MAX && lies_in_crowd(kind, d, objects, object_count)) continue;
        if (k != SIZE_MAX) {
            w->taken[k] = 1;
            truth = (size_t)objects[k].class_id;
        }
        c->cells[truth * c->class_count + (size_t)d->class_id]++;
    }
    for (size_t k = 0; k < object_count; k++)
        if (!w->taken[k] && !objects[k].is_crowd)
            c->cells[(size_t)objects[k].class_id * c->class_count]++;
}

mrcnn_status mr_confusion_add(mr_confusion *c, mr_coco_kind kind, const mr_coco_item *objects,
                              size_t object_count, const mr_coco_item *detections,
                              size_t detection_count, mrcnn_error *err) {
    if (!c->cells) return MRCNN_OK;
    work w = {mr_calloc(detection_count, sizeof *w.sorted), mr_calloc(object_count, 1), 0};
    if (w.sorted && w.taken) {
        for (size_t i = 0; i < detection_count; i++)
            if (detections[i].score >= c->score) w.sorted[w.count++] = &detections[i];
        if (w.count) qsort(w.sorted, w.count, sizeof *w.sorted, compare_scores);
        count_picture(c, &w, kind, objects, object_count);
    }
    int ready = w.sorted && w.taken;
    free(w.sorted);
    free(w.taken);
    return ready ? MRCNN_OK : mr_fail_memory(err, detection_count * sizeof *w.sorted, "a picture");
}
