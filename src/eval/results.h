/* results.h - a file of detections in COCO's format of results. It is read once for all but masks: these
 * stay in the file until their picture's turn comes, so that a file of any length needs little memory. */
#ifndef MR_EVAL_RESULTS_H
#define MR_EVAL_RESULTS_H

#include "data/coco.h"
#include "eval/coco.h"
#include "eval/lookup.h"

/* An entry. */
typedef struct mr_found {
    double score;
    double box[4];    /* x, y, width, height; NaN: round the mask */
    uint64_t begin;   /* where its segmentation stands */
    uint32_t length;  /* of that; 0: none */
    uint32_t place;   /* in the file's list, from 0 */
    uint32_t picture; /* of the set */
    int32_t class_id;
} mr_found;

typedef struct mr_results {
    mr_coco_file file;
    mr_found *items; /* by picture; those of a picture in the file's order */
    size_t count, room;
    size_t *first; /* of each picture, and behind the last one */
    int has_boxes; /* the first entry has a box: boxes say how large detections are (loadRes) */
    int has_masks;
} mr_results;

/* Close it in any case. The path must live as long. */
mrcnn_status mr_results_open(mr_results *results, const char *path, mr_truth_reader *reader,
                             mrcnn_error *err);
void mr_results_close(mr_results *results);

/* Fills in an item, all but its class and score for a picture of that size; *mask, which belongs to the
 * caller, is where its mask goes, if results->has_masks. Any number of threads may do so. */
mrcnn_status mr_results_item(const mr_results *results, const mr_found *found, int32_t height,
                             int32_t width, mr_coco_item *item, mrcnn_mask *mask, mrcnn_error *err);

#endif
