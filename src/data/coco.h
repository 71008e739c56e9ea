/* coco.h - the parts of the COCO reader: where the files are, what they say, how masks are drawn.
 *
 * Of each object the reader keeps its class, its box and where its segmentation stands in the file:
 * coordinates, which are most of a COCO file, are read when a mask is drawn. */
#ifndef MR_DATA_COCO_H
#define MR_DATA_COCO_H

#include "data/dataset.h"
#include "data/json.h"

#include <stdio.h>

/* --------------------------------------------------------------------------------- where it lies */

/* An annotation file, a folder with one, or COCO's layout: PATH/annotations/instances_train2017.json.
 * In the last case place->file stays NULL until the year is known. */
mrcnn_status mr_coco_find(mr_place *place, const char *path, const char *subset, mrcnn_error *err);

/* Chooses the annotation file of a layout. */
mrcnn_status mr_coco_choose_file(mr_place *place, const char *subset, const char *year,
                                 mrcnn_error *err);

enum { MR_COCO_FOLDERS = 10 };

/* Folders that may hold the pictures of an annotation file, the likeliest first; only those that
 * exist. Free each. */
typedef struct mr_coco_folders {
    char *paths[MR_COCO_FOLDERS];
    int count;
} mr_coco_folders;

mrcnn_status mr_coco_find_folders(mr_coco_folders *folders, const char *file, mrcnn_error *err);
void mr_coco_folders_free(mr_coco_folders *folders);

/* ------------------------------------------------------------------------------ what a file says */

typedef struct mr_coco_image {
    uint64_t name;         /* where its file name begins in `texts` */
    int32_t height, width; /* 0: not said */
} mr_coco_image;

typedef struct mr_coco_category {
    uint64_t id, name; /* in `texts` */
} mr_coco_category;

/* Where an object's segmentation stands, and its box. */
typedef struct mr_coco_shape {
    uint64_t begin;
    uint32_t length;
    uint32_t place; /* of the annotation in the file's list */
    float box[4];   /* x, y, width, height; NaN: none that can be used */
} mr_coco_shape;

/* What else is known of the same object. */
typedef struct mr_coco_mark {
    uint32_t image;    /* in `images` */
    uint16_t category; /* in `categories` */
    uint8_t is_crowd;
    uint8_t form; /* while the file is read */
} mr_coco_mark;

/* A file without its coordinates: what a cache keeps. */
typedef struct mr_coco_index {
    mr_coco_image *images; /* in the file's order */
    size_t image_count, image_room;
    mr_coco_category *categories; /* by id */
    size_t category_count, category_room;
    mr_coco_shape *shapes; /* in the file's order */
    size_t shape_room;
    mr_coco_mark *marks; /* of each shape */
    size_t mark_room;
    size_t object_count;
    char *texts;
    size_t text_bytes, text_room;
} mr_coco_index;

void mr_coco_index_free(mr_coco_index *index);

/* Appends a text; *at becomes its place. */
mrcnn_status mr_coco_add_text(mr_coco_index *index, const char *text, uint64_t *at,
                              mrcnn_error *err);

/* A file that is open, and how it was then. */
typedef struct mr_coco_file {
    const char *path;
    int descriptor; /* -1: not open */
    int64_t size, seconds, nanoseconds;
} mr_coco_file;

mrcnn_status mr_coco_file_open(mr_coco_file *file, const char *path, mrcnn_error *err);
void mr_coco_file_close(mr_coco_file *file);
/* An error when somebody has changed it since then. */
mrcnn_status mr_coco_file_check(const mr_coco_file *file, mrcnn_error *err);

/* Reads a file; what is wrong with it is noted in the set, as are the objects that are left out. */
mrcnn_status mr_coco_read_index(mr_coco_index *index, mr_dataset *set, const mr_coco_file *file,
                                mrcnn_error *err);

/* The same, from a cache in `folder` if it has this file's, which is kept there otherwise. folder may be
 * NULL: there is no cache. */
mrcnn_status mr_coco_get_index(mr_coco_index *index, mr_dataset *set, const mr_coco_file *file,
                               const char *folder, mrcnn_error *err);

/* ---------------------------------------------------------------------------------------- masks */

/* A segmentation as it stands in the file. */
typedef struct mr_coco_segment {
    mr_polygon_list polygons; /* rule MR_RULE_NONE: run lengths */
    mrcnn_mask runs;
} mr_coco_segment;

/* Reads an object's segmentation. Errors say what is wrong with it, not where it is. */
mrcnn_status mr_coco_read_segment(mr_coco_segment *segment, const mr_coco_file *file,
                                  const mr_coco_shape *shape, mrcnn_error *err);
void mr_coco_segment_free(mr_coco_segment *segment);

#endif
