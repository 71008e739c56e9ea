/* coco_truth.c - see coco_truth.h. The file is read once more, without its coordinates. What is wrong
 * with a record was noted when the set was opened; here it is passed over. */
#include "data/coco_truth.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/coco_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES, ANNOTATIONS, CATEGORIES, SECTIONS };

typedef struct name_index {
    const char *name;
    size_t index;
} name_index;

typedef struct reading {
    mr_coco_truth *truth;
    const mr_dataset *set;
    name_index *names; /* of the set's pictures, sorted */
    int section;
} reading;

#define GROW(array, room, used) \
    mr_dataset_grow((void **)&(array), &(room), (used), 1, sizeof *(array))

/* --------------------------------------------------------------------------------------- names */

static int compare_names(const void *a, const void *b) {
    const name_index *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static mrcnn_status sort_names(reading *r, mrcnn_error *err) {
    size_t count = r->set->picture_count;
    r->names = mr_calloc(count, sizeof *r->names);
    if (!r->names) return mr_fail_memory(err, count * sizeof *r->names, "names of pictures");
    for (size_t i = 0; i < count; i++) r->names[i] = (name_index){r->set->pictures[i].id, i};
    if (count) qsort(r->names, count, sizeof *r->names, compare_names);
    return MRCNN_OK;
}

static int find_picture(const reading *r, const char *name, size_t *index) {
    name_index key = {name, 0};
    size_t count = r->set->picture_count;
    const name_index *found =
        count ? bsearch(&key, r->names, count, sizeof key, compare_names) : NULL;
    if (found) *index = found->index;
    return found != NULL;
}

/* ------------------------------------------------------------------------------------- records */

static mrcnn_status add_image(reading *r, const mr_json *record, mrcnn_error *err) {
    mr_coco_truth *t = r->truth;
    const char *name = mr_json_text(mr_json_get(record, "file_name"));
    mr_coco_id id;
    size_t index;
    int has_id = mr_coco_id_read(&t->ids, mr_json_get(record, "id"), &id);
    if (has_id < 0 || !GROW(t->images, t->image_room, t->image_count))
        return mr_fail_memory(err, sizeof *t->images, "images of a COCO file");
    if (!has_id || !name || !find_picture(r, name, &index)) return MRCNN_OK;
    t->images[t->image_count++] = (mr_coco_key){id, &t->ids, (uint32_t)index};
    if (t->sizes[index][0])
        return MRCNN_OK; /* the first entry of the name is the one that counts */
    t->sizes[index][0] = mr_coco_read_length(mr_json_get(record, "height"));
    t->sizes[index][1] = mr_coco_read_length(mr_json_get(record, "width"));
    return MRCNN_OK;
}

static mrcnn_status add_category(reading *r, const mr_json *record, mrcnn_error *err) {
    mr_coco_truth *t = r->truth;
    const char *name = mr_json_text(mr_json_get(record, "name"));
    mr_coco_id id;
    int has_id = mr_coco_id_read(&t->ids, mr_json_get(record, "id"), &id);
    if (has_id < 0 || !GROW(t->categories, t->category_room, t->category_count))
        return mr_fail_memory(err, sizeof *t->categories, "categories of a COCO file");
    int class_id = has_id && name ? mr_dataset_class_id(r->set, name) : -1;
    if (class_id > 0)
        t->categories[t->category_count++] = (mr_coco_key){id, &t->ids, (uint32_t)class_id};
    return MRCNN_OK;
}

static mr_coco_measure read_measure(const mr_json *record) {
    mr_coco_measure m = {{NAN, NAN, NAN, NAN}, NAN};
    double v[4], area;
    if (mr_json_numbers(mr_json_get(record, "bbox"), v, 4) && v[2] >= 0 && v[3] >= 0)
        memcpy(m.box, v, sizeof v);
    if (mr_json_number(mr_json_get(record, "area"), &area) && area >= 0) m.area = area;
    return m;
}

static mrcnn_status add_measure(reading *r, const mr_json *record, mrcnn_error *err) {
    mr_coco_truth *t = r->truth;
    if (!GROW(t->measures, t->measure_room, t->measure_count))
        return mr_fail_memory(err, sizeof *t->measures, "objects of a COCO file");
    t->measures[t->measure_count++] = read_measure(record);
    return MRCNN_OK;
}

/* -------------------------------------------------------------------------------------- reading */

static mr_json_choice choose(void *user, const mr_json_place *place) {
    static const char *const sections[SECTIONS] = {"images", "annotations", "categories"};
    reading *r = user;
    if (place->depth == 0) return MR_JSON_WALK;
    if (place->depth > 1) return MR_JSON_TAKE;
    for (r->section = 0; r->section < SECTIONS; r->section++)
        if (place->kind == MR_JSON_ARRAY && strcmp(place->key, sections[r->section]) == 0)
            return MR_JSON_WALK;
    return MR_JSON_SKIP;
}

static mrcnn_status read_record(void *user, const mr_json_place *place, const mr_json *value,
                                mrcnn_error *err) {
    reading *r = user;
    (void)place;
    switch (r->section) {
    case IMAGES: return add_image(r, value, err);
    case ANNOTATIONS: return add_measure(r, value, err);
    default: return add_category(r, value, err);
    }
}

/* A picture that two ids name has the place of the first. */
static void rank_pictures(mr_coco_truth *t, size_t pictures) {
    uint32_t next = 0;
    for (size_t i = 0; i < pictures; i++) t->ranks[i] = UINT32_MAX;
    for (size_t i = 0; i < t->image_count; i++)
        if (t->ranks[t->images[i].index] == UINT32_MAX) t->ranks[t->images[i].index] = next++;
    for (size_t i = 0; i < pictures; i++)
        if (t->ranks[i] == UINT32_MAX) t->ranks[i] = next++;
}

mrcnn_status mr_coco_truth_read(mr_coco_truth *t, const mr_dataset *set, mrcnn_error *err) {
    reading r = {.truth = t, .set = set};
    mr_json_reader reader = {choose, read_record, &r};
    size_t pictures = set->picture_count;
    *t = (mr_coco_truth){.sizes = mr_calloc(pictures, sizeof *t->sizes),
                         .ranks = mr_calloc(pictures, sizeof *t->ranks)};
    mrcnn_status status = t->sizes && t->ranks
                              ? sort_names(&r, err)
                              : mr_fail_memory(err, pictures * sizeof *t->sizes, "pictures");
    if (status == MRCNN_OK)
        status = mr_json_read_cutting(set->annotations, "segmentation", &reader, err);
    free(r.names);
    if (status != MRCNN_OK) return status;
    mr_coco_keys_sort(t->images, t->image_count);
    mr_coco_keys_sort(t->categories, t->category_count);
    rank_pictures(t, pictures);
    return MRCNN_OK;
}

void mr_coco_truth_free(mr_coco_truth *t) {
    mr_coco_ids_free(&t->ids);
    free(t->images);
    free(t->categories);
    free(t->sizes);
    free(t->ranks);
    free(t->measures);
    *t = (mr_coco_truth){0};
}
