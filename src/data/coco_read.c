/* coco_read.c - reads the records of a COCO file: images, annotations, categories, in any order. */
#include "data/coco_read.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES, ANNOTATIONS, CATEGORIES, SECTIONS };
static const char *const sections[SECTIONS] = {"images", "annotations", "categories"};
enum { MAX_CATEGORIES = UINT16_MAX };

#define GROW(array, room, used) \
    mr_dataset_grow((void **)&(array), &(room), (used), 1, sizeof *(array))

void mr_coco_index_free(mr_coco_index *index) {
    free(index->images);
    free(index->categories);
    free(index->shapes);
    free(index->marks);
    free(index->texts);
    *index = (mr_coco_index){0};
}

mrcnn_status mr_coco_add_text(mr_coco_index *index, const char *text, uint64_t *at,
                              mrcnn_error *err) {
    size_t size = strlen(text) + 1;
    if (!mr_dataset_grow((void **)&index->texts, &index->text_room, index->text_bytes, size, 1))
        return mr_fail_memory(err, size, "names of a COCO file");
    memcpy(index->texts + index->text_bytes, text, size);
    *at = index->text_bytes;
    index->text_bytes += size;
    return MRCNN_OK;
}

mrcnn_status mr_coco_leave_out(mr_coco_reading *r, const char *picture, int64_t place,
                               const char *text, mrcnn_error *err) {
    r->set->objects_left_out++;
    return mr_dataset_note(r->set, 1, picture, place, text, err);
}

/* Notes what is wrong with a record that is no annotation. */
static mrcnn_status note_record(mr_coco_reading *r, const char *kind, uint64_t number,
                                const char *what, mrcnn_error *err) {
    char *text = mr_format("%s of the file's list %s", what, kind);
    if (!text) return mr_fail_memory(err, strlen(what), "a problem");
    mrcnn_status status = mr_dataset_note(r->set, 1, "", (int64_t)number, text, err);
    free(text);
    return status;
}

/* --------------------------------------------------------------------------------------- images */

int32_t mr_coco_read_length(const mr_json *value) {
    double length;
    if (!mr_json_number(value, &length) || !(length >= 1 && length <= INT32_MAX)) return 0;
    return (int32_t)length;
}

static mrcnn_status add_image(mr_coco_reading *r, const mr_json *record, mrcnn_error *err) {
    mr_coco_index *index = r->index;
    const char *name = mr_json_text(mr_json_get(record, "file_name"));
    mr_coco_id id;
    uint64_t number = r->images++;
    int has_id = mr_coco_id_read(&r->ids, mr_json_get(record, "id"), &id);
    if (has_id < 0) return mr_fail_memory(err, 0, "ids of a COCO file");
    if (!has_id || !name) {
        r->set->pictures_left_out++;
        return note_record(r, sections[IMAGES], number,
                           has_id ? "there is no file_name in this entry"
                                  : "there is no id (a whole number or a text) in this entry",
                           err);
    }
    if (index->image_count == UINT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: too many images", r->file->path);
    if (!GROW(index->images, index->image_room, index->image_count) ||
        !GROW(r->image_ids, r->image_room, index->image_count))
        return mr_fail_memory(err, sizeof *index->images, "images of a COCO file");
    mr_coco_image image = {0, mr_coco_read_length(mr_json_get(record, "height")),
                           mr_coco_read_length(mr_json_get(record, "width"))};
    mrcnn_status status = mr_coco_add_text(index, name, &image.name, err);
    if (status != MRCNN_OK) return status;
    r->image_ids[index->image_count] = id;
    index->images[index->image_count++] = image;
    return MRCNN_OK;
}

/* ----------------------------------------------------------------------------------- categories */

static mrcnn_status add_category(mr_coco_reading *r, const mr_json *record, mrcnn_error *err) {
    mr_coco_index *index = r->index;
    const char *name = mr_json_text(mr_json_get(record, "name"));
    char room[MR_COCO_ID_TEXT];
    mr_coco_id id;
    uint64_t number = r->categories++;
    int has_id = mr_coco_id_read(&r->ids, mr_json_get(record, "id"), &id);
    if (has_id < 0) return mr_fail_memory(err, 0, "ids of a COCO file");
    if (!has_id || !name || !*name)
        return note_record(r, sections[CATEGORIES], number,
                           has_id ? "there is no name in this entry"
                                  : "there is no id (a whole number or a text) in this entry",
                           err);
    if (index->category_count == MAX_CATEGORIES)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: more than %d categories", r->file->path,
                       MAX_CATEGORIES);
    if (!GROW(index->categories, index->category_room, index->category_count) ||
        !GROW(r->category_ids, r->category_room, index->category_count))
        return mr_fail_memory(err, sizeof *index->categories, "categories of a COCO file");
    mr_coco_category category;
    mrcnn_status status =
        mr_coco_add_text(index, mr_coco_id_text(&r->ids, id, room), &category.id, err);
    if (status == MRCNN_OK) status = mr_coco_add_text(index, name, &category.name, err);
    if (status != MRCNN_OK) return status;
    r->category_ids[index->category_count] = id;
    index->categories[index->category_count++] = category;
    return MRCNN_OK;
}

