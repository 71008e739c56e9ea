/* soft_nms.c - Soft-NMS (Bodla, Singh, Chellappa, Davis: Soft-NMS - improving object detection with one
 * line of code, ICCV 2017, figure 2): a box that overlaps a better one loses score instead of its
 * life. */
#include "model/boxes.h"

#include <math.h>

static float smaller(float a, float b) {
    return a < b ? a : b;
}

static float larger(float a, float b) {
    return a > b ? a : b;
}

/* Whichever corner comes first; 0 with a box that has no area: such boxes neither take nor lose, as in
 * mr_nms_sorted. NaN where a corner is. */
static float overlap(const float a[4], const float b[4]) {
    float ay1 = smaller(a[0], a[2]), ax1 = smaller(a[1], a[3]);
    float ay2 = larger(a[0], a[2]), ax2 = larger(a[1], a[3]);
    float by1 = smaller(b[0], b[2]), bx1 = smaller(b[1], b[3]);
    float by2 = larger(b[0], b[2]), bx2 = larger(b[1], b[3]);
    float area_a = (ay2 - ay1) * (ax2 - ax1), area_b = (by2 - by1) * (bx2 - bx1);
    if (area_a <= 0 || area_b <= 0) return 0;
    float h = larger(smaller(ay2, by2) - larger(ay1, by1), 0.0f);
    float w = larger(smaller(ax2, bx2) - larger(ax1, bx1), 0.0f);
    return h * w / (area_a + area_b - h * w);
}

/* The paper's two functions. A comparison with NaN is false: what can't be compared loses nothing. */
static float factor(const mr_soft_nms *how, float iou) {
    if (how->is_gaussian) return iou > 0 ? expf(-iou * iou / how->sigma) : 1;
    return iou > how->threshold ? larger(1 - iou, 0.0f) : 1;
}

/* The best of those left, of equal ones the first; `count` when none is left. */
static size_t find_best(const float *scores, const int32_t *left, size_t count) {
    size_t best = count;
    for (size_t i = 0; i < count; i++)
        if (left[i] && (best == count || scores[i] > scores[best])) best = i;
    return best;
}

static void decay(const float *boxes, float *scores, size_t count, const mr_soft_nms *how,
                  size_t taken, int32_t *left, const mr_nms_record *record) {
    for (size_t i = 0; i < count; i++) {
        if (!left[i]) continue;
        float iou = overlap(boxes + 4 * i, boxes + 4 * taken), by = factor(how, iou);
        if (!(by < 1)) continue;
        scores[i] *= by;
        if (scores[i] >= how->minimum) continue;
        left[i] = 0;
        if (!record) continue;
        record->by[i] = (int32_t)taken;
        record->iou[i] = iou;
    }
}

size_t mr_nms_soft(const float *boxes, float *scores, size_t count, const mr_soft_nms *how,
                   size_t max_keep, int32_t *keep, int32_t *left, const mr_nms_record *record) {
    size_t kept = 0, best = 0;
    for (size_t i = 0; i < count; i++) {
        left[i] = 1;
        if (!record) continue;
        record->by[i] = MR_NMS_BEYOND;
        record->iou[i] = 0;
    }
    while (kept < max_keep && (best = find_best(scores, left, count)) < count) {
        left[best] = 0;
        if (record) record->by[best] = MR_NMS_KEPT;
        keep[kept++] = (int32_t)best;
        decay(boxes, scores, count, how, best, left, record);
    }
    return kept;
}
