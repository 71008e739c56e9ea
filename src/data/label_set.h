/* label_set.h - what the formats labels and voc have in common: an object is the pixels with one
 * number in a label file. The number is the object's `region`, its numbers are the box of those
 * pixels, and set->own is an mr_label_set. */
#ifndef MR_DATA_LABEL_SET_H
#define MR_DATA_LABEL_SET_H

#include "data/dataset.h"
#include "data/label_scan.h"

/* How the label file of a picture is called: what its name (without .jpg) ends in, and what stands
 * there instead. */
typedef struct mr_label_ending {
    const char *picture, *labels;
} mr_label_ending;

typedef struct mr_label_set {
    char *folder;                   /* of the label files */
    const mr_label_ending *endings; /* the last one has NULLs */
} mr_label_set;

/* Makes set->own; takes over `folder`, also after an error. */
mrcnn_status mr_label_set_make(mr_dataset *set, char *folder, const mr_label_ending *endings,
                               mrcnn_error *err);

/* The label file of a picture: *path is malloc'ed, or NULL when there is none. */
mrcnn_status mr_label_find(const mr_label_set *own, const char *id, char **path, mrcnn_error *err);

/* The job's picture, without objects; the job's path becomes the set's. When it can't be used, it is
 * left out and that is noted; *added says which. */
mrcnn_status mr_label_add_picture(mr_dataset *set, mr_label_job *job, int *added, mrcnn_error *err);
/* An object of the last picture. `name`: its class, as in mr_object. */
mrcnn_status mr_label_add_object(mr_dataset *set, const mr_count *count, int name, int is_crowd,
                                 mrcnn_error *err);

/* mr_dataset_finish for classes that come in the order of a list: their ids are their places in it.
 * An error when no picture remains. */
mrcnn_status mr_label_finish(mr_dataset *set, const char *const *classes, size_t count,
                             const mrcnn_dataset_options *options, mrcnn_error *err);

/* Entries of the format's row. */
void mr_label_close(mr_dataset *set);
mrcnn_status mr_label_open_masks(mr_masks *masks, mrcnn_error *err);
void mr_label_close_masks(mr_masks *masks);
mrcnn_status mr_label_draw(const mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                           mrcnn_error *err);
void mr_label_about(const mr_dataset *set, size_t index, size_t object, mr_about_object *about);

#endif