/* The number of a category that an object names. */
static mrcnn_status number_category(mr_coco_reading *r, mr_coco_id id, uint16_t *number,
                                    mrcnn_error *err) {
    const mr_coco_key *known = mr_coco_keys_find(r->named_categories, r->named_count, &r->ids, id);
    if (known) {
        *number = (uint16_t)known->index;
        return MRCNN_OK;
    }
    if (r->named_count == MAX_CATEGORIES)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: objects of more than %d categories",
                       r->file->path, MAX_CATEGORIES);
    if (!GROW(r->named_categories, r->named_room, r->named_count))
        return mr_fail_memory(err, sizeof *r->named_categories, "categories of a COCO file");
    *number = (uint16_t)r->named_count;
    size_t at = r->named_count++;
    for (; at > 0 && mr_coco_id_compare(&r->ids, r->named_categories[at - 1].id, id) > 0; at--)
        r->named_categories[at] = r->named_categories[at - 1];
    r->named_categories[at] = (mr_coco_key){id, &r->ids, *number};
    return MRCNN_OK;
}

/* -------------------------------------------------------------------------------------- objects */

static void read_box(const mr_json *value, float box[4]) {
    double v[4] = {0};
    int usable = mr_json_numbers(value, v, 4) && v[2] > 0 && v[3] > 0;
    for (int i = 0; i < 4; i++) box[i] = usable && fabs(v[i]) < 1e9 ? (float)v[i] : NAN;
}

static int is_set(const mr_json *value) {
    return value && (value->kind == MR_JSON_NUMBER || value->kind == MR_JSON_BOOL) &&
           value->number != 0;
}

static int form_of(const mr_json *segmentation) {
    if (!segmentation || segmentation->kind != MR_JSON_CUT) return MR_COCO_NOTHING;
    if (segmentation->cut->is_pairs) return MR_COCO_POLYGONS;
    if (segmentation->cut->is_object || !segmentation->cut->is_empty) return MR_COCO_UNCLEAR;
    return MR_COCO_BOX_ONLY;
}

static mrcnn_status push_object(mr_coco_reading *r, const mr_coco_shape *shape,
                                const mr_coco_mark *mark, mr_coco_id image, mrcnn_error *err) {
    mr_coco_index *index = r->index;
    if (!GROW(index->shapes, index->shape_room, index->object_count) ||
        !GROW(index->marks, index->mark_room, index->object_count) ||
        !GROW(r->object_images, r->object_room, index->object_count))
        return mr_fail_memory(err, sizeof *shape, "objects of a COCO file");
    r->object_images[index->object_count] = image;
    index->shapes[index->object_count] = *shape;
    index->marks[index->object_count++] = *mark;
    return MRCNN_OK;
}

