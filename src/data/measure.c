/* measure.c - how large a picture and its objects are, without looking at more than that needs. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/picture_size.h"

#include <math.h>
#include <stdlib.h>

mrcnn_status mr_dataset_picture_size(const mr_dataset *set, size_t index, int32_t *height,
                                     int32_t *width, mrcnn_error *err) {
    mrcnn_image image = {0};
    if (mr_dataset_is_file(set, index) && set->image.apply_orientation)
        return mr_picture_check(set->pictures[index].path, &set->image, height, width, err);
    mrcnn_status status = mr_dataset_read(set, index, &image, err);
    if (status != MRCNN_OK) return status;
    *height = image.height;
    *width = image.width;
    mrcnn_image_free(&image);
    return MRCNN_OK;
}

/* The masks of a picture, once one of them must be drawn. */
typedef struct drawing {
    mr_masks masks;
    int is_open;
    uint8_t *mask;
} drawing;

static mrcnn_status open_drawing(drawing *d, const mr_dataset *set, size_t index,
                                 const mrcnn_objects *o, mrcnn_error *err) {
    size_t pixels;
    if (d->is_open) return MRCNN_OK;
    d->mask = mr_mul_size((size_t)o->height, (size_t)o->width, &pixels) ? malloc(pixels) : NULL;
    if (!d->mask) return mr_fail_memory(err, pixels, "a mask");
    d->is_open = 1; /* closed in any case */
    return mr_masks_open(&d->masks, set, index, o->height, o->width, err);
}

static void close_drawing(drawing *d) {
    if (d->is_open) mr_masks_close(&d->masks);
    free(d->mask);
}

static void find_box(const drawing *d, mr_about_object *about) {
    const mr_masks *m = &d->masks;
    double box[4] = {m->height, m->width, 0, 0};
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++) {
            if (!d->mask[(size_t)y * (size_t)m->width + (size_t)x]) continue;
            box[0] = fmin(box[0], y);
            box[1] = fmin(box[1], x);
            box[2] = y + 1;
            box[3] = fmax(box[3], x + 1);
        }
    for (int i = 0; i < 4; i++) about->box[i] = box[i];
}

static mrcnn_status draw_object(drawing *d, size_t object, mr_about_object *about,
                                mrcnn_error *err) {
    int class_id = 0;
    mrcnn_status status = mr_masks_draw(&d->masks, object, d->mask, &class_id, err);
    if (status != MRCNN_OK) return status;
    about->class_id = abs(class_id);
    about->is_crowd = class_id < 0;
    find_box(d, about);
    return MRCNN_OK;
}

static void keep_object(mrcnn_objects *o, const mr_about_object *about) {
    mrcnn_object made = {about->class_id,
                         about->is_crowd,
                         fmax(about->box[0], 0),
                         fmax(about->box[1], 0),
                         fmin(about->box[2], o->height),
                         fmin(about->box[3], o->width)};
    if (made.y2 > made.y1 && made.x2 > made.x1) o->items[o->count++] = made;
}

static mrcnn_status take_objects(const mr_dataset *set, size_t index, mrcnn_objects *o,
                                 mrcnn_error *err) {
    drawing d = {.is_open = 0};
    mrcnn_status status = MRCNN_OK;
    for (size_t k = 0; k < set->pictures[index].object_count && status == MRCNN_OK; k++) {
        mr_about_object about;
        mr_dataset_about(set, index, k, &about);
        if (!about.has_box || about.class_id < 1) {
            status = open_drawing(&d, set, index, o, err);
            if (status == MRCNN_OK) status = draw_object(&d, k, &about, err);
        }
        if (status == MRCNN_OK) keep_object(o, &about);
    }
    close_drawing(&d);
    return status;
}

mrcnn_status mrcnn_dataset_objects(const mrcnn_dataset *set, size_t index, mrcnn_objects *objects,
                                   mrcnn_error *err) {
    mrcnn_objects made = {0};
    if (!set || index >= set->picture_count)
        return mr_fail(err, MRCNN_E_ARGUMENT, "picture %zu of a data set with %zu", index,
                       set ? set->picture_count : 0);
    mrcnn_status status = mr_dataset_picture_size(set, index, &made.height, &made.width, err);
    if (status != MRCNN_OK) return status;
    made.items = mr_calloc(set->pictures[index].object_count, sizeof *made.items);
    if (!made.items) return mr_fail_memory(err, sizeof *made.items, "the objects of a picture");
    status = take_objects(set, index, &made, err);
    if (status == MRCNN_OK)
        *objects = made;
    else
        mrcnn_objects_free(&made);
    return status;
}

void mrcnn_objects_free(mrcnn_objects *objects) {
    if (!objects) return;
    free(objects->items);
    *objects = (mrcnn_objects){0};
}
