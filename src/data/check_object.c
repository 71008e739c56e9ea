/* check_object.c - looks at one object: its outline against its picture, and its pixels. */
#include "data/check.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The box of the object's pixels; 0 when there are none. */
static int find_pixels(const uint8_t *mask, int height, int width, double box[4]) {
    int top = height, left = width, bottom = -1, right = -1;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            if (!mask[(size_t)y * (size_t)width + (size_t)x]) continue;
            if (y < top) top = y;
            if (x < left) left = x;
            if (x > right) right = x;
            bottom = y;
        }
    box[0] = top;
    box[1] = left;
    box[2] = bottom + 1;
    box[3] = right + 1;
    return bottom >= 0;
}

/* An outline against the size of its picture. *usable becomes 0 when nothing of it is inside; the box
 * becomes what is inside. Annotation tools let points lie on the far edge, which is no problem. */
static mrcnn_status check_outline(mr_checker *c, size_t index, mr_about_object *about, int height,
                                  int width, int *usable) {
    const char *name = c->set->pictures[index].id;
    double *box = about->box;
    char text[240];
    if (box[0] > height - 1 || box[1] > width - 1 || box[2] < 0 || box[3] < 0) {
        *usable = 0;
        snprintf(text, sizeof text,
                 "it lies outside the picture of %d x %d pixels: was the picture resized or turned "
                 "after it was annotated?",
                 width, height);
        return mr_check_report(c, 1, name, about->region, text);
    }
    double out = fmax(fmax(-box[0], -box[1]), fmax(box[2] - height, box[3] - width));
    box[0] = fmax(box[0], 0);
    box[1] = fmax(box[1], 0);
    box[2] = fmin(box[2], height);
    box[3] = fmin(box[3], width);
    if (out <= 1) return MRCNN_OK;
    snprintf(text, sizeof text, "it reaches %.6g pixels out of the picture of %d x %d: cut off",
             out, width, height);
    return mr_check_report(c, 0, name, about->region, text);
}

static mrcnn_status check_mask(mr_checker *c, mr_masks *masks, size_t k, mr_about_object *about,
                               int *usable) {
    int class_id;
    const char *name = c->set->pictures[masks->index].id;
    mrcnn_error broken = MRCNN_ERROR_INIT;
    mrcnn_status status = mr_masks_draw(masks, k, c->mask, &class_id, &broken);
    if (status == MRCNN_E_MEMORY) return mr_fail(c->err, status, "%s", broken.message);
    if (status != MRCNN_OK) {
        *usable = 0;
        return mr_check_report(c, 1, name, about->region, broken.message);
    }
    about->class_id = abs(class_id);
    about->is_crowd = class_id < 0;
    if (find_pixels(c->mask, masks->height, masks->width, about->box)) return MRCNN_OK;
    *usable = 0;
    return mr_check_report(c, 1, name, about->region, "it covers no pixel of the picture");
}

mrcnn_status mr_check_object(mr_checker *c, mr_masks *masks, size_t k, uint8_t *seen) {
    mr_about_object about;
    int usable = 1;
    mrcnn_status status = MRCNN_OK;
    mr_dataset_about(c->set, masks->index, k, &about);
    if (about.has_box)
        status = check_outline(c, masks->index, &about, masks->height, masks->width, &usable);
    if (status == MRCNN_OK && usable && (c->options.full || !about.has_box))
        status = check_mask(c, masks, k, &about, &usable);
    if (status != MRCNN_OK) return status;
    if (!usable) {
        c->sum->objects_left_out++;
        return MRCNN_OK;
    }
    c->sum->objects++;
    c->class_objects[about.class_id]++;
    seen[about.class_id] = 1;
    if (about.is_crowd) {
        c->sum->crowds++;
        return MRCNN_OK;
    }
    mr_check_measure(c, MR_OBJECT_HEIGHT, about.box[2] - about.box[0]);
    mr_check_measure(c, MR_OBJECT_WIDTH, about.box[3] - about.box[1]);
    return MRCNN_OK;
}
