/* labelme.c - data sets of LabelMe's: a JSON file for each picture. Shapes with one label and one
 * group_id are one object; a shape whose flags have iscrowd is a crowd. What can't be used is noted. */
#include "data/labelme.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/arena.h"
#include "data/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 10000 };

/* A shape that was read, until the picture of its file is known. */
typedef struct shape {
    const char *label; /* "": it has none */
    double group;
    int has_group;
    size_t next;     /* shape of the same object, or NONE */
    int is_part;     /* of an object that an earlier shape began */
    size_t first;    /* of its numbers */
    mr_object about; /* region, outline, is_crowd, count */
} shape;

static const size_t NONE = (size_t)-1;

typedef struct labelme_reader {
    mr_dataset *set;
    const char *root, *folder;
    mr_names names;
    size_t files;

    /* Of one file: */
    const char *file; /* its name */
    int has_shapes, is_embedded;
    char *image_path; /* in `texts`, as labels are */
    mr_arena texts;
    uint32_t region;
    shape *shapes;
    size_t shape_count, shape_room;
    mr_numbers values; /* of all shapes */
    mr_numbers one;    /* of one shape, or of an object's parts */
} labelme_reader;

/* -------------------------------------------------------------------------------------- shapes */

static char *keep_text(labelme_reader *r, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *kept = mr_arena_take(&r->texts, bytes);
    if (kept) memcpy(kept, text, bytes);
    return kept;
}

static mrcnn_status leave_out(labelme_reader *r, uint32_t region, const char *why,
                              mrcnn_error *err) {
    r->set->objects_left_out++;
    return mr_dataset_note(r->set, 1, r->file, region, why, err);
}

static int is_flagged_crowd(const mr_json *value) {
    const mr_json *flag = mr_json_get(mr_json_get(value, "flags"), "iscrowd");
    return flag && (flag->kind == MR_JSON_BOOL || flag->kind == MR_JSON_NUMBER) &&
           flag->number != 0;
}

static mrcnn_status keep_shape(labelme_reader *r, shape s, mrcnn_error *err) {
    s.first = r->values.count;
    s.about.count = (uint32_t)r->one.count;
    s.next = NONE;
    if (!s.label ||
        !mr_dataset_grow((void **)&r->shapes, &r->shape_room, r->shape_count, 1, sizeof *r->shapes))
        return mr_fail_memory(err, sizeof s, "shapes of a picture");
    for (size_t i = 0; i < r->one.count; i++)
        if (!mr_numbers_add(&r->values, r->one.values[i]))
            return mr_fail_memory(err, r->one.count * sizeof(double), "shapes of a picture");
    r->shapes[r->shape_count++] = s;
    return MRCNN_OK;
}

static mrcnn_status read_shape(labelme_reader *r, const mr_json *value, mrcnn_error *err) {
    char why[MR_SHAPE_WHY] = "", name[MR_CLASS_TEXT] = "";
    const char *label = mr_json_text(mr_json_get(value, "label"));
    mr_outline outline = MR_OUTLINE_POLYGON;
    shape s = {.about = {.region = r->region++}};
    switch (mr_labelme_shape(value, &outline, &r->one, why)) {
    case MR_SHAPE_LINE: r->set->points++; return MRCNN_OK;
    case MR_SHAPE_BAD: return leave_out(r, s.about.region, why, err);
    case MR_SHAPE_USABLE: break;
    }
    if (label && !mr_tidy_name(label, name)) {
        snprintf(why, sizeof why, "the label is longer than %d bytes", MR_CLASS_TEXT - 1);
        return leave_out(r, s.about.region, why, err);
    }
    s.about.outline = (uint8_t)outline;
    s.about.is_crowd = (uint8_t)is_flagged_crowd(value);
    s.has_group = mr_json_number(mr_json_get(value, "group_id"), &s.group);
    s.label = keep_text(r, name);
    return keep_shape(r, s, err);
}

/* ------------------------------------------------------------------------------------- objects */

static int compare_groups(const void *a, const void *b) {
    const shape *x = *(shape *const *)a, *y = *(shape *const *)b;
    int order = strcmp(x->label, y->label);
    if (order) return order;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    return x->about.region < y->about.region ? -1 : 1;
}

