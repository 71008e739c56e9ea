/* picture_ap.h - what matterport's notebooks call mAP: average precision in one picture, all classes
 * together (N66 to N68). Overlaps and recalls are of single precision, as matterport's. */
#ifndef MR_EVAL_PICTURE_AP_H
#define MR_EVAL_PICTURE_AP_H

#include "eval/coco.h"

/* Detections are numbered by falling score; of equal ones the last comes first, as numpy's argsort,
 * turned round, has it. */
typedef struct mr_picture_match {
    const mr_coco_item *const *objects, *const *detections; /* as given */
    size_t object_count, detection_count;
    size_t *order;   /* where each detection stands as given */
    float *overlaps; /* a row for each detection; NaN where two empty masks meet */
    int32_t *object_match, *detection_match; /* each other's numbers, -1 for none */
    double *precisions, *recalls;            /* detection_count + 2 */
    double *terms;
} mr_picture_match;

/* Sorts and measures. The lists stay the caller's and must live as long. Free the match in any case. */
mrcnn_status mr_picture_match_make(mr_picture_match *match, const mr_coco_item *const *objects,
                                   size_t object_count, const mr_coco_item *const *detections,
                                   size_t detection_count, mrcnn_error *err);
void mr_picture_match_free(mr_picture_match *match);

/* compute_matches (N66): fills object_match and detection_match. */
void mr_picture_match_at(mr_picture_match *match, double iou_threshold, double score_threshold);

/* compute_ap (N67), of the matches at hand: fills precisions and recalls. */
double mr_picture_ap(mr_picture_match *match);

/* compute_ap_range's threshold i, 0 to 9 (N68): numpy.arange(0.5, 1.0, 0.05). */
double mr_picture_threshold(int i);

/* compute_overlaps_masks of one pair. */
float mr_picture_overlap(const mr_coco_item *a, const mr_coco_item *b);

#endif
