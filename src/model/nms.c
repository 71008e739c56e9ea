/* nms.c - choosing boxes by score: top-k and greedy non-maximum suppression with TensorFlow's
 * rules. */
#include "model/boxes.h"

#include <stdlib.h>
#include <string.h>

/* Corners sorted (a flipped box is its mirror image) and area, as five arrays, so that one box can
 * be compared with many at once. */
typedef struct kept {
    float *y1, *x1, *y2, *x2, *area;
} kept;

static float smaller(float a, float b) {
    return a < b ? a : b;
}

static float larger(float a, float b) {
    return a > b ? a : b;
}

static float overlap(const kept *k, size_t i, const float b[4], float area) {
    float h = larger(smaller(b[2], k->y2[i]) - larger(b[0], k->y1[i]), 0.0f);
    float w = larger(smaller(b[3], k->x2[i]) - larger(b[1], k->x1[i]), 0.0f);
    float inter = h * w;
    return inter / (area + k->area[i] - inter);
}

enum { BLOCK = 32 };

/* N17: strictly more than the threshold; boxes without area never suppress and are never
 * suppressed. Blocks without a branch inside become vector code. */
static int is_suppressed(const kept *k, size_t count, const float b[4], float area,
                         float threshold) {
    if (area <= 0) return 0;
    for (size_t start = 0; start < count; start += BLOCK) {
        size_t end = start + BLOCK < count ? start + BLOCK : count;
        int hit = 0;
        for (size_t i = start; i < end; i++) {
            float iou = overlap(k, i, b, area);
            hit |= (iou > threshold) & (k->area[i] > 0);
        }
        if (hit) return 1;
    }
    return 0;
}

static void record_suppressed(const mr_nms_record *record, size_t box, const kept *k,
                              const int32_t *keep, const float b[4], float area, float threshold) {
    size_t i = 0;
    while (!(overlap(k, i, b, area) > threshold && k->area[i] > 0)) i++;
    record->by[box] = keep[i];
    record->iou[box] = overlap(k, i, b, area);
}

static void record_as(const mr_nms_record *record, size_t box, int32_t fate) {
    record->by[box] = fate;
    record->iou[box] = 0;
}

size_t mr_nms_sorted(const float *boxes, size_t count, float threshold, size_t max_keep,
                     int32_t *keep, float *work, const mr_nms_record *record) {
    kept k = {work, work + max_keep, work + 2 * max_keep, work + 3 * max_keep, work + 4 * max_keep};
    size_t n = 0, i = 0;
    for (; i < count && n < max_keep; i++) {
        const float *raw = boxes + 4 * i;
        float b[4] = {smaller(raw[0], raw[2]), smaller(raw[1], raw[3]), larger(raw[0], raw[2]),
                      larger(raw[1], raw[3])};
        float area = (b[2] - b[0]) * (b[3] - b[1]);
        if (is_suppressed(&k, n, b, area, threshold)) {
            if (record) record_suppressed(record, i, &k, keep, b, area, threshold);
            continue;
        }
        if (record) record_as(record, i, MR_NMS_KEPT);
        k.y1[n] = b[0];
        k.x1[n] = b[1];
        k.y2[n] = b[2];
        k.x2[n] = b[3];
        k.area[n] = area;
        keep[n++] = (int32_t)i;
    }
    for (; record && i < count; i++) record_as(record, i, MR_NMS_BEYOND);
    return n;
}

/* Sorting these numbers upwards is sorting scores downwards and equal scores by index: bits of
 * non-negative floats are in the floats' order. */
static uint64_t sort_key(float score, size_t index) {
    uint32_t bits;
    if (!(score > 0)) score = 0; /* NaN and -0 too */
    memcpy(&bits, &score, sizeof bits);
    return (uint64_t)~bits << 32 | (uint32_t)index;
}

static int by_key(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Moves the k smallest keys to the front (Hoare's selection, median of three). */
static void select_smallest(uint64_t *v, size_t count, size_t k) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        uint64_t a = v[low], b = v[low + (high - low) / 2], c = v[high];
        uint64_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        size_t i = low, j = high;
        for (;;) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i >= j) break;
            uint64_t swap = v[i];
            v[i++] = v[j];
            v[j--] = swap;
        }
        /* Keys differ by their index part, so pivots are unique and both sides shrink. */
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
}

size_t mr_top_k(const float *scores, size_t count, size_t k, int32_t *indices, uint64_t *work) {
    if (k > count) k = count;
    if (k == 0) return 0;
    for (size_t i = 0; i < count; i++) work[i] = sort_key(scores[i], i);
    if (k < count) select_smallest(work, count, k);
    qsort(work, k, sizeof *work, by_key);
    for (size_t i = 0; i < k; i++) indices[i] = (int32_t)(uint32_t)work[i];
    return k;
}
