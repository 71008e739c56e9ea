/* dataset.c - opening a data set in whatever format it is, and what is common to all of them. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "data/raster.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const mr_dataset_format *const formats[] = {&mr_format_via, &mr_format_shapes};

mrcnn_dataset_options mrcnn_dataset_options_default(void) {
    mrcnn_dataset_options options = {
        .size = sizeof options, .format = "auto", .shapes_height = 128, .shapes_width = 128};
    return options;
}

void mrcnn_dataset_free(mrcnn_dataset **set) {
    if (!set || !*set) return;
    mr_dataset *s = *set;
    for (size_t i = 0; i < s->picture_count; i++)
        free((char *)(s->pictures[i].path ? s->pictures[i].path : s->pictures[i].id));
    for (int i = 0; i < s->class_count; i++) free(s->class_names[i]);
    for (size_t i = 0; i < s->problem_count; i++) {
        free(s->problems[i].picture);
        free(s->problems[i].text);
    }
    free(s->problems);
    free(s->class_names);
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

/* The name "shapes" opens generated pictures unless something of that name is there. */
static const mr_dataset_format *detect(const char *path) {
    struct stat info;
    if (strcmp(path, "shapes") == 0 && stat(path, &info) != 0) return &mr_format_shapes;
    return &mr_format_via;
}

static mrcnn_status find_format(const mr_dataset_format **format, const char *name,
                                const char *path, mrcnn_error *err) {
    *format = NULL;
    if (!name || strcmp(name, "auto") == 0) {
        if (!path) return mr_fail(err, MRCNN_E_ARGUMENT, "opening a data set: path is NULL");
        *format = detect(path);
        return MRCNN_OK;
    }
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i]->name, name) == 0) *format = formats[i];
    if (!*format)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "\"%s\" is no format of data sets: auto, via and shapes can be read", name);
    if (!path && *format != &mr_format_shapes)
        return mr_fail(err, MRCNN_E_ARGUMENT, "opening a data set: path is NULL");
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

static mrcnn_status open_set(mr_dataset **set, const char *path,
                             const mrcnn_dataset_options *options, mrcnn_error *err) {
    const mr_dataset_format *format;
    mrcnn_status status = find_format(&format, options->format, path, err);
    if (status == MRCNN_OK && options->class_names)
        status = check_given_classes(options->class_names, err);
    if (status != MRCNN_OK) return status;
    mr_dataset *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a data set");
    made->format = format;
    status = format->open(made, path, options, err);
    if (status != MRCNN_OK)
        mrcnn_dataset_free(&made);
    else
        *set = made;
    return status;
}

mrcnn_status mrcnn_dataset_open(mrcnn_dataset **set, const char *path,
                                const mrcnn_dataset_options *options, mrcnn_error *err) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    if (!set) return mr_fail(err, MRCNN_E_ARGUMENT, "opening a data set: set is NULL");
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_dataset_options", err);
    return status == MRCNN_OK ? open_set(set, path, &o, err) : status;
}

mrcnn_status mr_dataset_set_classes(mr_dataset *set, const char *const *given,
                                    const char *const *names, size_t count, mrcnn_error *err) {
    size_t total = 0;
    while (given && given[total]) total++;
    if (!given) total = count + 1;
    set->class_names = mr_calloc(total, sizeof *set->class_names);
    set->active = mr_calloc(total, 1);
    if (!set->class_names || !set->active) return mr_fail_memory(err, total, "class names");
    memset(set->active, 1, total);
    for (size_t i = 0; i < total; i++) {
        const char *name = given ? given[i] : i == 0 ? "BG" : names[i - 1];
        set->class_names[i] = mr_strdup(name);
        if (!set->class_names[i]) return mr_fail_memory(err, strlen(name), "class names");
        set->class_count++;
    }
    return MRCNN_OK;
}

int mr_dataset_class_id(const mr_dataset *set, const char *name) {
    for (int i = 1; i < set->class_count; i++)
        if (strcmp(set->class_names[i], name) == 0) return i;
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
    (void)index;
    return set->active;
}

size_t mr_dataset_bytes(const mr_dataset *set) {
    size_t bytes =
        sizeof *set + set->picture_room * sizeof *set->pictures +
        set->first_room * sizeof *set->first_objects + set->object_room * sizeof *set->objects +
        set->number_room * sizeof *set->numbers + set->problem_room * sizeof *set->problems;
    for (size_t i = 0; i < set->picture_count; i++) {
        const mr_picture *p = &set->pictures[i];
        bytes += strlen(p->path ? p->path : p->id) + 1;
    }
    for (size_t i = 0; i < set->problem_count; i++)
        bytes += strlen(set->problems[i].picture) + strlen(set->problems[i].text) + 2;
    return bytes;
}

static mrcnn_status check_index(const mr_dataset *set, size_t index, mrcnn_error *err) {
    if (index < set->picture_count) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT, "picture %zu of a data set with %zu", index,
                   set->picture_count);
}

mrcnn_status mr_dataset_read(const mr_dataset *set, size_t index, mrcnn_image *image,
                             mrcnn_error *err) {
    mrcnn_status status = check_index(set, index, err);
    return status == MRCNN_OK ? set->format->read(set, index, image, err) : status;
}

mrcnn_status mr_dataset_mask(const mr_dataset *set, size_t index, size_t object, int height,
                             int width, uint8_t *mask, int *class_id, mrcnn_error *err) {
    mrcnn_status status = check_index(set, index, err);
    if (status != MRCNN_OK) return status;
    if (object >= set->pictures[index].object_count)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: object %zu of %zu", set->pictures[index].id,
                       object, set->pictures[index].object_count);
    if (height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: a mask of %d x %d pixels",
                       set->pictures[index].id, width, height);
    return set->format->mask(set, index, object, height, width, mask, class_id, err);
}

/* ------------------------------------------------------------------------------ pictures as files */

mrcnn_status mr_dataset_read_file(const mr_dataset *set, size_t index, mrcnn_image *image,
                                  mrcnn_error *err) {
    return mrcnn_image_read(image, set->pictures[index].path, NULL, err);
}

mrcnn_status mr_dataset_fill(const mr_dataset *set, size_t index, size_t object, int height,
                             int width, uint8_t *mask, int *class_id, mrcnn_error *err) {
    (void)err;
    const mr_object *o = &set->objects[set->first_objects[index] + object];
    const double *n = set->numbers + o->first;
    switch (o->outline) {
    case MR_OUTLINE_POLYGON: mr_fill_polygon(n, o->count / 2, height, width, mask); break;
    case MR_OUTLINE_RECT: mr_fill_rect(n[0], n[1], n[2], n[3], height, width, mask); break;
    case MR_OUTLINE_ELLIPSE:
        mr_fill_ellipse(n[0], n[1], n[2], n[3], n[4], height, width, mask);
        break;
    }
    *class_id = o->class_id;
    return MRCNN_OK;
}
