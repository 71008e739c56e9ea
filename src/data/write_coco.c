/* write_coco.c - data sets as COCO files: FOLDER/annotations/instances_SUBSET.json, pictures in
 * FOLDER/SUBSET. Annotations go to the file as they come; images, which are few words each, wait. */
#include "data/writer.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/text_file.h"
#include "image/mask.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct written_image {
    char *name;
    int32_t height, width;
} written_image;

typedef struct coco_writer {
    mr_json_file_writer out;
    int has_ids; /* the source's class ids serve */
    written_image *images;
    size_t image_count, image_room;
    size_t objects;
    int is_done;
} coco_writer;

/* --------------------------------------------------------------------------------------- values */

static void put_member(mr_json_file_writer *out, const char *key, double number) {
    mr_json_put_text(out, key);
    mr_json_put_number(out, number);
}

static void open_list(mr_json_file_writer *out, const char *key) {
    mr_json_put_text(out, key);
    mr_json_put_begin(out, '[');
}

/* ---------------------------------------------------------------------------------- segmentation */

/* Points of a polygon, moved: skimage's pixels have their centres at whole numbers, COCO's at halves. */
static void put_points(mr_json_file_writer *out, const double *xy, size_t points, double move) {
    for (size_t i = 0; i < 2 * points; i++) mr_json_put_number(out, xy[i] + move);
}

static void put_polygons(mr_json_file_writer *out, const mr_polygon_list *list) {
    const double *xy = list->xy;
    double move = list->rule == MR_RULE_SKIMAGE ? .5 : 0;
    open_list(out, "segmentation");
    for (size_t i = 0; i < list->count; xy += 2 * list->points[i++]) {
        if (list->points[i] < 3) continue; /* covers nothing */
        mr_json_put_begin(out, '[');
        put_points(out, xy, list->points[i], move);
        mr_json_put_end(out, ']');
    }
    mr_json_put_end(out, ']');
}

static int has_area(const mr_polygon_list *list) {
    for (size_t i = 0; i < list->count; i++)
        if (list->points[i] >= 3) return 1;
    return 0;
}

static void put_ring(mr_json_file_writer *out, const mrcnn_polygon *ring) {
    for (size_t i = 0; i < 2 * ring->count; i++) mr_json_put_number(out, (double)ring->xy[i]);
}

static void put_corner(mr_json_file_writer *out, const mrcnn_polygon *ring) {
    mr_json_put_number(out, (double)ring->xy[0]);
    mr_json_put_number(out, (double)ring->xy[1]);
}

/* A list of polygons is their union. Holes need one polygon, which goes from its first corner to each
 * ring, around it and back: the way there and the way back cancel out. */
static void put_rings(mr_json_file_writer *out, const mrcnn_polygons *rings) {
    int has_holes = 0;
    for (size_t i = 0; i < rings->count; i++) has_holes |= rings->polygons[i].hole;
    open_list(out, "segmentation");
    for (size_t i = 0; i < rings->count; i++) {
        const mrcnn_polygon *ring = &rings->polygons[i];
        if (i == 0 || !has_holes) mr_json_put_begin(out, '[');
        put_ring(out, ring);
        if (has_holes) put_corner(out, ring);
        if (has_holes && i) put_corner(out, &rings->polygons[0]);
        if (i + 1 == rings->count || !has_holes) mr_json_put_end(out, ']');
    }
    mr_json_put_end(out, ']');
}

/* Steps along pixels become straight lines, but for objects so small that little would remain. */
static mrcnn_status put_outline(mr_json_file_writer *out, const mrcnn_mask *mask,
                                mrcnn_error *err) {
    mrcnn_polygons rings = {0};
    double tolerance = mrcnn_mask_area(mask) < 64 ? 0 : 1;
    mrcnn_status status = mrcnn_mask_polygons(&rings, mask, tolerance, err);
    if (status == MRCNN_OK) put_rings(out, &rings);
    mrcnn_polygons_free(&rings);
    return status;
}

static mrcnn_status put_runs(mr_json_file_writer *out, const mrcnn_mask *mask, mrcnn_error *err) {
    size_t length = mrcnn_mask_to_string(mask, NULL, 0);
    char *string = malloc(length + 1);
    if (!string) return mr_fail_memory(err, length + 1, "run lengths");
    mrcnn_mask_to_string(mask, string, length + 1);
    mr_json_put_text(out, "segmentation");
    mr_json_put_begin(out, '{');
    open_list(out, "size");
    mr_json_put_number(out, mask->height);
    mr_json_put_number(out, mask->width);
    mr_json_put_end(out, ']');
    mr_json_put_text(out, "counts");
    mr_json_put_text(out, string);
    mr_json_put_end(out, '}');
    free(string);
    return MRCNN_OK;
}

/* COCO's own polygons give the same pixels again; others do nearly, and run lengths do. */
static mrcnn_status put_segmentation(const mr_writing *w, const mr_written_object *object,
                                     mrcnn_error *err) {
    mr_json_file_writer *out = &((coco_writer *)w->own)->out;
    int usable = has_area(&object->polygons);
    if (usable && (object->polygons.rule == MR_RULE_COCO ||
                   (w->prefer_polygons && object->polygons.rule == MR_RULE_SKIMAGE))) {
        put_polygons(out, &object->polygons);
        return MRCNN_OK;
    }
    if (w->prefer_polygons && !object->is_crowd) return put_outline(out, &object->mask, err);
    return put_runs(out, &object->mask, err);
}

/* ------------------------------------------------------------------------------------ the records */

/* The source's ids serve when they are whole numbers in the order of the classes: readers sort
 * classes by them. */
