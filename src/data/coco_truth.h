/* coco_truth.h - what a COCO file says of its images and objects besides their masks: ids, sizes, boxes
 * and areas. Evaluation goes by these, as pycocotools does; the data set itself doesn't keep them. */
#ifndef MR_DATA_COCO_TRUTH_H
#define MR_DATA_COCO_TRUTH_H

#include "data/coco_ids.h"
#include "data/dataset.h"

typedef struct mr_coco_measure {
    double box[4]; /* x, y, width, height; NaN: not said, or no sensible numbers */
    double area;   /* NaN likewise */
} mr_coco_measure;

/* Start with {0}. */
typedef struct mr_coco_truth {
    mr_coco_ids ids;
    mr_coco_key *images; /* by id; index: the picture's in the set */
    size_t image_count, image_room;
    mr_coco_key *categories; /* by id; index: the class of the set */
    size_t category_count, category_room;
    int32_t (*sizes)[2];       /* height and width of each picture of the set; 0: not said */
    uint32_t *ranks;           /* of each picture among all, by image id */
    mr_coco_measure *measures; /* of each annotation, in the file's order */
    size_t measure_count, measure_room;
} mr_coco_truth;

/* Reads the file of a set in COCO's format. Free it in any case. */
mrcnn_status mr_coco_truth_read(mr_coco_truth *truth, const mr_dataset *set, mrcnn_error *err);
void mr_coco_truth_free(mr_coco_truth *truth);

#endif
