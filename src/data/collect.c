/* collect.c - a data set while its annotations are read: pictures, objects and problems are added,
 * then what can't be used is taken out. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/name_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mr_dataset_grow(void **items, size_t *room, size_t used, size_t count, size_t size) {
    size_t need;
    if (!mr_add_size(used, count, &need)) return 0;
    if (need <= *room) return 1;
    size_t larger = *room ? *room + *room / 2 : 64;
    if (larger < need) larger = need;
    void *moved = mr_realloc(*items, larger, size);
    if (!moved) return 0;
    *items = moved;
    *room = larger;
    return 1;
}

#define GROW(array, room, used, count) \
    mr_dataset_grow((void **)&(array), &(room), (used), (count), sizeof *(array))

static int is_same_kind(const mr_problem *problem, int is_error, const char *text) {
    size_t length = strcspn(text, "0123456789\"");
    return problem->is_error == is_error && strncmp(problem->text, text, length) == 0 &&
           strcspn(problem->text, "0123456789\"") == length;
}

/* The kind of a problem, which is counted as one more; a new one begins with the next problem. */
static const mr_problem_kind *count_kind(mr_dataset *set, int is_error, const char *text) {
    size_t i = 0;
    while (i < set->kind_count &&
           !is_same_kind(&set->problems[set->kinds[i].first], is_error, text))
        i++;
    if (i == MR_PROBLEM_KINDS)
        i--;
    else if (i == set->kind_count)
        set->kinds[set->kind_count++] = (mr_problem_kind){set->problem_count, 0};
    set->kinds[i].count++;
    return &set->kinds[i];
}

mrcnn_status mr_dataset_note(mr_dataset *set, int is_error, const char *picture, int64_t object,
                             const char *text, mrcnn_error *err) {
    if (count_kind(set, is_error, text)->count > MR_PROBLEMS_KEPT) return MRCNN_OK;
    mr_problem problem = {is_error, mr_strdup(picture), object, mr_strdup(text)};
    if (!problem.picture || !problem.text ||
        !GROW(set->problems, set->problem_room, set->problem_count, 1)) {
        free(problem.picture);
        free(problem.text);
        return mr_fail_memory(err, strlen(text), "problems of a data set");
    }
    mr_clean_text(problem.text);
    set->problems[set->problem_count++] = problem;
    return MRCNN_OK;
}

mrcnn_status mr_dataset_add_picture(mr_dataset *set, char *path, const char *id, mrcnn_error *err) {
    if (!GROW(set->pictures, set->picture_room, set->picture_count, 1) ||
        !GROW(set->first_objects, set->first_room, set->picture_count, 1))
        return mr_fail_memory(err, sizeof *set->pictures, "pictures of a data set");
    set->first_objects[set->picture_count] = set->object_count;
    set->pictures[set->picture_count++] = (mr_picture){id, path, set->source, 0};
    return MRCNN_OK;
}

mrcnn_status mr_dataset_add_object(mr_dataset *set, const mr_object *object, const double *numbers,
                                   mrcnn_error *err) {
    if (!GROW(set->objects, set->object_room, set->object_count, 1) ||
        !GROW(set->numbers, set->number_room, set->number_count, object->count))
        return mr_fail_memory(err, object->count * sizeof *numbers, "objects of a data set");
    mr_object *added = &set->objects[set->object_count++];
    *added = *object;
    added->first = set->number_count;
    if (object->count)
        memcpy(set->numbers + set->number_count, numbers, object->count * sizeof *numbers);
    set->number_count += object->count;
    set->pictures[set->picture_count - 1].object_count++;
    return MRCNN_OK;
}

/* ----------------------------------------------------------------------------------- finishing */

typedef struct name_order {
    const char *id;
    size_t index;
} name_order;

static int compare_names(const void *a, const void *b) {
    const name_order *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Of entries with one name the first one stays; the objects of the others go. */
static mrcnn_status drop_repeated(mr_dataset *set, mrcnn_error *err) {
    size_t count = set->picture_count;
    name_order *order = mr_calloc(count, sizeof *order);
    if (!order) return mr_fail_memory(err, count * sizeof *order, "pictures of a data set");
    for (size_t i = 0; i < count; i++) order[i] = (name_order){set->pictures[i].id, i};
    qsort(order, count, sizeof *order, compare_names);
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 1; i < count && status == MRCNN_OK; i++) {
        mr_picture *picture = &set->pictures[order[i].index];
        if (strcmp(order[i].id, order[i - 1].id) != 0) continue;
        char text[160];
        snprintf(text, sizeof text,
                 "there is more than one entry for this picture: one with %zu objects was left out",
                 picture->object_count);
        status = mr_dataset_note(set, 1, picture->id, -1, text, err);
        set->objects_left_out += picture->object_count;
        picture->object_count = 0;
        set->pictures_left_out++;
        picture->source = NULL; /* so that it isn't counted as one without objects */
    }
    free(order);
    return status;
}

