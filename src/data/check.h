/* check.h - what check.c and check_object.c share. */
#ifndef MR_DATA_CHECK_H
#define MR_DATA_CHECK_H

#include "data/dataset.h"

/* Measurements of one kind, for their median. */
typedef struct mr_measures {
    double *values;
    size_t count;
} mr_measures;

enum {
    MR_PICTURE_HEIGHT,
    MR_PICTURE_WIDTH,
    MR_OBJECT_HEIGHT,
    MR_OBJECT_WIDTH,
    MR_OBJECTS,
    MR_MEASURES
};

typedef struct mr_checker {
    const mr_dataset *set;
    mrcnn_dataset_check_options options;
    mrcnn_dataset_summary *sum;
    size_t *class_objects, *class_pictures;
    mr_measures measures[MR_MEASURES];
    uint8_t *mask;
    size_t mask_room;
    mrcnn_error *err;
} mr_checker;

/* Counts a problem and hands it to the caller. */
mrcnn_status mr_check_report(mr_checker *c, int is_error, const char *picture, int64_t object,
                             const char *text);

void mr_check_measure(mr_checker *c, int kind, double value);

/* Object k of a picture: reports what is wrong with it; counts and measures it when it can be used.
 * c->mask has room for one mask. seen: a byte for each class, set for the object's. */
mrcnn_status mr_check_object(mr_checker *c, mr_masks *masks, size_t k, uint8_t *seen);

#endif
