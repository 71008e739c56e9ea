/* objects.c - the objects of one picture: what is known of them, and their masks. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/raster.h"
#include "image/rle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- masks */

mrcnn_status mr_masks_open(mr_masks *masks, const mr_dataset *set, size_t index, int height,
                           int width, mrcnn_error *err) {
    *masks = (mr_masks){set, index, height, width, NULL};
    if (index >= set->picture_count)
        return mr_fail(err, MRCNN_E_ARGUMENT, "picture %zu of a data set with %zu", index,
                       set->picture_count);
    if (height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: a mask of %d x %d pixels",
                       set->pictures[index].id, width, height);
    return set->format->open_masks ? set->format->open_masks(masks, err) : MRCNN_OK;
}

mrcnn_status mr_masks_draw(mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                           mrcnn_error *err) {
    const mr_picture *picture = &masks->set->pictures[masks->index];
    if (object >= picture->object_count)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: object %zu of %zu", picture->id, object,
                       picture->object_count);
    return masks->set->format->draw(masks, object, mask, class_id, err);
}

mrcnn_status mr_masks_encode(mr_masks *masks, size_t object, uint8_t *scratch, mrcnn_mask *mask,
                             int *class_id, mrcnn_error *err) {
    const mr_picture *picture = &masks->set->pictures[masks->index];
    mrcnn_status status = mr_rle_check_size(masks->height, masks->width, err);
    if (status == MRCNN_OK && masks->set->format->encode && object < picture->object_count)
        return masks->set->format->encode(masks, object, scratch, mask, class_id, err);
    if (status == MRCNN_OK) status = mr_masks_draw(masks, object, scratch, class_id, err);
    if (status != MRCNN_OK) return status;
    return mrcnn_mask_from_bytes(mask, scratch, masks->height, masks->width, err);
}

void mr_masks_close(mr_masks *masks) {
    if (masks->own && masks->set->format->close_masks) masks->set->format->close_masks(masks);
    masks->own = NULL;
}

mrcnn_status mr_dataset_mask(const mr_dataset *set, size_t index, size_t object, int height,
                             int width, uint8_t *mask, int *class_id, mrcnn_error *err) {
    mr_masks masks;
    mrcnn_status status = mr_masks_open(&masks, set, index, height, width, err);
    if (status == MRCNN_OK) status = mr_masks_draw(&masks, object, mask, class_id, err);
    mr_masks_close(&masks);
    return status;
}

mrcnn_status mr_scratch_mask(uint8_t **mask, size_t *room, int32_t height, int32_t width,
                             mrcnn_error *err) {
    size_t pixels;
    if (!mr_mul_size((size_t)height, (size_t)width, &pixels)) pixels = SIZE_MAX;
    if (pixels <= *room) return MRCNN_OK;
    free(*mask);
    *mask = pixels < SIZE_MAX ? malloc(pixels) : NULL;
    *room = *mask ? pixels : 0;
    return *mask ? MRCNN_OK : mr_fail_memory(err, pixels, "a mask");
}

/* ------------------------------------------------------------------------------------ outlines */

/* One outline of a known kind, with its numbers. */
typedef struct part {
    mr_outline outline;
    const double *numbers;
    size_t count;
} part;

/* Parts of an object: of most there is one. */
typedef struct parts {
    part next;
    const double *rest, *end;
} parts;

static int next_part(parts *p) {
    if (p->next.outline == MR_OUTLINE_PARTS) { /* what follows says what it is */
        if (p->end - p->rest < 2) return 0;
        p->next = (part){MR_OUTLINE_PARTS, p->rest + 2, (size_t)p->rest[1]};
        p->rest += 2 + p->next.count;
        return 1;
    }
    if (p->rest == p->end) return 0;
    p->rest = p->end;
    return 1;
}

const mr_object *mr_dataset_object(const mr_dataset *set, size_t index, size_t object) {
    return &set->objects[set->first_objects[index] + object];
}

static parts start_parts(const mr_dataset *set, const mr_object *o) {
    const double *numbers = set->numbers + o->first;
    return (parts){{(mr_outline)o->outline, numbers, o->count}, numbers, numbers + o->count};
}

static mr_outline kind_of(const parts *p) {
    return p->next.outline == MR_OUTLINE_PARTS ? (mr_outline)p->next.numbers[-2] : p->next.outline;
}

static void draw_part(const parts *p, int height, int width, uint8_t *mask) {
    const double *n = p->next.numbers;
    switch (kind_of(p)) {
    case MR_OUTLINE_POLYGON: mr_fill_polygon(n, p->next.count / 2, height, width, mask); break;
    case MR_OUTLINE_RECT: mr_fill_rect(n[0], n[1], n[2], n[3], height, width, mask); break;
    case MR_OUTLINE_ELLIPSE:
        mr_fill_ellipse(n[0], n[1], n[2], n[3], n[4], height, width, mask);
        break;
    case MR_OUTLINE_PARTS:
    case MR_OUTLINE_OWN: memset(mask, 0, (size_t)height * (size_t)width); break; /* no part */
    }
}