static mrcnn_status add_object(mr_coco_reading *r, const mr_json *record, mrcnn_error *err) {
    mr_coco_id image, category;
    uint64_t place = r->annotations++;
    if (place >= UINT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: too many annotations", r->file->path);
    int has_image = mr_coco_id_read(&r->ids, mr_json_get(record, "image_id"), &image);
    int has_category = mr_coco_id_read(&r->ids, mr_json_get(record, "category_id"), &category);
    if (has_image < 0 || has_category < 0) return mr_fail_memory(err, 0, "ids of a COCO file");
    if (!has_image || !has_category)
        return mr_coco_leave_out(r, "", (int64_t)place,
                                 !has_image ? "there is no image_id (a whole number or a text)"
                                            : "there is no category_id (a whole number or a text)",
                                 err);
    const mr_json *segmentation = mr_json_get(record, "segmentation");
    mr_coco_shape shape = {.place = (uint32_t)place};
    mr_coco_mark mark = {.is_crowd = (uint8_t)is_set(mr_json_get(record, "iscrowd")),
                         .form = (uint8_t)form_of(segmentation)};
    read_box(mark.form == MR_COCO_POLYGONS ? mr_json_get(record, "bbox") : NULL, shape.box);
    if (mark.form != MR_COCO_NOTHING) {
        shape.begin = segmentation->cut->begin;
        shape.length = (uint32_t)segmentation->cut->length;
        if (segmentation->cut->length > INT32_MAX)
            return mr_coco_leave_out(r, "", (int64_t)place, "its segmentation is too long", err);
    }
    mrcnn_status status = number_category(r, category, &mark.category, err);
    return status == MRCNN_OK ? push_object(r, &shape, &mark, image, err) : status;
}

/* -------------------------------------------------------------------------------------- reading */

static mr_json_choice choose(void *user, const mr_json_place *place) {
    mr_coco_reading *r = user;
    if (place->depth == 0) return place->kind == MR_JSON_OBJECT ? MR_JSON_WALK : MR_JSON_SKIP;
    if (place->depth > 1) return MR_JSON_TAKE;
    for (int i = 0; i < SECTIONS; i++) {
        if (place->kind != MR_JSON_ARRAY || strcmp(place->key, sections[i]) != 0) continue;
        r->section = i;
        if (!r->seen[i]++) return MR_JSON_WALK;
        r->is_twice = 1;
        return MR_JSON_STOP;
    }
    return MR_JSON_SKIP;
}

static mrcnn_status read_record(void *user, const mr_json_place *place, const mr_json *value,
                                mrcnn_error *err) {
    mr_coco_reading *r = user;
    (void)place;
    switch (r->section) {
    case IMAGES: return add_image(r, value, err);
    case ANNOTATIONS: return add_object(r, value, err);
    default: return add_category(r, value, err);
    }
}

static mrcnn_status read_records(mr_coco_reading *r, mrcnn_error *err) {
    mr_json_reader reader = {choose, read_record, r};
    mrcnn_status status = mr_json_read_cutting(r->file->path, "segmentation", &reader, err);
    if (r->is_twice)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: the list \"%s\" is there twice", r->file->path,
                       sections[r->section]);
    for (int i = 0; i < SECTIONS && status == MRCNN_OK; i++)
        if (!r->seen[i])
            status = mr_fail(err, MRCNN_E_FORMAT,
                             "%s: this is no COCO file of objects: it has no list \"%s\"",
                             r->file->path, sections[i]);
    return status;
}

mrcnn_status mr_coco_read_index(mr_coco_index *index, mr_dataset *set, const mr_coco_file *file,
                                mrcnn_error *err) {
    *index = (mr_coco_index){0};
    mr_coco_reading r = {.index = index, .set = set, .file = file};
    mrcnn_status status = read_records(&r, err);
    if (status == MRCNN_OK) status = mr_coco_file_check(file, err);
    if (status == MRCNN_OK) status = mr_coco_resolve(&r, err);
    mr_coco_ids_free(&r.ids);
    free(r.image_ids);
    free(r.category_ids);
    free(r.object_images);
    free(r.named_categories);
    if (status != MRCNN_OK) mr_coco_index_free(index);
    return status;
}
