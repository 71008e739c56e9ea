/* evaluation.h - inside an evaluation, for those who add pictures in other ways than
 * mrcnn_evaluation_add. */
#ifndef MR_EVAL_EVALUATION_H
#define MR_EVAL_EVALUATION_H

#include "eval/coco.h"
#include "eval/confusion.h"

/* matterport's figures of a picture with objects. */
typedef struct mr_picture_figures {
    uint32_t picture; /* its place in the order of pictures */
    double ap50, ap_range;
} mr_picture_figures;

struct mrcnn_evaluation {
    mr_coco coco;
    mr_confusion confusion;
    mr_picture_figures *figures;
    size_t figure_count, figure_room;
    size_t pictures, objects, crowds, detections;
};

/* What is wrong with a picture's file is the caller's to judge; short memory is not. */
int mr_may_be_left_out(mrcnn_status status, const mrcnn_evaluate_options *options);

/* What there is in a picture, and what was found. */
typedef struct mr_picture_items {
    int32_t height, width;
    mr_coco_item *objects, *detections;
    size_t object_count, detection_count;
} mr_picture_items;

mr_coco_item mr_item_of_truth(const mrcnn_truth *truth);

/* Checks the items, fills in what follows from their masks, and compares. `picture` tells which of two
 * detections with equal scores comes first. */
mrcnn_status mr_evaluation_add(mrcnn_evaluation *e, uint32_t picture, mr_picture_items *items,
                               mrcnn_error *err);

/* mrcnn_evaluation_add with a picture's place. */
mrcnn_status mr_evaluation_add_result(mrcnn_evaluation *e, uint32_t picture,
                                      const mrcnn_truth *truths, size_t count,
                                      const mrcnn_result *found, mrcnn_error *err);

/* Adds what another evaluation, alike in classes and options, has seen of other pictures. */
mrcnn_status mr_evaluation_merge(mrcnn_evaluation *e, const mrcnn_evaluation *other,
                                 mrcnn_error *err);

#endif