/* Classes by name or as they were added, unless the caller gave them. */
static mrcnn_status name_classes(mr_dataset *set, const mr_names *names,
                                 const mrcnn_dataset_options *options, mrcnn_error *err) {
    if (options->class_names)
        return mr_dataset_set_classes(set, options->class_names, NULL, 0, err);
    const char *only = set->source;
    if (names->count == 0) return mr_dataset_set_classes(set, NULL, &only, 1, err);
    const char **sorted = mr_calloc(names->count, sizeof *sorted);
    if (!sorted) return mr_fail_memory(err, names->count * sizeof *sorted, "class names");
    for (size_t i = 0; i < names->count; i++)
        sorted[names->keeps_order ? (size_t)names->items[i].id : i] = names->items[i].text;
    mrcnn_status status = mr_dataset_set_classes(set, NULL, sorted, names->count, err);
    free(sorted);
    return status;
}

typedef struct class_map {
    int *ids;          /* of each name; -1: the caller has no such class */
    size_t *strangers; /* objects of each name that the caller has no class for */
    int unlabelled;    /* of objects without a class; -1: they can't be used */
} class_map;

/* The object's class, or a note about it. */
static mrcnn_status classify(mr_dataset *set, const char *picture, mr_object *object,
                             const class_map *map, mrcnn_error *err) {
    int name = object->class_id;
    object->class_id = name < 0 ? map->unlabelled : map->ids[name];
    if (object->class_id >= 0) return MRCNN_OK;
    set->objects_left_out++;
    if (name >= 0) {
        map->strangers[name]++;
        return MRCNN_OK;
    }
    return mr_dataset_note(set, 1, picture, object->region,
                           "the region has no class: left out; set an attribute such as \"class\"",
                           err);
}

/* Whoever asks for some classes means to leave the others out, unless a name is misspelt. */
static mrcnn_status note_strangers(mr_dataset *set, const mr_names *names, const class_map *map,
                                   mrcnn_error *err) {
    char text[600];
    size_t objects = 0;
    mr_name_list list = {0};
    for (size_t i = 0; i < names->count; i++) {
        if (map->strangers[names->items[i].id] == 0) continue;
        objects += map->strangers[names->items[i].id];
        mr_name_list_add(&list, names->items[i].text);
    }
    if (list.count == 0) return MRCNN_OK;
    if (list.count == 1)
        snprintf(text, sizeof text,
                 "class %s is none of the %d classes asked for: %zu object%s left out",
                 mr_name_list_text(&list), set->class_count - 1, objects, objects == 1 ? "" : "s");
    else
        snprintf(text, sizeof text,
                 "%zu classes are none of the %d asked for: %zu objects left out (%s)", list.count,
                 set->class_count - 1, objects, mr_name_list_text(&list));
    return mr_dataset_note(set, 0, "", -1, text, err);
}

static void free_name(const mr_picture *picture) {
    free((char *)(picture->path ? picture->path : picture->id));
}

/* Moves what remains to the front. Numbers of objects that go stay where they are. */
static mrcnn_status compact(mr_dataset *set, const class_map *map, int keep_empty,
                            mrcnn_error *err) {
    size_t pictures = 0, objects = 0, i = 0;
    mrcnn_status status = MRCNN_OK;
    for (; i < set->picture_count && status == MRCNN_OK; i++) {
        mr_picture picture = set->pictures[i];
        size_t first = objects, had = picture.object_count;
        for (size_t k = 0; k < had && status == MRCNN_OK; k++) {
            mr_object object = set->objects[set->first_objects[i] + k];
            status = classify(set, picture.id, &object, map, err);
            if (object.class_id >= 0) set->objects[objects++] = object;
        }
        picture.object_count = objects - first;
        if (picture.object_count > 0 || (keep_empty && picture.source)) {
            set->first_objects[pictures] = first;
            set->pictures[pictures++] = picture;
            continue;
        }
        if (picture.source) set->without_objects++;
        free_name(&picture);
    }
    for (; i < set->picture_count; i++) free_name(&set->pictures[i]);
    set->picture_count = pictures;
    set->object_count = objects;
    return status;
}

mrcnn_status mr_dataset_finish(mr_dataset *set, const mr_names *names,
                               const mrcnn_dataset_options *options, mrcnn_error *err) {
    class_map map = {mr_calloc(names->count, sizeof(int)), mr_calloc(names->count, sizeof(size_t)),
                     -1};
    mrcnn_status status = map.ids && map.strangers
                              ? drop_repeated(set, err)
                              : mr_fail_memory(err, names->count, "class names");
    if (status == MRCNN_OK) status = name_classes(set, names, options, err);
    if (status == MRCNN_OK) {
        int any = names->count > 0;
        for (size_t i = 0; i < names->count; i++)
            map.ids[names->items[i].id] = mr_dataset_class_id(set, names->items[i].text);
        if (set->class_count == 2 && !any)
            map.unlabelled = 1;
        else if (!any)
            map.unlabelled = mr_dataset_class_id(set, set->source);
        status = compact(set, &map, options->keep_empty, err);
    }
    if (status == MRCNN_OK) status = note_strangers(set, names, &map, err);
    free(map.ids);
    free(map.strangers);
    return status;
}

mrcnn_status mr_dataset_fail_unusable(const mr_dataset *set, mrcnn_error *err, const char *format,
                                      ...) {
    char why[300];
    const mr_problem *first = set->problem_count ? set->problems : NULL;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return mr_fail(err, MRCNN_E_FORMAT, "%s: nothing in it can be used: %s%s%s%s%s",
                   set->annotations, why, first ? "; first: " : "", first ? first->picture : "",
                   first && first->picture[0] ? ": " : "", first ? first->text : "");
}