/* Chains the shapes of each group. */
static mrcnn_status join_groups(labelme_reader *r, mrcnn_error *err) {
    shape **sorted = mr_calloc(r->shape_count, sizeof *sorted);
    size_t count = 0;
    if (!sorted) return mr_fail_memory(err, r->shape_count * sizeof *sorted, "groups of shapes");
    for (size_t i = 0; i < r->shape_count; i++)
        if (r->shapes[i].has_group) sorted[count++] = &r->shapes[i];
    qsort(sorted, count, sizeof *sorted, compare_groups);
    for (size_t i = 1; i < count; i++) {
        shape *before = sorted[i - 1], *s = sorted[i];
        if (before->group != s->group || strcmp(before->label, s->label) != 0) continue;
        before->next = (size_t)(s - r->shapes);
        s->is_part = 1;
    }
    free(sorted);
    return MRCNN_OK;
}

static int add_part(labelme_reader *r, const shape *s) {
    int ok = mr_numbers_add(&r->one, s->about.outline) && mr_numbers_add(&r->one, s->about.count);
    for (size_t i = 0; i < s->about.count && ok; i++)
        ok = mr_numbers_add(&r->one, r->values.values[s->first + i]);
    return ok;
}

static mrcnn_status add_group(labelme_reader *r, const shape *s, mr_object object,
                              mrcnn_error *err) {
    r->one.count = 0;
    for (size_t at = (size_t)(s - r->shapes); at != NONE; at = r->shapes[at].next) {
        object.is_crowd |= r->shapes[at].about.is_crowd;
        if (!add_part(r, &r->shapes[at]))
            return mr_fail_memory(err, r->one.count * sizeof(double), "groups of shapes");
    }
    object.outline = MR_OUTLINE_PARTS;
    object.count = (uint32_t)r->one.count;
    return mr_dataset_add_object(r->set, &object, r->one.values, err);
}

static mrcnn_status add_object(labelme_reader *r, const shape *s, mrcnn_error *err) {
    mr_object object = s->about;
    object.class_id = *s->label ? mr_names_add(&r->names, s->label) : -1;
    if (*s->label && object.class_id < 0) return mr_fail_memory(err, 0, "class names");
    if (r->names.count > MAX_CLASSES)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: more than %d classes", r->folder, MAX_CLASSES);
    return s->next == NONE
               ? mr_dataset_add_object(r->set, &object, r->values.values + s->first, err)
               : add_group(r, s, object, err);
}

static mrcnn_status leave_out_picture(labelme_reader *r, const char *why, mrcnn_error *err) {
    r->set->pictures_left_out++;
    r->set->objects_left_out += r->shape_count;
    return mr_dataset_note(r->set, 1, r->file, -1, why, err);
}

static mrcnn_status leave_out_missing(labelme_reader *r, mrcnn_error *err) {
    char why[400];
    const char *name = r->image_path ? r->image_path : "";
    snprintf(why, sizeof why,
             "there is no picture \"%.150s\" in the data set's folder, nor one of this file's "
             "name beside it%s",
             name, r->is_embedded ? ": save the one that is embedded (imageData) there" : "");
    return leave_out_picture(r, why, err);
}

static mrcnn_status add_picture(labelme_reader *r, mrcnn_error *err) {
    const char *id = NULL;
    if (!r->has_shapes && !r->image_path)
        return leave_out_picture(r, "this is no annotation file of LabelMe's", err);
    char *path =
        mr_labelme_picture(r->root, r->folder, r->file, r->image_path ? r->image_path : "", &id);
    if (!path) return leave_out_missing(r, err);
    mrcnn_status status = mr_dataset_add_picture(r->set, path, id, err);
    if (status != MRCNN_OK) {
        free(path);
        return status;
    }
    if (r->shape_count) status = join_groups(r, err);
    for (size_t i = 0; i < r->shape_count && status == MRCNN_OK; i++)
        if (!r->shapes[i].is_part) status = add_object(r, &r->shapes[i], err);
    return status;
}

/* --------------------------------------------------------------------------------------- files */

static mr_json_choice choose(void *user, const mr_json_place *place) {
    labelme_reader *r = user;
    if (place->depth == 0) return place->kind == MR_JSON_OBJECT ? MR_JSON_WALK : MR_JSON_SKIP;
    if (place->depth > 1) return MR_JSON_TAKE; /* a shape */
    if (strcmp(place->key, "shapes") == 0 && place->kind == MR_JSON_ARRAY) {
        r->has_shapes = 1;
        return MR_JSON_WALK;
    }
    if (strcmp(place->key, "imageData") == 0) r->is_embedded = place->kind == MR_JSON_STRING;
    return strcmp(place->key, "imagePath") == 0 ? MR_JSON_TAKE : MR_JSON_SKIP;
}

