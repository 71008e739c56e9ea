/* check_object.c - looks at one object: its outline against its picture, and its pixels. */
#include "data/check.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* y1 x1 y2 x2, y2 and x2 just outside for whole numbers. */
static void find_bounds(const mr_dataset *set, const mr_object *o, double box[4]) {
    const double *n = set->numbers + o->first;
    double reach_x, reach_y;
    switch (o->outline) {
    case MR_OUTLINE_POLYGON:
        box[0] = box[2] = n[1];
        box[1] = box[3] = n[0];
        for (uint32_t i = 0; i < o->count; i += 2) {
            box[0] = fmin(box[0], n[i + 1]);
            box[1] = fmin(box[1], n[i]);
            box[2] = fmax(box[2], n[i + 1]);
            box[3] = fmax(box[3], n[i]);
        }
        break;
    case MR_OUTLINE_RECT:
        box[0] = n[1];
        box[1] = n[0];
        box[2] = n[1] + n[3];
        box[3] = n[0] + n[2];
        break;
    case MR_OUTLINE_ELLIPSE:
        reach_x = hypot(n[2] * cos(n[4]), n[3] * sin(n[4]));
        reach_y = hypot(n[2] * sin(n[4]), n[3] * cos(n[4]));
        box[0] = n[1] - reach_y;
        box[1] = n[0] - reach_x;
        box[2] = n[1] + reach_y;
        box[3] = n[0] + reach_x;
        break;
    }
}

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

static int32_t region_of(const mr_checker *c, size_t index, size_t k) {
    if (!c->set->objects) return (int32_t)k;
    return (int32_t)c->set->objects[c->set->first_objects[index] + k].region;
}

/* An outline against the size of its picture. *usable becomes 0 when nothing of it is inside; `box`
 * is what is inside. Annotation tools let points lie on the far edge, which is no problem. */
static mrcnn_status check_outline(mr_checker *c, size_t index, size_t k, int height, int width,
                                  int *usable, double box[4]) {
    const char *name = c->set->pictures[index].id;
    const mr_object *object = &c->set->objects[c->set->first_objects[index] + k];
    char text[240];
    find_bounds(c->set, object, box);
    if (box[0] > height - 1 || box[1] > width - 1 || box[2] < 0 || box[3] < 0) {
        *usable = 0;
        snprintf(text, sizeof text,
                 "it lies outside the picture of %d x %d pixels: was the picture resized or turned "
                 "after it was annotated?",
                 width, height);
        return mr_check_report(c, 1, name, object->region, text);
    }
    double out = fmax(fmax(-box[0], -box[1]), fmax(box[2] - height, box[3] - width));
    box[0] = fmax(box[0], 0);
    box[1] = fmax(box[1], 0);
    box[2] = fmin(box[2], height);
    box[3] = fmin(box[3], width);
    if (out <= 1) return MRCNN_OK;
    snprintf(text, sizeof text, "it reaches %.6g pixels out of the picture of %d x %d: cut off",
             out, width, height);
    return mr_check_report(c, 0, name, object->region, text);
}

static mrcnn_status check_mask(mr_checker *c, size_t index, size_t k, int height, int width,
                               int *usable, double box[4]) {
    size_t pixels = (size_t)height * (size_t)width;
    int class_id;
    if (pixels > c->mask_room) {
        free(c->mask);
        c->mask_room = 0;
        c->mask = malloc(pixels);
        if (!c->mask) return mr_fail_memory(c->err, pixels, c->set->pictures[index].id);
        c->mask_room = pixels;
    }
    mrcnn_status status =
        mr_dataset_mask(c->set, index, k, height, width, c->mask, &class_id, c->err);
    if (status != MRCNN_OK) return status;
    if (find_pixels(c->mask, height, width, box)) return MRCNN_OK;
    *usable = 0;
    return mr_check_report(c, 1, c->set->pictures[index].id, region_of(c, index, k),
                           "it covers no pixel of the picture");
}

static mrcnn_status class_of(mr_checker *c, size_t index, size_t k, int height, int width,
                             int *id) {
    if (c->set->objects) {
        *id = abs(c->set->objects[c->set->first_objects[index] + k].class_id);
        return MRCNN_OK;
    }
    return mr_dataset_mask(c->set, index, k, height, width, c->mask, id, c->err);
}

mrcnn_status mr_check_object(mr_checker *c, size_t index, size_t k, int height, int width,
                             uint8_t *seen) {
    double box[4] = {0};
    int usable = 1, id = 0;
    mrcnn_status status = MRCNN_OK;
    if (c->set->objects) status = check_outline(c, index, k, height, width, &usable, box);
    if (status == MRCNN_OK && usable && (c->options.full || !c->set->objects))
        status = check_mask(c, index, k, height, width, &usable, box);
    if (status != MRCNN_OK) return status;
    if (!usable) {
        c->sum->objects_left_out++;
        return MRCNN_OK;
    }
    status = class_of(c, index, k, height, width, &id);
    if (status != MRCNN_OK) return status;
    mr_check_measure(c, MR_OBJECT_HEIGHT, box[2] - box[0]);
    mr_check_measure(c, MR_OBJECT_WIDTH, box[3] - box[1]);
    c->sum->objects++;
    c->class_objects[id]++;
    seen[id] = 1;
    return MRCNN_OK;
}