/* The union of further parts with what is drawn already. */
static mrcnn_status draw_more(parts *p, int height, int width, uint8_t *mask, mrcnn_error *err) {
    size_t pixels = (size_t)height * (size_t)width;
    uint8_t *one = malloc(pixels);
    if (!one) return mr_fail_memory(err, pixels, "a mask");
    do {
        draw_part(p, height, width, one);
        for (size_t i = 0; i < pixels; i++) mask[i] |= one[i];
    } while (next_part(p));
    free(one);
    return MRCNN_OK;
}

mrcnn_status mr_dataset_draw_outline(const mr_masks *masks, size_t object, uint8_t *mask,
                                     int *class_id, mrcnn_error *err) {
    const mr_object *o = mr_dataset_object(masks->set, masks->index, object);
    parts p = start_parts(masks->set, o);
    *class_id = o->is_crowd ? -o->class_id : o->class_id;
    if (!next_part(&p)) {
        memset(mask, 0, (size_t)masks->height * (size_t)masks->width);
        return MRCNN_OK;
    }
    draw_part(&p, masks->height, masks->width, mask);
    return next_part(&p) ? draw_more(&p, masks->height, masks->width, mask, err) : MRCNN_OK;
}

/* --------------------------------------------------------------------------------------- boxes */

static void widen(double box[4], double y1, double x1, double y2, double x2) {
    box[0] = fmin(box[0], y1);
    box[1] = fmin(box[1], x1);
    box[2] = fmax(box[2], y2);
    box[3] = fmax(box[3], x2);
}

static void widen_by_part(double box[4], const parts *p) {
    const double *n = p->next.numbers;
    switch (kind_of(p)) {
    case MR_OUTLINE_POLYGON:
        for (size_t i = 0; i + 1 < p->next.count; i += 2)
            widen(box, n[i + 1], n[i], n[i + 1], n[i]);
        break;
    case MR_OUTLINE_RECT: widen(box, n[1], n[0], n[1] + n[3], n[0] + n[2]); break;
    case MR_OUTLINE_ELLIPSE: {
        double reach_x = hypot(n[2] * cos(n[4]), n[3] * sin(n[4]));
        double reach_y = hypot(n[2] * sin(n[4]), n[3] * cos(n[4]));
        widen(box, n[1] - reach_y, n[0] - reach_x, n[1] + reach_y, n[0] + reach_x);
        break;
    }
    case MR_OUTLINE_PARTS:
    case MR_OUTLINE_OWN: break;
    }
}

static void about_outline(const mr_dataset *set, size_t index, size_t object,
                          mr_about_object *about) {
    const mr_object *o = mr_dataset_object(set, index, object);
    *about =
        (mr_about_object){.class_id = o->class_id, .is_crowd = o->is_crowd, .region = o->region};
    if (o->outline == MR_OUTLINE_OWN) return;
    parts p = start_parts(set, o);
    double box[4] = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    while (next_part(&p)) widen_by_part(box, &p);
    about->has_box = box[2] >= box[0];
    memcpy(about->box, box, sizeof box);
}

void mr_dataset_about(const mr_dataset *set, size_t index, size_t object, mr_about_object *about) {
    if (set->format->about)
        set->format->about(set, index, object, about);
    else if (set->objects)
        about_outline(set, index, object, about);
    else
        *about = (mr_about_object){.region = (uint32_t)object};
}

/* ------------------------------------------------------------------------------------ polygons */

static int has_polygons_only(const mr_dataset *set, const mr_object *o) {
    if (o->outline == MR_OUTLINE_OWN) return 0;
    parts p = start_parts(set, o);
    while (next_part(&p))
        if (kind_of(&p) != MR_OUTLINE_POLYGON) return 0;
    return 1;
}

static mrcnn_status copy_polygons(const mr_dataset *set, const mr_object *o, mr_polygon_list *list,
                                  mrcnn_error *err) {
    mr_polygon_list made = {MR_RULE_SKIMAGE, 0, mr_calloc(o->count / 2 + 1, sizeof(size_t)),
                            mr_calloc(o->count, sizeof(double))};
    if (!made.points || !made.xy) {
        mr_polygon_list_free(&made);
        return mr_fail_memory(err, o->count * sizeof(double), "the polygons of an object");
    }
    parts p = start_parts(set, o);
    double *xy = made.xy;
    while (next_part(&p)) {
        memcpy(xy, p.next.numbers, p.next.count * sizeof *xy);
        xy += p.next.count;
        made.points[made.count++] = p.next.count / 2;
    }
    *list = made;
    return MRCNN_OK;
}

mrcnn_status mr_dataset_polygons(const mr_dataset *set, size_t index, size_t object,
                                 mr_polygon_list *list, mrcnn_error *err) {
    *list = (mr_polygon_list){MR_RULE_NONE, 0, NULL, NULL};
    if (set->format->polygons) return set->format->polygons(set, index, object, list, err);
    if (!set->objects || !has_polygons_only(set, mr_dataset_object(set, index, object)))
        return MRCNN_OK;
    return copy_polygons(set, mr_dataset_object(set, index, object), list, err);
}

void mr_polygon_list_free(mr_polygon_list *list) {
    free(list->points);
    free(list->xy);
    *list = (mr_polygon_list){MR_RULE_NONE, 0, NULL, NULL};
}
