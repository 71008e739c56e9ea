/* write_coco.c - data sets as COCO files: FOLDER/annotations/instances_SUBSET.json, pictures in
 * FOLDER/SUBSET. Annotations go to the file as they come; images, which are few words each, wait. */
#include "data/writer.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "image/mask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yajl/yajl_gen.h>

typedef struct written_image {
    char *name;
    int32_t height, width;
} written_image;

typedef struct coco_writer {
    char *folder, *path, *part;
    FILE *file;
    yajl_gen gen;
    yajl_gen_status trouble; /* the first one */
    int has_ids;             /* the source's class ids serve */
    written_image *images;
    size_t image_count, image_room;
    size_t objects;
} coco_writer;

/* --------------------------------------------------------------------------------------- values */

static void note(coco_writer *c, yajl_gen_status status) {
    if (c->trouble == yajl_gen_status_ok) c->trouble = status;
}

static void put_text(coco_writer *c, const char *text) {
    note(c, yajl_gen_string(c->gen, (const unsigned char *)text, strlen(text)));
}

static void put_number(coco_writer *c, double number) {
    char text[MR_NUMBER_TEXT];
    mr_number_print(number, text);
    note(c, yajl_gen_number(c->gen, text, strlen(text)));
}

static void put_member(coco_writer *c, const char *key, double number) {
    put_text(c, key);
    put_number(c, number);
}

static void open_list(coco_writer *c, const char *key) {
    put_text(c, key);
    note(c, yajl_gen_array_open(c->gen));
}

static void close_list(coco_writer *c) {
    note(c, yajl_gen_array_close(c->gen));
}

static void open_map(coco_writer *c) {
    note(c, yajl_gen_map_open(c->gen));
}

static void close_map(coco_writer *c) {
    note(c, yajl_gen_map_close(c->gen));
}

static mrcnn_status check(const coco_writer *c, mrcnn_error *err) {
    if (ferror(c->file))
        return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", c->part, strerror(errno));
    if (c->trouble == yajl_gen_status_ok) return MRCNN_OK;
    if (c->trouble == yajl_gen_invalid_string)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: a name is no UTF-8, which JSON needs", c->path);
    return mr_fail(err, MRCNN_E_FORMAT, "%s: a value can't be written as JSON", c->path);
}

/* ---------------------------------------------------------------------------------- segmentation */

/* Points of a polygon, moved: skimage's pixels have their centres at whole numbers, COCO's at halves. */
static void put_points(coco_writer *c, const double *xy, size_t points, double move) {
    for (size_t i = 0; i < 2 * points; i++) put_number(c, xy[i] + move);
}

static void put_polygons(coco_writer *c, const mr_polygon_list *list) {
    const double *xy = list->xy;
    double move = list->rule == MR_RULE_SKIMAGE ? .5 : 0;
    open_list(c, "segmentation");
    for (size_t i = 0; i < list->count; xy += 2 * list->points[i++]) {
        if (list->points[i] < 3) continue; /* covers nothing */
        note(c, yajl_gen_array_open(c->gen));
        put_points(c, xy, list->points[i], move);
        close_list(c);
    }
    close_list(c);
}

static int has_area(const mr_polygon_list *list) {
    for (size_t i = 0; i < list->count; i++)
        if (list->points[i] >= 3) return 1;
    return 0;
}

static void put_ring(coco_writer *c, const mrcnn_polygon *ring) {
    for (size_t i = 0; i < 2 * ring->count; i++) put_number(c, (double)ring->xy[i]);
}

static void put_corner(coco_writer *c, const mrcnn_polygon *ring) {
    put_number(c, (double)ring->xy[0]);
    put_number(c, (double)ring->xy[1]);
}

/* A list of polygons is their union. Holes need one polygon, which goes from its first corner to each
 * ring, around it and back: the way there and the way back cancel out. */
static void put_rings(coco_writer *c, const mrcnn_polygons *rings) {
    int has_holes = 0;
    for (size_t i = 0; i < rings->count; i++) has_holes |= rings->polygons[i].hole;
    open_list(c, "segmentation");
    for (size_t i = 0; i < rings->count; i++) {
        const mrcnn_polygon *ring = &rings->polygons[i];
        if (i == 0 || !has_holes) note(c, yajl_gen_array_open(c->gen));
        put_ring(c, ring);
        if (has_holes) put_corner(c, ring);
        if (has_holes && i) put_corner(c, &rings->polygons[0]);
        if (i + 1 == rings->count || !has_holes) close_list(c);
    }
    close_list(c);
}

/* Steps along pixels become straight lines, but for objects so small that little would remain. */
static mrcnn_status put_outline(coco_writer *c, const mrcnn_mask *mask, mrcnn_error *err) {
    mrcnn_polygons rings = {0};
    double tolerance = mrcnn_mask_area(mask) < 64 ? 0 : 1;
    mrcnn_status status = mrcnn_mask_polygons(&rings, mask, tolerance, err);
    if (status == MRCNN_OK) put_rings(c, &rings);
    mrcnn_polygons_free(&rings);
    return status;
}

static mrcnn_status put_runs(coco_writer *c, const mrcnn_mask *mask, mrcnn_error *err) {
    size_t length = mrcnn_mask_to_string(mask, NULL, 0);
    char *string = malloc(length + 1);
    if (!string) return mr_fail_memory(err, length + 1, "run lengths");
    mrcnn_mask_to_string(mask, string, length + 1);
    put_text(c, "segmentation");
    open_map(c);
    open_list(c, "size");
    put_number(c, mask->height);
    put_number(c, mask->width);
    close_list(c);
    put_text(c, "counts");
    put_text(c, string);
    close_map(c);
    free(string);
    return MRCNN_OK;
}

