/* data.h - a data set as training sees it: pictures, classes, and the objects of each picture as
 * masks. One file of this room reads one annotation format; everything behind it is common. After
 * matterport's utils.Dataset: class 0 is BG, classes of several sources live side by side, and a
 * picture knows which of them its source annotates at all. */
#ifndef MR_DATA_DATA_H
#define MR_DATA_DATA_H

#include <mrcnn/mrcnn.h>

typedef mrcnn_picture mr_picture;

/* Immutable once opened; any number of threads may read it. */
typedef struct mrcnn_dataset mr_dataset;

size_t mr_dataset_picture_count(const mr_dataset *set);
const mr_picture *mr_dataset_picture(const mr_dataset *set, size_t index);
int mr_dataset_class_count(const mr_dataset *set); /* with background */
const char *mr_dataset_class_name(const mr_dataset *set, int class_id);

/* Of every picture that mr_dataset_read gives. */
int mr_dataset_channels(const mr_dataset *set);

/* Which classes the picture's source annotates: class_count bytes of 0 or 1; the background is 1
 * (NUMERICS 2, compose_image_meta). */
const uint8_t *mr_dataset_active_classes(const mr_dataset *set, size_t index);

/* Decodes or draws the picture. The caller frees it with mrcnn_image_free. */
mrcnn_status mr_dataset_read(const mr_dataset *set, size_t index, mrcnn_image *image,
                             mrcnn_error *err);

/* The masks of one picture, to be drawn one after the other by one thread: what they have in common
 * (a file with all of them) is read once. height and width are those of the decoded picture. */
typedef struct mr_masks {
    const mr_dataset *set;
    size_t index;
    int height, width;
    void *own; /* the format's */
} mr_masks;

/* Close it in any case, also after an error. */
mrcnn_status mr_masks_open(mr_masks *masks, const mr_dataset *set, size_t index, int height,
                           int width, mrcnn_error *err);
/* Draws object `object` as height x width bytes of 0 or 1 (N55). *class_id is negative for a crowd
 * (N26). An object that lies outside the picture gives an empty mask, which is no error (N51 drops
 * it). */
mrcnn_status mr_masks_draw(mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                           mrcnn_error *err);
/* The same as run lengths; `scratch` has room for height x width bytes. */
mrcnn_status mr_masks_encode(mr_masks *masks, size_t object, uint8_t *scratch, mrcnn_mask *mask,
                             int *class_id, mrcnn_error *err);
void mr_masks_close(mr_masks *masks);

/* Draws one object: the three at once. */
mrcnn_status mr_dataset_mask(const mr_dataset *set, size_t index, size_t object, int height,
                             int width, uint8_t *mask, int *class_id, mrcnn_error *err);

#endif
