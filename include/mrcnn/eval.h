/* eval.h - how good detections are: COCO's figures, curves, confusion of classes, and matterport's own
 * measures of one picture. The rules of mrcnn.h hold. */
#ifndef MRCNN_EVAL_H
#define MRCNN_EVAL_H

#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* COCO's twelve figures, equal to those of pycocotools to the last bit; each from 0 to 1, or -1 when
 * it is about no object at all. Small objects have up to 32 x 32 pixels, large ones 96 x 96 or more. */
typedef struct mrcnn_figures {
    double ap;   /* average precision, mean over classes and IoU thresholds 0.50, 0.55, ... 0.95 */
    double ap50; /* at IoU 0.50 */
    double ap75;
    double ap_small, ap_medium, ap_large;
    /* Average recall with so many detections of a class in a picture; ar100: with max_detections. */
    double ar1, ar10, ar100;
    double ar_small, ar_medium, ar_large; /* like ar100 */
} mrcnn_figures;

/* The score from which on detections give the best F1 of a class, at IoU 0.50 and for objects of all
 * sizes. All 0 when no detection is right, all -1 when there is no object. */
typedef struct mrcnn_best_f1 {
    double f1; /* 2 * precision * recall / (precision + recall) */
    double score;
    double precision, recall; /* of the detections with at least that score */
} mrcnn_best_f1;

typedef struct mrcnn_class_figures {
    size_t objects; /* crowds are not counted */
    double bbox_ap, bbox_ap50;
    double segm_ap, segm_ap50;
    double bbox_ap75, segm_ap75;
    mrcnn_best_f1 bbox_best, segm_best;
} mrcnn_class_figures;

/* Precision over recall, read off as COCO does: at recall 0, 0.01, ... 1, the best precision at that
 * recall or a higher one, and the score of the detection that reaches the recall. Both are 0 where no
 * detection does. */
enum { MRCNN_RECALLS = 101 };
typedef struct mrcnn_curve {
    double precision[MRCNN_RECALLS];
    double score[MRCNN_RECALLS];
} mrcnn_curve;

typedef struct mrcnn_curves {
    mrcnn_curve at50, at75; /* IoU 0.50, 0.75 */
    mrcnn_curve mean;       /* over IoU 0.50, 0.55, ... 0.95 */
} mrcnn_curves;

typedef struct mrcnn_class_curves {
    const mrcnn_curves *bbox, *segm; /* NULL: no objects, or not measured */
} mrcnn_class_curves;

typedef struct mrcnn_report {
    mrcnn_figures bbox; /* IoU of boxes */
    mrcnn_figures segm; /* IoU of masks */
    /* What matterport's notebooks call mAP (compute_ap, N66 and N67): precision over recall in one
     * picture at a time, all classes together, by IoU of masks; the mean over pictures. At IoU 0.5,
     * and the mean over 0.50, 0.55, ... 0.95 (compute_ap_range, N68). -1 without objects. Crowds, and
     * objects without a pixel, are no objects here. */
    double picture_map50, picture_map;
    size_t pictures, objects, crowds, detections;
    size_t pictures_left_out; /* by mrcnn_evaluate: they can't be read */
    int class_count;
    const mrcnn_class_figures *classes; /* class_count rows; that of the background says nothing */
    const mrcnn_class_curves *curves; /* class_count rows; the first one is the mean over classes */
    int max_detections;               /* of a class in a picture: 100 unless somebody chose */
    int boxes_only; /* there were no masks: segm, picture_map50 and picture_map are -1 */
    /* Which class was found where which class is, of detections with at least confusion_score: rows
     * are the objects' classes, columns the detections', class_count of each. By falling score, each
     * detection takes the object, of any class, that it covers best with an IoU of 0.50 or more (of
     * masks, or of boxes if there are no masks). Objects that nobody took stand in column 0,
     * detections that took none in row 0; those in a crowd of their class are left out. NULL when
     * there are more than 2,000 classes. */
    const size_t *confusion;
    double confusion_score;
} mrcnn_report;

