/* compute.c - matterport's measures of one picture as mrcnn.h offers them: compute_overlaps_masks,
 * compute_matches, compute_ap, compute_ap_range, compute_recall. */
#include "eval/picture_ap.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/numpy_sum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------- masks */

static mrcnn_status check_mask(const mrcnn_mask *mask, int32_t height, int32_t width,
                               mrcnn_error *err) {
    if (mask->height != height || mask->width != width)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "comparing masks: one has %d x %d pixels, another %d x %d", mask->width,
                       mask->height, width, height);
    if (mr_mask_is_whole(mask)) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT,
                   "comparing masks: the runs of one don't add up to its %d x %d pixels", width,
                   height);
}

/* Items of masks, and pointers to them behind; malloc'ed in one piece. */
typedef struct item_list {
    mr_coco_item *items;
    const mr_coco_item **pointers;
    size_t count;
} item_list;

static mrcnn_status make_list(item_list *list, size_t count, mrcnn_error *err) {
    *list = (item_list){mr_calloc(count, sizeof *list->items),
                        mr_calloc(count, sizeof *list->pointers), count};
    if (!list->items || !list->pointers)
        return mr_fail_memory(err, count * sizeof *list->items, "masks");
    for (size_t i = 0; i < count; i++) list->pointers[i] = &list->items[i];
    return MRCNN_OK;
}

static void free_list(item_list *list) {
    free(list->items);
    free(list->pointers);
}

static mrcnn_status add_mask(mr_coco_item *item, const mrcnn_mask *mask, const mrcnn_mask *first,
                             mrcnn_error *err) {
    mrcnn_status status = check_mask(mask, first->height, first->width, err);
    item->mask = mask;
    if (status == MRCNN_OK) mr_coco_look_at_mask(item);
    return status;
}

static mrcnn_status list_masks(item_list *list, const mrcnn_mask *masks, size_t count,
                               const mrcnn_mask *first, mrcnn_error *err) {
    mrcnn_status status = make_list(list, count, err);
    for (size_t i = 0; i < count && status == MRCNN_OK; i++)
        status = add_mask(&list->items[i], &masks[i], first, err);
    return status;
}

mrcnn_status mrcnn_compute_overlaps_masks(const mrcnn_mask *masks1, size_t count1,
                                          const mrcnn_mask *masks2, size_t count2, float *overlaps,
                                          mrcnn_error *err) {
    item_list a = {0}, b = {0};
    if (count1 == 0 || count2 == 0) return MRCNN_OK;
    mrcnn_status status = list_masks(&a, masks1, count1, masks1, err);
    if (status == MRCNN_OK) status = list_masks(&b, masks2, count2, masks1, err);
    for (size_t i = 0; i < count1 && status == MRCNN_OK; i++)
        for (size_t k = 0; k < count2; k++)
            overlaps[i * count2 + k] = mr_picture_overlap(&a.items[i], &b.items[k]);
    free_list(&a);
    free_list(&b);
    return status;
}

/* -------------------------------------------------------------------------------------- matches */

/* A picture's objects and detections, matched. */
typedef struct comparison {
    item_list truth, found;
    mr_picture_match match;
} comparison;

static mrcnn_status list_result(item_list *list, const mrcnn_result *result,
                                const mrcnn_mask *first, mrcnn_error *err) {
    mrcnn_status status = make_list(list, result->count, err);
    for (size_t i = 0; i < result->count && status == MRCNN_OK; i++) {
        const mrcnn_instance *it = &result->instances[i];
        list->items[i].class_id = it->class_id;
        list->items[i].score = (double)it->score;
        if (!isfinite(it->score))
            return mr_fail(err, MRCNN_E_ARGUMENT, "instance %zu: its score is no number", i);
        status = add_mask(&list->items[i], &it->mask, first, err);
    }
    return status;
}

static mrcnn_status open_comparison(comparison *c, const mrcnn_result *truth,
                                    const mrcnn_result *found, mrcnn_error *err) {
    *c = (comparison){0};
    if (!truth || !found)
        return mr_fail(err, MRCNN_E_ARGUMENT, "comparing a picture: %s is NULL",
                       truth ? "found" : "truth");
    const mrcnn_result *any = truth->count ? truth : found;
    const mrcnn_mask *first = any->count ? &any->instances[0].mask : NULL;
    mrcnn_status status = list_result(&c->truth, truth, first, err);
    if (status == MRCNN_OK) status = list_result(&c->found, found, first, err);
    if (status == MRCNN_OK)
        status = mr_picture_match_make(&c->match, c->truth.pointers, truth->count,
                                       c->found.pointers, found->count, err);
    return status;
}

static void close_comparison(comparison *c) {
    mr_picture_match_free(&c->match);
    free_list(&c->truth);
    free_list(&c->found);
}