/* COCO's own polygons give the same pixels again; others do nearly, and run lengths do. */
static mrcnn_status put_segmentation(const mr_writing *w, const mr_written_object *object,
                                     mrcnn_error *err) {
    coco_writer *c = w->own;
    int usable = has_area(&object->polygons);
    if (usable && (object->polygons.rule == MR_RULE_COCO ||
                   (w->prefer_polygons && object->polygons.rule == MR_RULE_SKIMAGE))) {
        put_polygons(c, &object->polygons);
        return MRCNN_OK;
    }
    if (w->prefer_polygons && !object->is_crowd) return put_outline(c, &object->mask, err);
    return put_runs(c, &object->mask, err);
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
    int32_t box[4];
    mr_mask_box(&object->mask, box);
    open_map(c);
    mrcnn_status status = put_segmentation(w, object, err);
    put_member(c, "area", (double)mrcnn_mask_area(&object->mask));
    put_member(c, "iscrowd", object->is_crowd);
    put_member(c, "image_id", (double)c->image_count);
    open_list(c, "bbox");
    put_number(c, box[1]);
    put_number(c, box[0]);
    put_number(c, box[3] - box[1]);
    put_number(c, box[2] - box[0]);
    close_list(c);
    put_member(c, "category_id", category_of(w, object->class_id));
    put_member(c, "id", (double)++c->objects);
    close_map(c);
    return status == MRCNN_OK ? check(c, err) : status;
}

static void put_images(coco_writer *c) {
    open_list(c, "images");
    for (size_t i = 0; i < c->image_count; i++) {
        open_map(c);
        put_text(c, "file_name");
        put_text(c, c->images[i].name);
        put_member(c, "height", c->images[i].height);
        put_member(c, "width", c->images[i].width);
        put_member(c, "id", (double)(i + 1));
        close_map(c);
    }
    close_list(c);
}

static void put_categories(const mr_writing *w) {
    coco_writer *c = w->own;
    open_list(c, "categories");
    for (int i = 1; i < w->class_count; i++) {
        open_map(c);
        put_member(c, "id", category_of(w, i));
        put_text(c, "name");
        put_text(c, w->class_names[i]);
        close_map(c);
    }
    close_list(c);
}

/* ------------------------------------------------------------------------------------- the writer */

static char *picture_folder(const mr_writing *w, const mr_written_picture *picture) {
    (void)picture;
    return mr_strdup(w->subset);
}

static void print(void *context, const char *text, size_t length) {
    fwrite(text, 1, length, context); /* ferror tells, in check */
}

static mrcnn_status open_file(coco_writer *c, mrcnn_error *err) {
    mrcnn_status status = mr_make_directories(c->folder, err);
    if (status != MRCNN_OK) return status;
    c->file = fopen(c->part, "wb");
    if (!c->file)
        return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", c->part, strerror(errno));
    c->gen = yajl_gen_alloc(NULL);
    if (!c->gen) return mr_fail_memory(err, 0, c->path);
    yajl_gen_config(c->gen, yajl_gen_print_callback, print, c->file);
    yajl_gen_config(c->gen, yajl_gen_validate_utf8, 1);
    return MRCNN_OK;
}

static mrcnn_status begin_coco(mr_writing *w, mrcnn_error *err) {
    coco_writer *c = w->own = mr_calloc(1, sizeof *c);
    if (!c) return mr_fail_memory(err, sizeof *c, "a writer");
    c->folder = mr_format("%s/annotations", w->folder);
    c->path = mr_format("%s/annotations/instances_%s.json", w->folder, w->subset);
    c->part = c->path ? mr_file_part_name(c->path) : NULL;
    if (!c->folder || !c->part) return mr_fail_memory(err, strlen(w->folder), "a path");
    mrcnn_status status = open_file(c, err);
    if (status != MRCNN_OK) return status;
    c->has_ids = are_usable_ids(w);
    if (!c->has_ids && w->class_ids) w->lose(w->user, "the source's own class ids");
    open_map(c);
    put_text(c, "info");
    open_map(c);
    put_text(c, "description");
    put_text(c, w->source);
    close_map(c);
    open_list(c, "licenses");
    close_list(c);
    open_list(c, "annotations");
    return check(c, err);
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
    close_list(c);
    put_images(c);
    put_categories(w);
    close_map(c);
    print(c->file, "\n", 1);
    mrcnn_status status = check(c, err);
    if (status != MRCNN_OK) return status;
    FILE *file = c->file;
    c->file = NULL;
    if (fclose(file) != 0)
        return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", c->part, strerror(errno));
    status = mr_file_commit(c->part, c->path, err);
    if (status != MRCNN_OK) return status;
    free(c->part);
    c->part = NULL;
    return MRCNN_OK;
}

/* Takes away what is not complete, and the folder if nothing else is in it. */
static void close_coco(mr_writing *w) {
    coco_writer *c = w->own;
    if (!c) return;
    if (c->gen) yajl_gen_free(c->gen);
    if (c->file) fclose(c->file);
    if (c->part) unlink(c->part);
    if (c->part && c->folder) rmdir(c->folder);
    for (size_t i = 0; i < c->image_count; i++) free(c->images[i].name);
    free(c->images);
    free(c->folder);
    free(c->path);
    free(c->part);
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