static int are_usable_ids(const mr_writing *w) {
    int64_t last = -1, id;
    if (!w->class_ids) return 0;
    for (int i = 1; i < w->class_count; i++, last = id) {
        const char *text = w->class_ids[i];
        if (!text || !mr_integer_parse(text, &id) || id <= last || id > INT32_MAX) return 0;
    }
    return 1;
}

static double category_of(const mr_writing *w, int class_id) {
    const coco_writer *c = w->own;
    int64_t id = class_id;
    if (c->has_ids) mr_integer_parse(w->class_ids[class_id], &id);
    return (double)id;
}

static mrcnn_status put_object(const mr_writing *w, const mr_written_object *object,
                               mrcnn_error *err) {
    coco_writer *c = w->own;
    mr_json_file_writer *out = &c->out;
    int32_t box[4];
    mr_mask_box(&object->mask, box);
    mr_json_put_begin(out, '{');
    mrcnn_status status = put_segmentation(w, object, err);
    put_member(out, "area", (double)mrcnn_mask_area(&object->mask));
    put_member(out, "iscrowd", object->is_crowd);
    put_member(out, "image_id", (double)c->image_count);
    open_list(out, "bbox");
    mr_json_put_number(out, box[1]);
    mr_json_put_number(out, box[0]);
    mr_json_put_number(out, box[3] - box[1]);
    mr_json_put_number(out, box[2] - box[0]);
    mr_json_put_end(out, ']');
    put_member(out, "category_id", category_of(w, object->class_id));
    put_member(out, "id", (double)++c->objects);
    mr_json_put_end(out, '}');
    return status == MRCNN_OK ? mr_json_file_check(out, err) : status;
}

static void put_images(coco_writer *c) {
    mr_json_file_writer *out = &c->out;
    open_list(out, "images");
    for (size_t i = 0; i < c->image_count; i++) {
        mr_json_put_begin(out, '{');
        mr_json_put_text(out, "file_name");
        mr_json_put_text(out, c->images[i].name);
        put_member(out, "height", c->images[i].height);
        put_member(out, "width", c->images[i].width);
        put_member(out, "id", (double)(i + 1));
        mr_json_put_end(out, '}');
    }
    mr_json_put_end(out, ']');
}

static void put_categories(const mr_writing *w) {
    mr_json_file_writer *out = &((coco_writer *)w->own)->out;
    open_list(out, "categories");
    for (int i = 1; i < w->class_count; i++) {
        mr_json_put_begin(out, '{');
        put_member(out, "id", category_of(w, i));
        mr_json_put_text(out, "name");
        mr_json_put_text(out, w->class_names[i]);
        mr_json_put_end(out, '}');
    }
    mr_json_put_end(out, ']');
}

/* ------------------------------------------------------------------------------------- the writer */

static char *picture_folder(const mr_writing *w, const mr_written_picture *picture) {
    (void)picture;
    return mr_strdup(w->subset);
}

static mrcnn_status begin_coco(mr_writing *w, mrcnn_error *err) {
    coco_writer *c = w->own = mr_calloc(1, sizeof *c);
    if (!c) return mr_fail_memory(err, sizeof *c, "a writer");
    mr_json_file_writer *out = &c->out;
    mrcnn_status status = mr_json_file_open(
        out, mr_format("%s/annotations/instances_%s.json", w->folder, w->subset), 0, err);
    if (status != MRCNN_OK) return status;
    c->has_ids = are_usable_ids(w);
    if (!c->has_ids && w->class_ids) w->lose(w->user, "the source's own class ids");
    mr_json_put_begin(out, '{');
    mr_json_put_text(out, "info");
    mr_json_put_begin(out, '{');
    mr_json_put_text(out, "description");
    mr_json_put_text(out, w->source);
    mr_json_put_end(out, '}');
    open_list(out, "licenses");
    mr_json_put_end(out, ']');
    open_list(out, "annotations");
    return mr_json_file_check(out, err);
}

static mrcnn_status add_coco(mr_writing *w, const mr_written_picture *picture, mrcnn_error *err) {
    coco_writer *c = w->own;
    written_image image = {mr_strdup(picture->file), picture->height, picture->width};
    if (!image.name ||
        !mr_dataset_grow((void **)&c->images, &c->image_room, c->image_count, 1, sizeof image)) {
        free(image.name);
        return mr_fail_memory(err, sizeof image, "images");
    }
    c->images[c->image_count++] = image;
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < picture->count && status == MRCNN_OK; i++)
        status = put_object(w, &picture->objects[i], err);
    return status;
}

static mrcnn_status end_coco(mr_writing *w, mrcnn_error *err) {
    coco_writer *c = w->own;
    mr_json_put_end(&c->out, ']');
    put_images(c);
    put_categories(w);
    mr_json_put_end(&c->out, '}');
    mrcnn_status status = mr_json_file_finish(&c->out, 1, err);
    c->is_done = status == MRCNN_OK;
    return status;
}

/* Takes away what is not complete, and the folder if nothing else is in it. */
static void close_coco(mr_writing *w) {
    coco_writer *c = w->own;
    if (!c) return;
    mr_json_file_close(&c->out);
    char *folder = c->is_done ? NULL : mr_format("%s/annotations", w->folder);
    if (folder) rmdir(folder);
    free(folder);
    for (size_t i = 0; i < c->image_count; i++) free(c->images[i].name);
    free(c->images);
    free(c);
    w->own = NULL;
}

const mr_dataset_writer mr_writer_coco = {
    .name = "coco",
    .picture_folder = picture_folder,
    .begin = begin_coco,
    .add = add_coco,
    .end = end_coco,
    .close = close_coco,
};