mrcnn_status mrcnn_compute_matches(const mrcnn_result *truth, const mrcnn_result *found,
                                   double iou_threshold, double score_threshold,
                                   mrcnn_matches **matches, mrcnn_error *err) {
    comparison c;
    mrcnn_matches *made = mr_calloc(1, sizeof *made);
    mrcnn_status status = made ? open_comparison(&c, truth, found, err)
                               : mr_fail_memory(err, sizeof *made, "matches");
    if (status == MRCNN_OK) {
        mr_picture_match *m = &c.match;
        mr_picture_match_at(m, iou_threshold, score_threshold);
        *made = (mrcnn_matches){truth->count,       found->count,    m->order,
                                m->detection_match, m->object_match, m->overlaps};
        m->order = NULL;
        m->detection_match = m->object_match = NULL;
        m->overlaps = NULL;
        *matches = made;
    } else {
        free(made);
    }
    if (made) close_comparison(&c);
    return status;
}

void mrcnn_matches_free(mrcnn_matches **matches) {
    if (!matches || !*matches) return;
    free((void *)(*matches)->order);
    free((void *)(*matches)->found_match);
    free((void *)(*matches)->truth_match);
    free((void *)(*matches)->overlaps);
    free(*matches);
    *matches = NULL;
}

/* ----------------------------------------------------------------------------- average precision */

mrcnn_status mrcnn_compute_ap(const mrcnn_result *truth, const mrcnn_result *found,
                              double iou_threshold, double *ap, double *precisions, double *recalls,
                              mrcnn_error *err) {
    comparison c;
    mrcnn_status status = open_comparison(&c, truth, found, err);
    if (status == MRCNN_OK) {
        size_t bytes = (found->count + 2) * sizeof(double);
        mr_picture_match_at(&c.match, iou_threshold, 0);
        *ap = mr_picture_ap(&c.match);
        if (precisions) memcpy(precisions, c.match.precisions, bytes);
        if (recalls) memcpy(recalls, c.match.recalls, bytes);
    }
    close_comparison(&c);
    return status;
}

mrcnn_status mrcnn_compute_ap_range(const mrcnn_result *truth, const mrcnn_result *found,
                                    const double *iou_thresholds, size_t count, double *ap,
                                    mrcnn_error *err) {
    comparison c;
    if (!iou_thresholds) count = MR_COCO_THRESHOLDS;
    if (count == 0) return mr_fail(err, MRCNN_E_ARGUMENT, "average precision at no threshold");
    double *values = mr_calloc(count, sizeof *values);
    if (!values) return mr_fail_memory(err, count * sizeof *values, "average precision");
    mrcnn_status status = open_comparison(&c, truth, found, err);
    for (size_t i = 0; i < count && status == MRCNN_OK; i++) {
        double iou = iou_thresholds ? iou_thresholds[i] : mr_picture_threshold((int)i);
        mr_picture_match_at(&c.match, iou, 0);
        values[i] = mr_picture_ap(&c.match);
    }
    if (status == MRCNN_OK) *ap = mr_numpy_mean(values, count);
    close_comparison(&c);
    free(values);
    return status;
}

/* --------------------------------------------------------------------------------------- recall */

/* compute_iou; NaN of two boxes without an area. */
static double box_iou(const double *a, const double *b) {
    double height = fmax(fmin(a[2], b[2]) - fmax(a[0], b[0]), 0);
    double width = fmax(fmin(a[3], b[3]) - fmax(a[1], b[1]), 0);
    double both = height * width;
    double area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
    return both / (area_a + area_b - both);
}

mrcnn_status mrcnn_compute_recall(const double *pred_boxes, size_t pred_count,
                                  const double *gt_boxes, size_t gt_count, double iou,
                                  double *recall, size_t *positive_ids, size_t *positive_count,
                                  mrcnn_error *err) {
    enum { SIDES = 4 };
    size_t positives = 0, met = 0;
    uint8_t *seen = mr_calloc(gt_count, 1);
    if (!seen) return mr_fail_memory(err, gt_count, "recall");
    for (size_t i = 0; i < pred_count && gt_count; i++) {
        double best = -1;
        size_t found = 0;
        for (size_t k = 0; k < gt_count && !isnan(best); k++) {
            double one = box_iou(pred_boxes + SIDES * i, gt_boxes + SIDES * k);
            if (one <= best) continue;
            best = one; /* NaN is the largest of all, and below no threshold: numpy's max */
            found = k;
        }
        if (!(best >= iou)) continue;
        if (positive_ids) positive_ids[positives] = i;
        positives++;
        met += !seen[found];
        seen[found] = 1;
    }
    free(seen);
    *recall = (double)met / (double)gt_count;
    if (positive_count) *positive_count = positives;
    return MRCNN_OK;
}
