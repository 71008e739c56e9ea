/* dataset.c - opening a data set in whatever format it is, and what is common to all of them. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "data/place.h"
#include "image/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* In the order in which they are tried. */
static const mr_dataset_format *const formats[] = {
    &mr_format_via, &mr_format_coco, &mr_format_labelme, &mr_format_yolo,
    &mr_format_png, &mr_format_voc,  &mr_format_labels,  &mr_format_shapes};
enum { FORMATS = sizeof formats / sizeof *formats };

mrcnn_dataset_options mrcnn_dataset_options_default(void) {
    mrcnn_dataset_options options = {
        .size = sizeof options, .format = "auto", .shapes_height = 128, .shapes_width = 128};
    return options;
}

void mrcnn_dataset_free(mrcnn_dataset **set) {
    if (!set || !*set) return;
    mr_dataset *s = *set;
    if (s->format->close) s->format->close(s);
    for (size_t i = 0; i < s->picture_count; i++)
        free((char *)(s->pictures[i].path ? s->pictures[i].path : s->pictures[i].id));
    for (int i = 0; i < s->class_count; i++) {
        free(s->class_names[i]);
        if (s->class_ids) free(s->class_ids[i]);
    }
    for (size_t i = 0; i < s->problem_count; i++) {
        free(s->problems[i].picture);
        free(s->problems[i].text);
    }
    free(s->problems);
    free(s->class_names);
    free(s->class_ids);
    free(s->classes_by_name);
    free(s->active);
    free(s->pictures);
    free(s->first_objects);
    free(s->objects);
    free(s->numbers);
    free(s->source);
    free(s->annotations);
    free(s);
    *set = NULL;
}

/* ------------------------------------------------------------------------------------- opening */

/* The format of that name; NULL for "auto". */
static mrcnn_status find_named(const mr_dataset_format **format, const char *name,
                               mrcnn_error *err) {
    char known[200] = "auto";
    size_t used = strlen(known);
    *format = NULL;
    if (!name || strcmp(name, "auto") == 0) return MRCNN_OK;
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcmp(formats[i]->name, name) == 0) *format = formats[i];
        used += (size_t)snprintf(known + used, sizeof known - used, ", %s", formats[i]->name);
    }
    if (*format) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT, "\"%s\" is no format of data sets: there are %s", name,
                   known);
}

/* Nothing that can be read: what was looked for. */
static mrcnn_status fail_nothing(const char *path, const char *subset,
                                 const mr_dataset_format *only, mrcnn_error *err) {
    char looked_for[700] = "", below[300] = "";
    size_t used = 0;
    for (size_t i = 0; i < FORMATS && used < sizeof looked_for; i++)
        if (formats[i]->find && (!only || only == formats[i]))
            used += (size_t)snprintf(looked_for + used, sizeof looked_for - used, "%s%s",
                                     used ? "; " : "", formats[i]->files);
    if (subset) snprintf(below, sizeof below, ", or in its subset \"%.200s\"", subset);
    char *folder = subset && mr_is_folder(path) ? mr_format("%s/%s", path, subset) : NULL;
    int missing = folder && !mr_is_folder(folder);
    mrcnn_status status =
        missing ? mr_fail(err, MRCNN_E_IO,
                          "%s: there is no such folder, nor other annotations for the subset "
                          "\"%s\" that it stands for",
                          folder, subset)
                : mr_fail(err, MRCNN_E_FORMAT,
                          "%s: there are no annotations that can be read there%s: %s", path, below,
                          looked_for);
    free(folder);
    return status;
}

/* The first format that finds itself in the path. One that is there but broken counts only when no
 * other is. MRCNN_E_UNSUPPORTED: there is nothing. */
static mrcnn_status find_place(const mr_dataset_format **format, mr_place *place, const char *path,
                               const char *subset, mrcnn_error *err) {
    const mr_dataset_format *only = *format;
    mrcnn_error trouble = MRCNN_ERROR_INIT;
    for (size_t i = 0; i < FORMATS; i++) {
        mrcnn_error why = MRCNN_ERROR_INIT;
        if (!formats[i]->find || (only && only != formats[i])) continue;
        mrcnn_status status = formats[i]->find(place, path, subset, &why);
        *format = formats[i];
        if (status == MRCNN_OK) return status;
        if (status == MRCNN_E_MEMORY || status == MRCNN_E_ARGUMENT)
            return mr_fail(err, status, "%s", why.message);
        if (status != MRCNN_E_UNSUPPORTED && trouble.status == MRCNN_OK) trouble = why;
    }
    *format = only;
    if (trouble.status == MRCNN_OK) {
        mr_nothing_here(path, err);
        return MRCNN_E_UNSUPPORTED;
    }
    mr_fail(err, trouble.status, "%s", trouble.message);
    return trouble.status;
}

