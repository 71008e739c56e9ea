/* label_scan.h - which objects there are in label files: each is decoded once when a data set is
 * opened, several at a time. For the formats labels and voc. */
#ifndef MR_DATA_LABEL_SCAN_H
#define MR_DATA_LABEL_SCAN_H

#include "data/tally.h"
#include "image/label_png.h"

/* A picture and what its label file says. All but `id` is malloc'ed. */
typedef struct mr_label_job {
    char *path;     /* of the picture; it ends in the id */
    const char *id; /* NULL: there is no picture to scan */
    char *labels;   /* a file: the object of each pixel, 0 for none */
    char *classes;  /* a file: the class of each pixel; NULL: there is none */
    int has_void;   /* 255, and 224 224 192 among colours, stand for "don't ask" (VOC) */

    char *why;              /* it can't be used; else NULL: */
    mr_tally objects;       /* sorted */
    uint32_t *class_values; /* with a file of classes: of most of an object's pixels; 0: of none */
    int classes_are_colors; /* class_values are 0xRRGGBB */
} mr_label_job;

/* Memory that is short is the only error. */
mrcnn_status mr_label_scan(mr_label_job *jobs, size_t count, int64_t max_pixels, mrcnn_error *err);

void mr_label_jobs_free(mr_label_job *jobs, size_t count);

#endif
