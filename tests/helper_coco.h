/* helper_coco.h - small COCO data sets: written with ' for ", opened, and asked what they hold. */
#ifndef HELPER_COCO_H
#define HELPER_COCO_H

#include "helper_assert.h"

#include "data/dataset.h"

/* Writes a text in which ' stands for ". */
void coco_write(const char *path, const char *text);

/* A file of those lists, written to "set/coco.json" beside set/a.png (40 x 30 pixels) and set/b.png
 * (20 x 20). Images 1 and 2 and the categories 1 cat and 3 dog are there when `images` and
 * `categories` are NULL. */
void coco_set(const char *images, const char *annotations, const char *categories);

/* Opens what lies there; the test fails if that fails. */
mrcnn_dataset *coco_open(const char *path, const mrcnn_dataset_options *options);
/* Opens it in vain: the message must have that part. */
void coco_refused(const char *path, const mrcnn_dataset_options *options, const char *message);

/* What mrcnn_dataset_check reports, one problem a line: "E a.png 0 text". */
typedef struct coco_notes {
    char text[8000];
    size_t count;
} coco_notes;

mrcnn_dataset_summary *coco_check(const mrcnn_dataset *set, int full, coco_notes *notes);

/* The notes about annotations of coco_set; the set must open. */
void coco_expect(const char *annotations, const char *notes);

/* The area of an object's mask. */
size_t coco_area(const mrcnn_dataset *set, size_t index, size_t object, int height, int width,
                 int *class_id);

/* cmocka group setup: a new folder with the folder "set" and its pictures. */
int coco_enter(void **state);

#endif
