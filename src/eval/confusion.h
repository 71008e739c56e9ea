/* confusion.h - which class was found where which class is. */
#ifndef MR_EVAL_CONFUSION_H
#define MR_EVAL_CONFUSION_H

#include "eval/coco.h"

typedef struct mr_confusion {
    size_t class_count;
    double score;  /* that a detection needs */
    size_t *cells; /* rows: objects, columns: detections; NULL: too many classes */
} mr_confusion;

mrcnn_status mr_confusion_create(mr_confusion *confusion, int class_count, mrcnn_error *err);

/* Counts a picture, by IoU of boxes or of masks. On failure nothing has changed. */
mrcnn_status mr_confusion_add(mr_confusion *confusion, mr_coco_kind kind,
                              const mr_coco_item *objects, size_t object_count,
                              const mr_coco_item *detections, size_t detection_count,
                              mrcnn_error *err);

#endif