static mrcnn_status read_value(void *user, const mr_json_place *place, const mr_json *value,
                               mrcnn_error *err) {
    labelme_reader *r = user;
    if (place->depth > 1) return read_shape(r, value, err);
    if (!mr_json_text(value)) return MRCNN_OK;
    r->image_path = keep_text(r, mr_json_text(value));
    return r->image_path ? MRCNN_OK : mr_fail_memory(err, 0, "a path");
}

/* A file that is broken takes its picture with it. */
static mrcnn_status read_file(labelme_reader *r, const char *path, const char *name,
                              mrcnn_error *err) {
    mrcnn_error broken = MRCNN_ERROR_INIT;
    mr_json_reader json = {choose, read_value, r};
    r->file = name;
    r->files++;
    r->has_shapes = r->is_embedded = 0;
    r->image_path = NULL;
    r->region = 0;
    r->shape_count = r->values.count = 0;
    mr_arena_reset(&r->texts);
    mrcnn_status status = mr_json_read(path, &json, &broken);
    if (status == MRCNN_E_MEMORY) return mr_fail(err, status, "%s", broken.message);
    return status == MRCNN_OK ? add_picture(r, err) : leave_out_picture(r, broken.message, err);
}

static mrcnn_status read_folder(labelme_reader *r, mrcnn_error *err) {
    mr_listing listing = {NULL, 0, 0};
    mrcnn_status status = mr_list_folder(&listing, r->folder, ".json", err);
    for (size_t i = 0; i < listing.count && status == MRCNN_OK; i++) {
        char *path = mr_format("%s/%s", r->folder, listing.names[i]);
        status = path ? read_file(r, path, listing.names[i], err)
                      : mr_fail_memory(err, strlen(r->folder), "a path");
        free(path);
    }
    mr_listing_free(&listing);
    return status;
}

/* ------------------------------------------------------------------------------------- opening */

static mrcnn_status fail_nothing(const labelme_reader *r, mrcnn_error *err) {
    const mr_dataset *set = r->set;
    return mr_dataset_fail_unusable(
        set, err,
        "of %zu files %zu have no picture or are broken and %zu no usable object; %zu shapes were "
        "left out, %zu are points or lines",
        r->files, set->pictures_left_out, set->without_objects, set->objects_left_out, set->points);
}

static mrcnn_status read_annotations(labelme_reader *r, const mr_place *place,
                                     const mrcnn_dataset_options *options, mrcnn_error *err) {
    mr_dataset *set = r->set;
    int one = mr_is_file(place->file);
    const char *slash = strrchr(place->file, '/');
    r->folder = place->folder;
    r->root = one ? place->folder : place->file;
    set->source = options->source ? mr_strdup(options->source) : mr_dataset_name_source(r->folder);
    set->annotations = mr_strdup(one ? place->file : place->folder);
    if (!set->source || !set->annotations)
        return mr_fail_memory(err, strlen(place->file), "the data set's name");
    mrcnn_status status =
        one ? read_file(r, place->file, slash ? slash + 1 : place->file, err) : read_folder(r, err);
    if (status == MRCNN_OK) status = mr_dataset_finish(set, &r->names, options, err);
    if (status == MRCNN_OK && set->picture_count == 0) status = fail_nothing(r, err);
    return status;
}

static mrcnn_status open_labelme(mr_dataset *set, mr_place *place,
                                 const mrcnn_dataset_options *options, mrcnn_error *err) {
    labelme_reader r = {.set = set};
    mrcnn_status status = read_annotations(&r, place, options, err);
    mr_names_free(&r.names);
    mr_arena_free(&r.texts);
    free(r.shapes);
    free(r.values.values);
    free(r.one.values);
    return status;
}

const mr_dataset_format mr_format_labelme = {
    .name = "labelme",
    .files = "LabelMe's JSON files, one for each picture",
    .find = mr_labelme_find,
    .open = open_labelme,
    .read = mr_dataset_read_file,
    .draw = mr_dataset_draw_outline,
};
