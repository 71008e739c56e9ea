/* fake_dataset.h - a data set that a test draws itself, in place of data/data.h's functions: the
 * files under test are included after this header, under names of their own, so that they call what
 * is defined here. */
#ifndef FAKE_DATASET_H
#define FAKE_DATASET_H

#define mr_dataset_picture_count fake_picture_count
#define mr_dataset_picture fake_picture
#define mr_dataset_class_count fake_class_count
#define mr_dataset_active_classes fake_active_classes
#define mr_dataset_read fake_read
#define mr_masks_open fake_masks_open
#define mr_masks_draw fake_masks_draw
#define mr_masks_close fake_masks_close
#define mr_decode fake_decode
#define mr_decoded_free fake_decoded_free
#define mr_decoded_store_create fake_decoded_store_create
#define mr_decoded_store_get fake_decoded_store_get
#define mr_decoded_store_free fake_decoded_store_free
#define mr_sample_load fake_sample_load
#define mr_sample_limit fake_sample_limit
#define mr_sample_free fake_sample_free
#define mr_example_load fake_example_load
#define mr_example_free fake_example_free
#define mr_example_truth fake_example_truth
#define mr_anchor_cache_free fake_anchor_cache_free

#include "data/data.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum { FAKE_PICTURES = 4, FAKE_CLASSES = 3 };

/* A box of ones, with a hole in its upper left quarter when `hole` is set. */
typedef struct fake_object {
    int class_id;
    int box[4];
    int hole;
} fake_object;

typedef struct fake_scene {
    int height, width;
    const fake_object *objects;
    size_t count;
    int broken; /* 1: the picture can't be read, 2: its masks can't be drawn */
} fake_scene;

struct mrcnn_dataset {
    fake_scene scenes[FAKE_PICTURES];
    mr_picture pictures[FAKE_PICTURES];
};

static const uint8_t fake_active[FAKE_CLASSES] = {1, 1, 0};

size_t fake_picture_count(const mr_dataset *set) {
    (void)set;
    return FAKE_PICTURES;
}

const mr_picture *fake_picture(const mr_dataset *set, size_t index) {
    return &set->pictures[index];
}

int fake_class_count(const mr_dataset *set) {
    (void)set;
    return FAKE_CLASSES;
}

const uint8_t *fake_active_classes(const mr_dataset *set, size_t index) {
    (void)set, (void)index;
    return fake_active;
}

/* Noise without zeros, so that padding can be told from picture. */
mrcnn_status fake_read(const mr_dataset *set, size_t index, mrcnn_image *image, mrcnn_error *err) {
    const fake_scene *s = &set->scenes[index];
    if (s->broken == 1)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: broken picture", set->pictures[index].path);
    size_t count = (size_t)s->height * (size_t)s->width * 3;
    uint8_t *pixels = malloc(count);
    if (!pixels) return mr_fail_memory(err, count, "a fake picture");
    uint32_t noise =
        (uint32_t)index; /* a linear congruential generator: fast, for bench/loader.c */
    for (size_t i = 0; i < count; i++) {
        noise = noise * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(1 + (noise >> 16) % 255);
    }
    *image = (mrcnn_image){s->width, s->height, 3, pixels};
    return MRCNN_OK;
}

mrcnn_status fake_masks_open(mr_masks *masks, const mr_dataset *set, size_t index, int height,
                             int width, mrcnn_error *err) {
    *masks = (mr_masks){set, index, height, width, NULL};
    if (set->scenes[index].broken != 2) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_FORMAT, "%s: broken mask", set->pictures[index].path);
}

void fake_masks_close(mr_masks *masks) {
    masks->set = NULL;
}

mrcnn_status fake_masks_draw(mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                             mrcnn_error *err) {
    (void)err;
    const fake_object *o = &masks->set->scenes[masks->index].objects[object];
    int height = masks->height, width = masks->width;
    memset(mask, 0, (size_t)height * (size_t)width);
    int middle_y = (o->box[0] + o->box[2]) / 2, middle_x = (o->box[1] + o->box[3]) / 2;
    for (int y = o->box[0]; y < o->box[2] && y < height; y++)
        for (int x = o->box[1]; x < o->box[3] && x < width; x++)
            mask[(size_t)y * (size_t)width + (size_t)x] =
                !o->hole || y >= middle_y || x >= middle_x;
    *class_id = o->class_id;
    return MRCNN_OK;
}

static void fake_set(mr_dataset *set, size_t index, fake_scene scene) {
    static const char *const paths[FAKE_PICTURES] = {"0.png", "1.png", "2.png", "3.png"};
    set->scenes[index] = scene;
    set->pictures[index] =
        (mr_picture){.id = paths[index], .path = paths[index], "fake", scene.count};
}

#include "data/decoded.c"

#include "data/sample.c"
#include "train/example.c"

#endif
