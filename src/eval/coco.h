/* coco.h - COCO's evaluation: how detections and objects of one picture match, and the figures that
 * follow from all matches. The algorithm and its rounding are those of pycocotools' COCOeval. */
#ifndef MR_EVAL_COCO_H
#define MR_EVAL_COCO_H

#include <mrcnn/eval.h>

enum {
    MR_COCO_THRESHOLDS = 10, /* of IoU */
    MR_COCO_AREAS = 4,       /* all, small, medium, large */
    MR_COCO_MOST = 100       /* detections of a class in a picture, unless somebody asks for more */
};

typedef enum mr_coco_kind { MR_COCO_BBOX, MR_COCO_SEGM, MR_COCO_KINDS } mr_coco_kind;

/* An object or a detection, as it is compared. */
typedef struct mr_coco_item {
    int32_t class_id;
    int is_crowd;
    double score;
    double x, y, width, height;
    double area[MR_COCO_KINDS];
    const mrcnn_mask *mask; /* NULL: there are boxes alone */
    int32_t mask_box[4];    /* around the mask's pixels: y1, x1, y2, x2 */
    uint64_t pixels;        /* of the mask */
} mr_coco_item;

/* A bit for each threshold: the detection found an object; it counts neither way. */
typedef struct mr_coco_outcome {
    uint16_t matched, ignored;
} mr_coco_outcome;

/* All that is kept of a detection. */
typedef struct mr_coco_detection {
    double score;
    uint32_t picture; /* its place in the order of pictures */
    int32_t class_id;
    int rank; /* among those of its class in its picture, from 0 */
    mr_coco_outcome outcomes[MR_COCO_KINDS][MR_COCO_AREAS];
} mr_coco_detection;

typedef struct mr_coco_class {
    size_t objects[MR_COCO_AREAS]; /* that are to be found */
} mr_coco_class;

/* Everything seen so far. `classes` has class_count entries. */
typedef struct mr_coco {
    int class_count;
    int boxes_only; /* figures of MR_COCO_BBOX alone */
    int most;       /* detections of a class in a picture that count */
    mr_coco_class *classes;
    mr_coco_detection *detections; /* of a picture in one piece, by class, by falling score */
    size_t count, room;
} mr_coco;

/* IoU of a detection and an object; for a crowd, the part of the detection that lies in it. */
double mr_coco_overlap(mr_coco_kind kind, const mr_coco_item *detection,
                       const mr_coco_item *object);

/* Whether their masks' boxes meet: else they share nothing. */
int mr_masks_may_meet(const mr_coco_item *a, const mr_coco_item *b);

/* 1 when the mask's runs add up to its pixels. */
int mr_mask_is_whole(const mrcnn_mask *mask);

/* Fills in what follows from the mask. */
void mr_coco_look_at_mask(mr_coco_item *item);

/* The threshold, 0.50 to 0.95. */
double mr_coco_threshold(int index);

/* Matches a picture. Classes lie in 1 .. class_count - 1, numbers are finite. Of equal scores in
 * different pictures the one with the lower `picture` comes first. On failure nothing has changed. */
mrcnn_status mr_coco_add(mr_coco *coco, uint32_t picture, const mr_coco_item *objects,
                         size_t object_count, const mr_coco_item *detections,
                         size_t detection_count, mrcnn_error *err);

/* Adds what another one has seen, of other pictures. */
mrcnn_status mr_coco_merge(mr_coco *coco, const mr_coco *other, mrcnn_error *err);

/* The figures, those of each class, and curves (class_count rows each; curves[0] is that of all). What
 * `curves` points to is the caller's to free, after a failure too. */
mrcnn_status mr_coco_figures(const mr_coco *coco, mrcnn_figures figures[MR_COCO_KINDS],
                             mrcnn_class_figures *classes, mrcnn_class_curves *curves,
                             mrcnn_error *err);

void mr_coco_free(mr_coco *coco);

#endif
