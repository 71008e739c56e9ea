/* coco_read.h - a COCO file between reading its records and knowing what belongs together. */
#ifndef MR_DATA_COCO_READ_H
#define MR_DATA_COCO_READ_H

#include "data/coco.h"
#include "data/coco_ids.h"

/* What is known of an object's segmentation without reading it. */
enum {
    MR_COCO_POLYGONS, /* polygons, if it is JSON at all */
    MR_COCO_UNCLEAR,  /* to be looked at */
    MR_COCO_BOX_ONLY, /* an empty list */
    MR_COCO_NOTHING
};

typedef struct mr_coco_reading {
    mr_coco_index *index;
    mr_dataset *set; /* for notes */
    const mr_coco_file *file;
    mr_coco_ids ids;

    /* Until all is read: the ids of images; of categories; and those that objects name. */
    mr_coco_id *image_ids, *category_ids, *object_images;
    size_t image_room, category_room, object_room;
    mr_coco_key *named_categories; /* by id; `index` is what marks have for them */
    size_t named_count, named_room;

    int section, seen[3], is_twice;
    uint64_t images, categories, annotations; /* records of each kind, usable or not */
} mr_coco_reading;

/* A height or width of an image; 0: it isn't said. */
int32_t mr_coco_read_length(const mr_json *value);

/* Leaves an object out. */
mrcnn_status mr_coco_leave_out(mr_coco_reading *r, const char *picture, int64_t place,
                               const char *text, mrcnn_error *err);

/* Finds the images and categories of all objects; takes out what can't be used. */
mrcnn_status mr_coco_resolve(mr_coco_reading *r, mrcnn_error *err);

#endif
