/* picture_ap.c - see picture_ap.h. */
#include "eval/picture_ap.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/numpy_sum.h"
#include "image/mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct sort_key {
    double score;
    size_t index;
} sort_key;

static int compare_scores(const void *a, const void *b) {
    const sort_key *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->index > y->index ? -1 : x->index < y->index;
}

static int sort_by_score(mr_picture_match *m) {
    sort_key *keys = mr_calloc(m->detection_count, sizeof *keys);
    if (!keys) return 0;
    for (size_t i = 0; i < m->detection_count; i++)
        keys[i] = (sort_key){m->detections[i]->score, i};
    if (m->detection_count) qsort(keys, m->detection_count, sizeof *keys, compare_scores);
    for (size_t i = 0; i < m->detection_count; i++) m->order[i] = keys[i].index;
    free(keys);
    return 1;
}

float mr_picture_overlap(const mr_coco_item *a, const mr_coco_item *b) {
    float both = mr_masks_may_meet(a, b) ? (float)mr_mask_intersection(a->mask, b->mask) : 0;
    float all = (float)a->pixels + (float)b->pixels - both;
    return all == 0 ? NAN : both / all;
}

static void measure(mr_picture_match *m) {
    for (size_t i = 0; i < m->detection_count; i++)
        for (size_t k = 0; k < m->object_count; k++)
            m->overlaps[i * m->object_count + k] =
                mr_picture_overlap(m->detections[m->order[i]], m->objects[k]);
}

mrcnn_status mr_picture_match_make(mr_picture_match *m, const mr_coco_item *const *objects,
                                   size_t object_count, const mr_coco_item *const *detections,
                                   size_t detection_count, mrcnn_error *err) {
    size_t cells = SIZE_MAX, ends;
    *m = (mr_picture_match){.objects = objects,
                            .detections = detections,
                            .object_count = object_count,
                            .detection_count = detection_count};
    if (mr_mul_size(object_count, detection_count, &cells) && object_count < INT32_MAX &&
        detection_count < INT32_MAX && mr_add_size(detection_count, 2, &ends)) {
        m->order = mr_calloc(detection_count, sizeof *m->order);
        m->overlaps = mr_calloc(cells, sizeof *m->overlaps);
        m->object_match = mr_calloc(object_count, sizeof *m->object_match);
        m->detection_match = mr_calloc(detection_count, sizeof *m->detection_match);
        m->precisions = mr_calloc(ends, sizeof(double));
        m->recalls = mr_calloc(ends, sizeof(double));
        m->terms = mr_calloc(ends, sizeof(double));
    }
    if (!m->order || !m->overlaps || !m->object_match || !m->detection_match || !m->precisions ||
        !m->recalls || !m->terms || !sort_by_score(m))
        return mr_fail_memory(err, cells, "matching a picture");
    measure(m);
    return MRCNN_OK;
}

void mr_picture_match_free(mr_picture_match *m) {
    free(m->order);
    free(m->overlaps);
    free(m->object_match);
    free(m->detection_match);
    free(m->precisions);
    free(m->recalls);
    free(m->terms);
    memset(m, 0, sizeof *m);
}

double mr_picture_threshold(int i) {
    const double start = 0.5, second = 0.55;
    return start + i * (second - start);
}

/* The object that a detection takes: of those of its class that are left the one that it covers best,
 * of equals the last. NaN is above all numbers. -1: none. */
static int32_t find_object(const mr_picture_match *m, size_t i, double iou, double score) {
    const float *overlaps = m->overlaps + i * m->object_count;
    int32_t class_id = m->detections[m->order[i]]->class_id, best = -1;
    for (size_t k = 0; k < m->object_count; k++) {
        if (m->object_match[k] >= 0 || m->objects[k]->class_id != class_id) continue;
        if (overlaps[k] < iou || overlaps[k] < score) continue;
        if (best < 0 || isnan(overlaps[k]) || overlaps[k] >= overlaps[best]) best = (int32_t)k;
    }
    return best;
}

void mr_picture_match_at(mr_picture_match *m, double iou_threshold, double score_threshold) {
    for (size_t k = 0; k < m->object_count; k++) m->object_match[k] = -1;
    for (size_t i = 0; i < m->detection_count; i++) {
        int32_t k = find_object(m, i, iou_threshold, score_threshold);
        m->detection_match[i] = k;
        if (k >= 0) m->object_match[k] = (int32_t)i;
    }
}

/* The area below precision over recall, where precision is the best at this recall or a higher one. */
double mr_picture_ap(mr_picture_match *m) {
    size_t count = m->detection_count, hits = 0, terms = 0;
    m->precisions[0] = m->recalls[0] = m->precisions[count + 1] = 0;
    m->recalls[count + 1] = 1;
    for (size_t i = 0; i < count; i++) {
        hits += m->detection_match[i] >= 0;
        m->precisions[i + 1] = (double)hits / (double)(i + 1);
        m->recalls[i + 1] = (float)hits / (float)m->object_count;
    }
    for (size_t i = count + 1; i-- > 0;)
        if (m->precisions[i + 1] > m->precisions[i]) m->precisions[i] = m->precisions[i + 1];
    for (size_t i = 1; i < count + 2; i++)
        if (m->recalls[i] != m->recalls[i - 1])
            m->terms[terms++] = (m->recalls[i] - m->recalls[i - 1]) * m->precisions[i];
    return mr_numpy_sum(m->terms, terms);
}
