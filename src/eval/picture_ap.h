/* picture_ap.h - what matterport's notebooks call mAP: average precision in one picture. */
#ifndef MR_EVAL_PICTURE_AP_H
#define MR_EVAL_PICTURE_AP_H

#include "eval/coco.h"

/* ap[i] is the average precision at mr_coco_threshold(i), over all classes together (N66, N67).
 * There is at least one object; crowds are left out by the caller. */
mrcnn_status mr_picture_ap(const mr_coco_item *objects, size_t object_count,
                           const mr_coco_item *detections, size_t detection_count,
                           double ap[MR_COCO_THRESHOLDS], mrcnn_error *err);

#endif