MRCNN_API void mrcnn_report_free(mrcnn_report **report);

/* Compares what was found with what is there, picture by picture. Used by one thread at a time.
 * Memory: some 60 bytes a detection; no mask is kept. */
typedef struct mrcnn_evaluation mrcnn_evaluation;

/* An object that is there. */
typedef struct mrcnn_truth {
    int32_t class_id; /* 1 .. class count - 1 */
    int is_crowd;     /* any number of objects: a detection in it counts neither for nor against */
    double x, y, width, height; /* its box, in pixels, as COCO's files have it */
    double area;                /* in pixels; says whether it is small, medium or large */
    mrcnn_mask mask;            /* of the picture's size; stays the caller's */
} mrcnn_truth;

MRCNN_API mrcnn_status mrcnn_evaluation_create(mrcnn_evaluation **evaluation, int class_count,
                                               mrcnn_error *err);

/* Adds a picture. Of equal scores the detection that comes first counts as the better one. Of each
 * class the 100 best detections count, or as many as mrcnn_evaluation_configure says. A detection is as
 * large as its box for `bbox`, and as its mask for `segm`. */
MRCNN_API mrcnn_status mrcnn_evaluation_add(mrcnn_evaluation *evaluation, const mrcnn_truth *truths,
                                            size_t count, const mrcnn_result *found,
                                            mrcnn_error *err);

/* The figures of the pictures so far. Free them with mrcnn_report_free. */
MRCNN_API mrcnn_status mrcnn_evaluation_report(const mrcnn_evaluation *evaluation,
                                               mrcnn_report **report, mrcnn_error *err);
MRCNN_API void mrcnn_evaluation_free(mrcnn_evaluation **evaluation);

typedef struct mrcnn_evaluate_options {
    size_t size;
    size_t limit; /* look at the first so many pictures only; 0: at all of them */
    /* Called before each picture (mrcnn_evaluate_results: now and then). Return non-zero to stop. May be
     * NULL. */
    int (*progress)(void *user, size_t done, size_t total);
    /* Called for a picture that can't be read, with what is wrong: it is left out, and counted in the
     * report. NULL: such a picture is an error. */
    void (*left_out)(void *user, const char *message);
    void *user;
    int max_detections; /* of a class in a picture that count, 11 or more (default 100, as COCO's) */
    double confusion_score; /* of detections in the confusion matrix, at least (default 0.7) */
    int threads; /* of mrcnn_evaluate_results; 0: one per core. They don't change a figure */
} mrcnn_evaluate_options;

MRCNN_API mrcnn_evaluate_options mrcnn_evaluate_options_default(void);

/* Takes max_detections and confusion_score; before the first picture is added. */
MRCNN_API mrcnn_status mrcnn_evaluation_configure(mrcnn_evaluation *evaluation,
                                                  const mrcnn_evaluate_options *options,
                                                  mrcnn_error *err);

/* Detects objects in the pictures of a data set and compares. The set must have the model's classes:
 * open it with their names. Make the model with DETECTION_MIN_CONFIDENCE 0, as COCO's figures need
 * the unsure detections too. Boxes and areas of objects are those that a COCO file gives, as in
 * pycocotools; in other formats they are measured in the picture's own pixels, and objects without any
 * are left out. `options` may be NULL. */
MRCNN_API mrcnn_status mrcnn_evaluate(mrcnn_session *session, const mrcnn_dataset *set,
                                      const mrcnn_evaluate_options *options, mrcnn_report **report,
                                      mrcnn_error *err);

