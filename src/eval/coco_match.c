/* coco_match.c - which detections find which objects, in one picture. */
#include "eval/coco.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Objects from `low` to `high` pixels count, both included. */
typedef struct area_range {
    double low, high;
} area_range;

static const area_range area_ranges[MR_COCO_AREAS] = {
    {0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}};

static int lies_outside(double area, int range) {
    return area < area_ranges[range].low || area > area_ranges[range].high;
}

/* numpy.linspace(0.5, 0.95, 10), rounding included. */
double mr_coco_threshold(int index) {
    double step = (0.95 - 0.5) / (MR_COCO_THRESHOLDS - 1);
    return index == MR_COCO_THRESHOLDS - 1 ? 0.95 : index * step + 0.5;
}

/* What one picture needs; each array is for as many items as the picture has. */
typedef struct work {
    const mr_coco_item **detections; /* by class, by falling score */
    const mr_coco_item **objects;    /* by class */
    double *overlaps;                /* a row for each detection of the class at hand */
    size_t *order;                   /* the class's objects, those that are ignored last */
    uint8_t *ignored, *taken;        /* its objects */
} work;

/* The part of a picture that is about one class. */
typedef struct group {
    const mr_coco_item **detections, **objects;
    size_t detection_count, object_count;
} group;

static void free_work(work *w) {
    free(w->detections);
    free(w->objects);
    free(w->overlaps);
    free(w->order);
    free(w->ignored);
    free(w->taken);
}

static mrcnn_status make_work(work *w, size_t objects, size_t detections, size_t most,
                              mrcnn_error *err) {
    size_t rows = detections < most ? detections : most, cells = SIZE_MAX;
    memset(w, 0, sizeof *w);
    w->detections = mr_calloc(detections, sizeof *w->detections);
    w->objects = mr_calloc(objects, sizeof *w->objects);
    if (mr_mul_size(rows, objects, &cells)) w->overlaps = mr_calloc(cells, sizeof *w->overlaps);
    w->order = mr_calloc(objects, sizeof *w->order);
    w->ignored = mr_calloc(objects, 1);
    w->taken = mr_calloc(objects, 1);
    if (w->detections && w->objects && w->overlaps && w->order && w->ignored && w->taken)
        return MRCNN_OK;
    free_work(w);
    return mr_fail_memory(err, cells, "matching a picture");
}

/* Both lists lie in one array, so that equal items stay in order by their addresses. */
static int compare_items(const void *a, const void *b) {
    const mr_coco_item *x = *(const mr_coco_item *const *)a, *y = *(const mr_coco_item *const *)b;
    if (x->class_id != y->class_id) return x->class_id < y->class_id ? -1 : 1;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void sort_items(const mr_coco_item **sorted, const mr_coco_item *items, size_t count) {
    for (size_t i = 0; i < count; i++) sorted[i] = &items[i];
    if (count) qsort(sorted, count, sizeof(const mr_coco_item *), compare_items);
}

/* ----------------------------------------------------------------------------------- one class */

static void find_overlaps(work *w, const group *g, mr_coco_kind kind) {
    for (size_t i = 0; i < g->detection_count; i++)
        for (size_t k = 0; k < g->object_count; k++)
            w->overlaps[i * g->object_count + k] =
                mr_coco_overlap(kind, g->detections[i], g->objects[k]);
}

static void order_objects(work *w, const group *g, mr_coco_kind kind, int range) {
    size_t next = 0;
    for (size_t k = 0; k < g->object_count; k++)
        w->ignored[k] =
            g->objects[k]->is_crowd || lies_outside(g->objects[k]->area[kind], range) ? 1 : 0;
    for (uint8_t ignored = 0; ignored < 2; ignored++)
        for (size_t k = 0; k < g->object_count; k++)
            if (w->ignored[k] == ignored) w->order[next++] = k;
}

/* The best object for a detection, SIZE_MAX for none: one that counts before one that is ignored, and
 * of equal overlaps the last. Crowds can be taken again and again. */
static size_t best_object(const work *w, const group *g, size_t detection, double threshold) {
    const double *overlaps = w->overlaps + detection * g->object_count;
    double best = fmin(threshold, 1 - 1e-10);
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < g->object_count; i++) {
        size_t k = w->order[i];
        if (w->taken[k] && !g->objects[k]->is_crowd) continue;
        if (found != SIZE_MAX && !w->ignored[found] && w->ignored[k]) break;
        if (overlaps[k] < best) continue;
        best = overlaps[k];
        found = k;
    }
    return found;
}