/* The name "shapes" opens generated pictures unless something of that name is there. */
static mrcnn_status find_format(const mr_dataset_format **format, mr_place *place, const char *path,
                                const mrcnn_dataset_options *options, mrcnn_error *err) {
    struct stat info;
    mrcnn_status status = find_named(format, options->format, err);
    if (status != MRCNN_OK || (*format && !(*format)->find)) return status;
    if (!path) return mr_fail(err, MRCNN_E_ARGUMENT, "opening a data set: path is NULL");
    if (stat(path, &info) == 0) return find_place(format, place, path, options->subset, err);
    if (*format || strcmp(path, "shapes") != 0)
        return mr_fail(err, MRCNN_E_IO, "%s: there is no such folder or file", path);
    *format = &mr_format_shapes;
    return MRCNN_OK;
}

static mrcnn_status check_given_classes(const char *const *names, mrcnn_error *err) {
    mr_names seen = {0};
    mrcnn_status status = MRCNN_OK;
    size_t count = 0;
    for (; names[count] && status == MRCNN_OK; count++) {
        int id = mr_names_add(&seen, names[count]);
        if (id < 0) status = mr_fail_memory(err, strlen(names[count]), "class names");
        if (id >= 0 && (size_t)id != count)
            status =
                mr_fail(err, MRCNN_E_ARGUMENT, "class names: \"%s\" is there twice", names[count]);
    }
    mr_names_free(&seen);
    if (status == MRCNN_OK && count < 2)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "class names: there must be one for the background and at least one more");
    return status;
}

static mrcnn_status open_place(mr_dataset **set, const mr_dataset_format *format, mr_place *place,
                               const mrcnn_dataset_options *options, mrcnn_error *err) {
    mr_dataset *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a data set");
    made->format = format;
    mrcnn_status status = mr_image_take_options(&made->image, options->image, err);
    if (status == MRCNN_OK) status = format->open(made, place, options, err);
    if (status == MRCNN_OK && !made->class_ids) status = mr_dataset_number_classes(made, err);
    if (status != MRCNN_OK)
        mrcnn_dataset_free(&made);
    else
        *set = made;
    return status;
}

static mrcnn_status open_set(mr_dataset **set, const char *path,
                             const mrcnn_dataset_options *options, mrcnn_error *err) {
    const mr_dataset_format *format;
    mr_place place = {NULL, NULL};
    mrcnn_status status = find_format(&format, &place, path, options, err);
    if (status == MRCNN_E_UNSUPPORTED) status = fail_nothing(path, options->subset, format, err);
    if (status == MRCNN_OK && options->class_names)
        status = check_given_classes(options->class_names, err);
    if (status == MRCNN_OK) status = open_place(set, format, &place, options, err);
    mr_place_free(&place);
    return status;
}

mrcnn_status mrcnn_dataset_open(mrcnn_dataset **set, const char *path,
                                const mrcnn_dataset_options *options, mrcnn_error *err) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    if (!set) return mr_fail(err, MRCNN_E_ARGUMENT, "opening a data set: set is NULL");
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_dataset_options", err);
    return status == MRCNN_OK ? open_set(set, path, &o, err) : status;
}

/* A file has no subsets, unless its format says otherwise; formats whose subsets lie in one folder say
 * MRCNN_E_IO where only others are. */
int mrcnn_dataset_is_there(const char *path, const mrcnn_dataset_options *options) {
    struct stat info;
    const mr_dataset_format *format;
    mr_place place = {0};
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    if (mr_take_options(&o, sizeof o, options, "mrcnn_dataset_options", NULL) != MRCNN_OK) return 0;
    if (find_named(&format, o.format, NULL) != MRCNN_OK) return 0;
    mrcnn_status status = find_format(&format, &place, path, &o, NULL);
    mr_place_free(&place);
    if (status == MRCNN_OK) return 1;
    if (status == MRCNN_E_UNSUPPORTED || status == MRCNN_E_IO) return 0;
    if (!path || stat(path, &info) != 0) return 0;
    return !(o.subset && mr_is_file(path));
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const mr_name *)a)->text, ((const mr_name *)b)->text);
}