/* Compares a file of detections in COCO's format of results, a list of
 *
 *     {"image_id": 139, "category_id": 1, "score": 0.98, "bbox": [x, y, width, height],
 *      "segmentation": {"size": [height, width], "counts": "..."}}
 *
 * with a data set. A segmentation is run lengths, as COCO's string or as numbers, or polygons. As in
 * pycocotools the first entry decides: with a bbox, all have one, and a detection is as large as its
 * box; without, as its mask, and boxes are drawn round masks. If it has no segmentation there are
 * figures for boxes alone. "file_name" and "category_name" win over the ids where they are given.
 * image_id is COCO's id of an image, or in other formats the number that the picture's file name is;
 * category_id is the source's (mrcnn_dataset_source_class). An entry about a picture or a class that
 * the set doesn't have is an error. Open the set with keep_empty, and with keep_missing if its pictures
 * needn't be there.
 *
 * Memory: some 150 bytes a detection, whatever its mask. `options` may be NULL. */
MRCNN_API mrcnn_status mrcnn_evaluate_results(const mrcnn_dataset *set, const char *path,
                                              const mrcnn_evaluate_options *options,
                                              mrcnn_report **report, mrcnn_error *err);

/* matterport's own measures of one picture, by their names in utils.py and to the same bits (NUMERICS
 * N66 to N69). `truth` is what is there, as mrcnn_dataset_sample gives it; leave crowds out, as
 * matterport does. Masks of a picture have one size. */

/* IoU of each of masks1 with each of masks2: overlaps has a row of count2 numbers for each of
 * masks1. NaN where both are empty. */
MRCNN_API mrcnn_status mrcnn_compute_overlaps_masks(const mrcnn_mask *masks1, size_t count1,
                                                    const mrcnn_mask *masks2, size_t count2,
                                                    float *overlaps, mrcnn_error *err);

typedef struct mrcnn_matches {
    size_t truth_count, found_count;
    const size_t *order;        /* detections by falling score, as places in found->instances */
    const int32_t *found_match; /* of each detection in that order its object; -1: none */
    const int32_t *truth_match; /* of each object its detection, counted in that order; -1: none */
    const float *overlaps;      /* found_count rows, in that order, of truth_count IoUs of masks */
} mrcnn_matches;

/* By falling score, each detection takes the object of its class that it covers best and nobody took,
 * if their IoU is iou_threshold or more (and score_threshold or more: it, too, is compared with the
 * IoU). Free the matches with mrcnn_matches_free. */
MRCNN_API mrcnn_status mrcnn_compute_matches(const mrcnn_result *truth, const mrcnn_result *found,
                                             double iou_threshold, double score_threshold,
                                             mrcnn_matches **matches, mrcnn_error *err);
MRCNN_API void mrcnn_matches_free(mrcnn_matches **matches);

/* Average precision in one picture, all classes together. precisions and recalls, which may be NULL,
 * have room for found->count + 2 numbers: the curve, with matterport's ends. *ap is NaN when there are
 * detections and no object. */
MRCNN_API mrcnn_status mrcnn_compute_ap(const mrcnn_result *truth, const mrcnn_result *found,
                                        double iou_threshold, double *ap, double *precisions,
                                        double *recalls, mrcnn_error *err);

/* The mean over `count` thresholds; NULL: over 0.50, 0.55, ... 0.95. */
MRCNN_API mrcnn_status mrcnn_compute_ap_range(const mrcnn_result *truth, const mrcnn_result *found,
                                              const double *iou_thresholds, size_t count,
                                              double *ap, mrcnn_error *err);

/* The share of objects that are some box's best one, with an IoU of `iou` or more. Boxes are y1, x1,
 * y2, x2. positive_ids, which may be NULL, has room for pred_count numbers and gets the boxes that
 * reach it, *positive_count of them (which may be NULL, too). */
MRCNN_API mrcnn_status mrcnn_compute_recall(const double *pred_boxes, size_t pred_count,
                                            const double *gt_boxes, size_t gt_count, double iou,
                                            double *recall, size_t *positive_ids,
                                            size_t *positive_count, mrcnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