static void match(work *w, const group *g, mr_coco_kind kind, int range,
                  mr_coco_detection *detections) {
    order_objects(w, g, kind, range);
    for (int t = 0; t < MR_COCO_THRESHOLDS; t++) {
        uint16_t bit = (uint16_t)(1u << t);
        memset(w->taken, 0, g->object_count);
        for (size_t i = 0; i < g->detection_count; i++) {
            mr_coco_outcome *outcome = &detections[i].outcomes[kind][range];
            size_t k = best_object(w, g, i, mr_coco_threshold(t));
            int ignored =
                k == SIZE_MAX ? lies_outside(g->detections[i]->area[kind], range) : w->ignored[k];
            if (ignored) outcome->ignored |= bit;
            if (k == SIZE_MAX) continue;
            outcome->matched |= bit;
            w->taken[k] = 1;
        }
    }
}

static void match_class(const mr_coco *coco, work *w, const group *g, uint32_t picture,
                        mr_coco_detection *detections) {
    int kinds = coco->boxes_only ? 1 : MR_COCO_KINDS;
    for (size_t i = 0; i < g->detection_count; i++)
        detections[i] = (mr_coco_detection){.score = g->detections[i]->score,
                                            .picture = picture,
                                            .class_id = g->detections[i]->class_id,
                                            .rank = (int)i};
    for (int kind = 0; kind < kinds; kind++) {
        find_overlaps(w, g, (mr_coco_kind)kind);
        for (int range = 0; range < MR_COCO_AREAS; range++)
            match(w, g, (mr_coco_kind)kind, range, detections);
    }
}

/* --------------------------------------------------------------------------------- one picture */

static size_t length_of_class(const mr_coco_item **items, size_t count, int32_t class_id) {
    size_t length = 0;
    while (length < count && items[length]->class_id == class_id) length++;
    return length;
}

static void match_picture(mr_coco *coco, work *w, uint32_t picture, size_t object_count,
                          size_t detection_count) {
    size_t o = 0, d = 0, most = (size_t)coco->most;
    while (d < detection_count) {
        int32_t class_id = w->detections[d]->class_id;
        while (o < object_count && w->objects[o]->class_id < class_id) o++;
        group g = {w->detections + d, w->objects + o, 0, 0};
        size_t found = length_of_class(g.detections, detection_count - d, class_id);
        g.detection_count = found < most ? found : most;
        g.object_count = length_of_class(g.objects, object_count - o, class_id);
        match_class(coco, w, &g, picture, coco->detections + coco->count);
        coco->count += g.detection_count;
        d += found;
    }
}

static void count_objects(mr_coco *coco, const mr_coco_item *objects, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (int range = 0; range < MR_COCO_AREAS; range++)
            if (!objects[i].is_crowd && !lies_outside(objects[i].area[MR_COCO_SEGM], range))
                coco->classes[objects[i].class_id].objects[range]++;
}

static mrcnn_status make_room(mr_coco *coco, size_t more, mrcnn_error *err) {
    size_t needed;
    if (!mr_add_size(coco->count, more, &needed)) return mr_fail_memory(err, SIZE_MAX, "matches");
    if (needed <= coco->room) return MRCNN_OK;
    size_t room = needed < coco->room * 2 ? coco->room * 2 : needed;
    mr_coco_detection *larger = mr_realloc(coco->detections, room, sizeof *larger);
    if (!larger) return mr_fail_memory(err, room * sizeof *larger, "matches");
    coco->detections = larger;
    coco->room = room;
    return MRCNN_OK;
}

mrcnn_status mr_coco_add(mr_coco *coco, uint32_t picture, const mr_coco_item *objects,
                         size_t object_count, const mr_coco_item *detections,
                         size_t detection_count, mrcnn_error *err) {
    work w;
    mrcnn_status status = make_room(coco, detection_count, err);
    if (status == MRCNN_OK)
        status = make_work(&w, object_count, detection_count, (size_t)coco->most, err);
    if (status != MRCNN_OK) return status;
    sort_items(w.objects, objects, object_count);
    sort_items(w.detections, detections, detection_count);
    match_picture(coco, &w, picture, object_count, detection_count);
    count_objects(coco, objects, object_count);
    free_work(&w);
    return MRCNN_OK;
}

mrcnn_status mr_coco_merge(mr_coco *coco, const mr_coco *other, mrcnn_error *err) {
    mrcnn_status status = make_room(coco, other->count, err);
    if (status != MRCNN_OK) return status;
    if (other->count)
        memcpy(coco->detections + coco->count, other->detections,
               other->count * sizeof *other->detections);
    coco->count += other->count;
    for (int id = 1; id < coco->class_count; id++)
        for (int range = 0; range < MR_COCO_AREAS; range++)
            coco->classes[id].objects[range] += other->classes[id].objects[range];
    return MRCNN_OK;
}

void mr_coco_free(mr_coco *coco) {
    free(coco->classes);
    free(coco->detections);
    memset(coco, 0, sizeof *coco);
}
