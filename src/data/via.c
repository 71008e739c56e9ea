/* via.c - data sets of the VGG Image Annotator, versions 1 (regions: an object) and 2 (regions: an
 * array), exported or as a VIA 2 project. Each entry becomes a picture; what can't be used is noted. */
#include "data/via.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 10000 };

typedef struct via_reader {
    mr_dataset *set;
    const char *folder;
    mr_names names;
    mr_numbers numbers;
    size_t entries;
} via_reader;

/* ------------------------------------------------------------------------------------- regions */

/* Leaves a region out. */
static mrcnn_status leave_out(via_reader *r, const char *picture, uint32_t region, int is_error,
                              const char *why, mrcnn_error *err) {
    r->set->objects_left_out++;
    return mr_dataset_note(r->set, is_error, picture, region, why, err);
}

static mrcnn_status add_region(via_reader *r, const char *picture, uint32_t index,
                               const mr_json *region, mrcnn_error *err) {
    char why[MR_VIA_WHY] = "", name[MR_CLASS_TEXT];
    mr_object object = {.region = index, .class_id = -1};
    switch (mr_via_outline(mr_json_get(region, "shape_attributes"), &object, &r->numbers, why)) {
    case MR_VIA_POINT: r->set->points++; return MRCNN_OK;
    case MR_VIA_BAD: return leave_out(r, picture, index, 1, why, err);
    case MR_VIA_USABLE: break;
    }
    const mr_json *attributes = mr_json_get(region, "region_attributes");
    if (mr_via_class(attributes, name, why) != MR_VIA_USABLE)
        return leave_out(r, picture, index, 1, why, err);
    object.is_crowd = (uint8_t)mr_via_is_crowd(attributes);
    if (name[0]) {
        object.class_id = mr_names_add(&r->names, name);
        if (object.class_id < 0) return mr_fail_memory(err, strlen(name), "class names");
        if (r->names.count > MAX_CLASSES)
            return mr_fail(err, MRCNN_E_FORMAT,
                           "%s: more than %d classes; is the attribute of \"%.60s\" a class?",
                           r->set->annotations, MAX_CLASSES, name);
    }
    return mr_dataset_add_object(r->set, &object, r->numbers.values, err);
}

static mrcnn_status add_regions(via_reader *r, const char *picture, const mr_json *regions,
                                mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    uint32_t index = 0;
    if (!regions || regions->kind == MR_JSON_NULL) return MRCNN_OK;
    if (regions->kind != MR_JSON_ARRAY && regions->kind != MR_JSON_OBJECT) {
        char text[120];
        snprintf(text, sizeof text, "regions is %s instead of an array or object",
                 mr_json_kind_name(regions));
        return mr_dataset_note(r->set, 1, picture, -1, text, err);
    }
    for (const mr_json *m = regions->first; m && status == MRCNN_OK; m = m->next)
        status = add_region(r, picture, index++, m, err);
    return status;
}

/* ------------------------------------------------------------------------------------- entries */

/* VIA notes how long the file was that was annotated (-1: it didn't know). Another length may mean
 * another size in pixels. */
static mrcnn_status compare_length(via_reader *r, const char *name, const mr_json *entry,
                                   double bytes, mrcnn_error *err) {
    char text[200];
    double annotated;
    if (!mr_json_number(mr_json_get(entry, "size"), &annotated)) return MRCNN_OK;
    if (annotated <= 0 || annotated == bytes) return MRCNN_OK;
    snprintf(text, sizeof text,
             "the file has %.0f bytes, but %.15g when it was annotated: is it the same picture?",
             bytes, annotated);
    return mr_dataset_note(r->set, 0, name, -1, text, err);
}

static mrcnn_status leave_out_picture(via_reader *r, const char *name, const char *why,
                                      mrcnn_error *err) {
    r->set->pictures_left_out++;
    return mr_dataset_note(r->set, 1, name, -1, why, err);
}

static mrcnn_status add_entry(via_reader *r, const char *key, const mr_json *entry,
                              mrcnn_error *err) {
    const char *name = mr_json_text(mr_json_get(entry, "filename"));
    if (!name) {
        char text[200];
        snprintf(text, sizeof text, "the entry \"%.80s\" is %s without a filename", key ? key : "",
                 mr_json_kind_name(entry));
        return leave_out_picture(r, "", text, err);
    }
    char *path = mr_format("%s/%s", r->folder, name);
    if (!path) return mr_fail_memory(err, strlen(name), "a path");
    double bytes = 0;
    const char *why = mr_judge_picture(name, path, &bytes);
    mrcnn_status status =
        why ? leave_out_picture(r, name, why, err)
            : mr_dataset_add_picture(r->set, path, path + strlen(r->folder) + 1, err);
    if (why || status != MRCNN_OK) {
        free(path);
        return status;
    }
    status = compare_length(r, name, entry, bytes, err);
    if (status != MRCNN_OK) return status;
    return add_regions(r, name, mr_json_get(entry, "regions"), err);
}

static mr_json_choice choose(void *user, const mr_json_place *place) {
    (void)user;
    if (place->depth == 0) return place->kind == MR_JSON_OBJECT ? MR_JSON_WALK : MR_JSON_SKIP;
    if (place->depth == 1 && mr_via_is_project_key(place->key))
        return strcmp(place->key, "_via_img_metadata") == 0 ? MR_JSON_WALK : MR_JSON_SKIP;
    return MR_JSON_TAKE;
}

static mrcnn_status read_entry(void *user, const mr_json_place *place, const mr_json *value,
                               mrcnn_error *err) {
    via_reader *r = user;
    r->entries++;
    return add_entry(r, place->key, value, err);
}

/* ------------------------------------------------------------------------------------- opening */

static mrcnn_status fail_nothing(const via_reader *r, mrcnn_error *err) {
    const mr_dataset *set = r->set;
    if (r->entries == 0)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: this is no annotation file of VIA's: it has no entries with filename "
                       "and regions",
                       set->annotations);
    return mr_dataset_fail_unusable(
        set, err,
        "of %zu entries %zu have no picture and %zu no usable object; %zu regions were left out, "
        "%zu are points",
        r->entries, set->pictures_left_out, set->without_objects, set->objects_left_out,
        set->points);
}

static mrcnn_status read_annotations(via_reader *r, const mrcnn_dataset_options *options,
                                     mrcnn_error *err) {
    mr_json_reader json = {choose, read_entry, r};
    mr_dataset *set = r->set;
    set->source = options->source ? mr_strdup(options->source) : mr_dataset_name_source(r->folder);
    if (!set->source) return mr_fail_memory(err, 0, "the data set's name");
    mrcnn_status status = mr_json_read(set->annotations, &json, err);
    if (status == MRCNN_OK) status = mr_dataset_finish(set, &r->names, options, err);
    if (status == MRCNN_OK && set->picture_count == 0) status = fail_nothing(r, err);
    return status;
}

static mrcnn_status open_via(mr_dataset *set, mr_place *place, const mrcnn_dataset_options *options,
                             mrcnn_error *err) {
    set->annotations = place->file;
    place->file = NULL;
    via_reader r = {.set = set, .folder = place->folder};
    mrcnn_status status = read_annotations(&r, options, err);
    mr_names_free(&r.names);
    free(r.numbers.values);
    return status;
}

const mr_dataset_format mr_format_via = {
    .name = "via",
    .files =
        "regions drawn with the VGG Image Annotator (via_region_data.json or another JSON file)",
    .find = mr_via_find,
    .open = open_via,
    .read = mr_dataset_read_file,
    .draw = mr_dataset_draw_outline,
};
