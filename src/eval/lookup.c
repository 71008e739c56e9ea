/* lookup.c - see lookup.h. */
#include "eval/lookup.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEVERAL = -1 }; /* pictures have that name or id */

/* -------------------------------------------------------------------------------------- opening */

static const char *without_folders(const char *name) {
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

static int compare_names(const void *a, const void *b) {
    const mr_lookup_name *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static mrcnn_status sort_names(mr_lookup *l, mrcnn_error *err) {
    const mr_dataset *set = l->reader->set;
    size_t count = set->picture_count;
    l->names = mr_calloc(count, sizeof *l->names);
    l->short_names = mr_calloc(count, sizeof *l->short_names);
    if (!l->names || !l->short_names)
        return mr_fail_memory(err, count * sizeof *l->names, "names of pictures");
    for (size_t i = 0; i < count; i++) {
        const char *name = set->pictures[i].id;
        l->names[i] = (mr_lookup_name){name, (uint32_t)i};
        l->short_names[i] = (mr_lookup_name){without_folders(name), (uint32_t)i};
    }
    if (count) qsort(l->names, count, sizeof *l->names, compare_names);
    if (count) qsort(l->short_names, count, sizeof *l->short_names, compare_names);
    return MRCNN_OK;
}

/* COCO's ids are in the truth; elsewhere a picture's id is the number that its file name is. */
static int id_of_picture(mr_lookup_part *to, const char *name, mr_coco_id *id) {
    enum { MOST_DIGITS = 15 };
    const char *stem = without_folders(name);
    size_t digits = strspn(stem, "0123456789");
    if (digits == 0 || digits > MOST_DIGITS || (stem[digits] != '.' && stem[digits])) return 0;
    mr_json number = {.kind = MR_JSON_NUMBER, .number = strtod(stem, NULL)};
    return mr_coco_id_read(to->ids, &number, id);
}

static mrcnn_status add_images(mr_lookup_part *to, const mr_truth_part *from, mrcnn_error *err) {
    size_t count = from->is_coco ? from->coco.image_count : from->set->picture_count;
    to->images = mr_calloc(count, sizeof *to->images);
    if (!to->images) return mr_fail_memory(err, count * sizeof *to->images, "ids of pictures");
    for (size_t i = 0; i < count; i++) {
        mr_coco_key key = {0, to->ids, (uint32_t)(from->first + i)};
        if (from->is_coco) {
            key = from->coco.images[i];
            key.index += (uint32_t)from->first;
        } else if (!id_of_picture(to, from->set->pictures[i].id, &key.id)) {
            continue;
        }
        to->images[to->image_count++] = key;
    }
    if (!from->is_coco) mr_coco_keys_sort(to->images, to->image_count);
    return MRCNN_OK;
}

static mrcnn_status add_categories(mr_lookup_part *to, const mr_truth_part *from,
                                   const mr_dataset *whole, mrcnn_error *err) {
    const mr_dataset *set = from->set;
    size_t count = from->is_coco ? from->coco.category_count : (size_t)set->class_count;
    to->categories = mr_calloc(count, sizeof *to->categories);
    if (!to->categories) return mr_fail_memory(err, count * sizeof *to->categories, "class ids");
    for (size_t i = from->is_coco ? 0 : 1; i < count; i++) {
        mr_coco_key key = {0, to->ids, (uint32_t)i};
        const char *text = mrcnn_dataset_source_class(set, (int)i, set->source);
        mr_json value = {.kind = MR_JSON_STRING, .text = text};
        if (from->is_coco)
            key = from->coco.categories[i];
        else if (!text || mr_coco_id_read(to->ids, &value, &key.id) != 1)
            continue;
        int id = mr_dataset_class_id(whole, set->class_names[key.index]);
        if (id <= 0) continue;
        key.index = (uint32_t)id;
        to->categories[to->category_count++] = key;
    }
    mr_coco_keys_sort(to->categories, to->category_count);
    return MRCNN_OK;
}

mrcnn_status mr_lookup_open(mr_lookup *l, mr_truth_reader *reader, mrcnn_error *err) {
    *l = (mr_lookup){.reader = reader, .parts = mr_calloc(reader->count, sizeof *l->parts)};
    if (!l->parts) return mr_fail_memory(err, reader->count * sizeof *l->parts, "a data set");
    l->part_count = reader->count;
    mrcnn_status status = sort_names(l, err);
    for (size_t i = 0; i < reader->count && status == MRCNN_OK; i++) {
        mr_truth_part *from = &reader->parts[i];
        l->parts[i].ids = from->is_coco ? &from->coco.ids : &l->parts[i].own;
        status = add_images(&l->parts[i], from, err);
        if (status == MRCNN_OK) status = add_categories(&l->parts[i], from, reader->set, err);
    }
    return status;
}

void mr_lookup_close(mr_lookup *l) {
    for (size_t i = 0; l->parts && i < l->part_count; i++) {
        mr_coco_ids_free(&l->parts[i].own);
        free(l->parts[i].images);
        free(l->parts[i].categories);
    }
    free(l->parts);
    free(l->names);
    free(l->short_names);
    *l = (mr_lookup){0};
}

/* -------------------------------------------------------------------------------------- unknown */

static void note_unknown(mr_unknown *unknown, const char *text) {
    char kept[MR_UNKNOWN_TEXT];
    snprintf(kept, sizeof kept, "%s", text);
    unknown->count++;
    for (size_t i = 0; i < unknown->shown; i++)
        if (strcmp(unknown->texts[i], kept) == 0) return;
    if (unknown->shown < MR_UNKNOWN_SHOWN)
        memcpy(unknown->texts[unknown->shown++], kept, sizeof kept);
}

/* "3 of 20 entries are about KIND that the data set doesn't have: a, b, ..." */
static void describe(char *text, size_t size, const mr_unknown *unknown, const char *kind,
                     size_t total) {
    size_t used = (size_t)snprintf(text, size,
                                   "%zu of %zu entries are about %s that the data set doesn't "
                                   "have: ",
                                   unknown->count, total, kind);
    for (size_t i = 0; i < unknown->shown && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", unknown->texts[i]);
    if (unknown->shown == MR_UNKNOWN_SHOWN && used < size)
        snprintf(text + used, size - used, ", ...");
}

mrcnn_status mr_lookup_check(const mr_lookup *l, const char *path, size_t total, mrcnn_error *err) {
    enum { TEXT = 450 };
    char pictures[TEXT] = "", classes[TEXT] = "";
    if (!l->pictures.count && !l->classes.count) return MRCNN_OK;
    if (l->pictures.count) describe(pictures, TEXT, &l->pictures, "pictures", total);
    if (l->classes.count) describe(classes, TEXT, &l->classes, "classes", total);
    return mr_fail(err, MRCNN_E_ARGUMENT, "%s: %s%s%s: give the data set that these results are of",
                   path, pictures, *pictures && *classes ? "; " : "", classes);
}

/* ------------------------------------------------------------------------------------- pictures */

/* The picture of that name; -1: there are several; 0: there is none. */
static int find_name(const mr_lookup_name *names, size_t count, const char *name,
                     uint32_t *picture) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || strcmp(names[low].name, name) != 0) return 0;
    *picture = names[low].index;
    return low + 1 < count && strcmp(names[low + 1].name, name) == 0 ? SEVERAL : 1;
}

static int find_by_name(const mr_lookup *l, const char *name, uint32_t *picture) {
    size_t count = l->reader->set->picture_count;
    int found = find_name(l->names, count, name, picture);
    return found ? found : find_name(l->short_names, count, without_folders(name), picture);
}

/* The key of that id among those of a part; *status is not MRCNN_OK when the value is no id. */
static const mr_coco_key *find_key(const mr_lookup_part *part, const mr_coco_key *keys,
                                   size_t count, const mr_json *value, mrcnn_status *status) {
    mr_coco_ids before = *part->ids;
    mr_coco_id id;
    int has_id = mr_coco_id_read(part->ids, value, &id);
    *status = has_id > 0 ? MRCNN_OK : has_id < 0 ? MRCNN_E_MEMORY : MRCNN_E_FORMAT;
    const mr_coco_key *key = has_id > 0 ? mr_coco_keys_find(keys, count, part->ids, id) : NULL;
    part->ids->bytes = before.bytes; /* the text was for this search only */
    part->ids->last = before.last;
    return key;
}

static mrcnn_status fail_id(const char *key, const mr_json *value, mrcnn_status status,
                            mrcnn_error *err) {
    if (status == MRCNN_E_MEMORY) return mr_fail_memory(err, 0, "ids");
    return mr_fail(err, status, "%s is %s instead of a whole number or a text", key,
                   mr_json_kind_name(value));
}

/* "image_id 17" */
static void print_id(char *text, size_t size, const char *key, const mr_json *value) {
    if (mr_json_text(value))
        snprintf(text, size, "%s \"%.40s\"", key, mr_json_text(value));
    else
        snprintf(text, size, "%s %.0f", key, value ? value->number : 0);
}

static mrcnn_status find_by_id(const mr_lookup *l, const mr_json *value, uint32_t *picture,
                               int *found, mrcnn_error *err) {
    *found = 0;
    for (size_t i = 0; i < l->part_count; i++) {
        const mr_lookup_part *part = &l->parts[i];
        mrcnn_status status;
        const mr_coco_key *key = find_key(part, part->images, part->image_count, value, &status);
        if (status != MRCNN_OK) return fail_id("image_id", value, status, err);
        if (!key) continue;
        int is_last = key + 1 == part->images + part->image_count;
        int is_shared = !l->reader->parts[i].is_coco && !is_last && key[1].id == key->id;
        *found = *found || is_shared ? SEVERAL : 1;
        *picture = key->index;
    }
    return MRCNN_OK;
}

/* *found: as find_name says. */
static mrcnn_status find_picture(mr_lookup *l, const mr_json *entry, uint32_t *picture, int *found,
                                 mrcnn_error *err) {
    const char *name = mr_json_text(mr_json_get(entry, "file_name"));
    const mr_json *id = mr_json_get(entry, "image_id");
    char text[MR_UNKNOWN_TEXT];
    mrcnn_status status = MRCNN_OK;
    if (name)
        *found = find_by_name(l, name, picture);
    else
        status = find_by_id(l, id, picture, found, err);
    if (status != MRCNN_OK || *found == 1) return status;
    if (name)
        print_id(text, sizeof text, "file_name", mr_json_get(entry, "file_name"));
    else
        print_id(text, sizeof text, "image_id", id);
    if (*found == SEVERAL)
        return mr_fail(err, MRCNN_E_ARGUMENT, "several pictures of the data set have the %s", text);
    note_unknown(&l->pictures, text);
    return MRCNN_OK;
}

/* -------------------------------------------------------------------------------------- classes */

static size_t part_of(const mr_lookup *l, uint32_t picture) {
    return (size_t)(mr_truth_part_of(l->reader, picture) - l->reader->parts);
}

/* *class_id is 0 when there is no such class. */
static mrcnn_status find_class(mr_lookup *l, const mr_json *entry, uint32_t picture,
                               int32_t *class_id, mrcnn_error *err) {
    const mr_json *name = mr_json_get(entry, "category_name");
    const mr_json *id = mr_json_get(entry, "category_id");
    char text[MR_UNKNOWN_TEXT];
    if (mr_json_text(name)) {
        int found = mr_dataset_class_id(l->reader->set, mr_json_text(name));
        *class_id = found > 0 ? found : 0;
        print_id(text, sizeof text, "category_name", name);
    } else {
        const mr_lookup_part *part = &l->parts[part_of(l, picture)];
        mrcnn_status status;
        const mr_coco_key *key =
            find_key(part, part->categories, part->category_count, id, &status);
        if (status != MRCNN_OK) return fail_id("category_id", id, status, err);
        *class_id = key ? (int32_t)key->index : 0;
        print_id(text, sizeof text, "category_id", id);
    }
    if (!*class_id) note_unknown(&l->classes, text);
    return MRCNN_OK;
}

mrcnn_status mr_lookup_entry(mr_lookup *l, const mr_json *entry, uint32_t *picture,
                             int32_t *class_id, mrcnn_error *err) {
    int found = 0;
    *class_id = 0;
    mrcnn_status status = find_picture(l, entry, picture, &found, err);
    return status == MRCNN_OK && found ? find_class(l, entry, *picture, class_id, err) : status;
}