mrcnn_status mr_dataset_set_classes(mr_dataset *set, const char *const *given,
                                    const char *const *names, size_t count, mrcnn_error *err) {
    size_t total = 0;
    while (given && given[total]) total++;
    if (!given) total = count + 1;
    set->class_names = mr_calloc(total, sizeof *set->class_names);
    set->classes_by_name = mr_calloc(total, sizeof *set->classes_by_name);
    set->active = mr_calloc(total, 1);
    if (!set->class_names || !set->classes_by_name || !set->active)
        return mr_fail_memory(err, total, "class names");
    memset(set->active, 1, total);
    for (size_t i = 0; i < total; i++) {
        const char *name = given ? given[i] : i == 0 ? "BG" : names[i - 1];
        set->class_names[i] = mr_strdup(name);
        if (!set->class_names[i]) return mr_fail_memory(err, strlen(name), "class names");
        if (i) set->classes_by_name[i - 1] = (mr_name){set->class_names[i], (int)i};
        set->class_count++;
    }
    if (total > 2) qsort(set->classes_by_name, total - 1, sizeof(mr_name), compare_names);
    return MRCNN_OK;
}

mrcnn_status mr_dataset_number_classes(mr_dataset *set, mrcnn_error *err) {
    set->class_ids = mr_calloc((size_t)set->class_count, sizeof *set->class_ids);
    for (int i = 0; set->class_ids && i < set->class_count; i++) {
        set->class_ids[i] = mr_format("%d", i);
        if (!set->class_ids[i]) break;
    }
    if (set->class_ids && set->class_ids[set->class_count - 1]) return MRCNN_OK;
    return mr_fail_memory(err, (size_t)set->class_count, "class names");
}

int mr_dataset_class_id(const mr_dataset *set, const char *name) {
    size_t low = 0, high = set->class_count > 1 ? (size_t)set->class_count - 1 : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(set->classes_by_name[middle].text, name);
        if (order == 0) return set->classes_by_name[middle].id;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* ------------------------------------------------------------------------------------- looking */

size_t mr_dataset_picture_count(const mr_dataset *set) {
    return set->picture_count;
}

const mr_picture *mr_dataset_picture(const mr_dataset *set, size_t index) {
    return index < set->picture_count ? &set->pictures[index] : NULL;
}

int mr_dataset_class_count(const mr_dataset *set) {
    return set->class_count;
}

const char *mr_dataset_class_name(const mr_dataset *set, int class_id) {
    return class_id >= 0 && class_id < set->class_count ? set->class_names[class_id] : "";
}

const uint8_t *mr_dataset_active_classes(const mr_dataset *set, size_t index) {
    return set->format->active ? set->format->active(set, index) : set->active;
}

static mrcnn_status check_index(const mr_dataset *set, size_t index, mrcnn_error *err) {
    if (index < set->picture_count) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT, "picture %zu of a data set with %zu", index,
                   set->picture_count);
}

mrcnn_status mr_dataset_read(const mr_dataset *set, size_t index, mrcnn_image *image,
                             mrcnn_error *err) {
    mrcnn_image read = {0};
    mrcnn_status status = check_index(set, index, err);
    if (status == MRCNN_OK) status = set->format->read(set, index, &read, err);
    if (status == MRCNN_OK) /* generated pictures are RGB */
        status = mr_image_convert(&read, set->image.channels, set->pictures[index].id, err);
    if (status == MRCNN_OK)
        *image = read;
    else
        mrcnn_image_free(&read);
    return status;
}

int mr_dataset_channels(const mr_dataset *set) {
    return set->image.channels;
}

int mr_dataset_is_file(const mr_dataset *set, size_t index) {
    if (!set->pictures[index].path) return 0;
    return set->format->is_file ? set->format->is_file(set, index) : 1;
}

const mr_dataset *mr_dataset_part(const mr_dataset *set, size_t *index) {
    while (set->format->part) set = set->format->part(set, index);
    return set;
}

mrcnn_status mr_dataset_read_file(const mr_dataset *set, size_t index, mrcnn_image *image,
                                  mrcnn_error *err) {
    const char *path = set->pictures[index].path;
    if (!path)
        return mr_fail(err, MRCNN_E_IO, "%s: there is no such picture beside the annotations",
                       set->pictures[index].id);
    mrcnn_status status = mr_file_check_plain(path, err);
    return status == MRCNN_OK ? mrcnn_image_read(image, path, &set->image, err) : status;
}
