/* join.c - several data sets as one. The parts stay what they are; here is only which part a picture
 * belongs to, and what its classes are called in the whole. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/names.h"

#include <stdlib.h>
#include <string.h>

typedef struct part {
    mr_dataset *set;
    size_t first;   /* index of its first picture in the whole */
    int *class_ids; /* in the whole, of each of its classes */
} part;

/* Parts of one source annotate its classes together: the second half of a data set doesn't lack what
 * only the first half shows. */
typedef struct source {
    const char *name; /* a part's */
    uint8_t *active;  /* of the whole's classes, those that it annotates */
} source;

typedef struct joined {
    part *parts;
    size_t count;
    source *sources;
    size_t source_count, source_room;
} joined;

static const part *part_of(const mr_dataset *set, size_t index) {
    const joined *j = set->own;
    size_t i = j->count - 1;
    while (j->parts[i].first > index) i--;
    return &j->parts[i];
}

/* ----------------------------------------------------------------------------------- delegating */

static mrcnn_status read_picture(const mr_dataset *set, size_t index, mrcnn_image *image,
                                 mrcnn_error *err) {
    const part *p = part_of(set, index);
    return mr_dataset_read(p->set, index - p->first, image, err);
}

static const mr_dataset *find_part(const mr_dataset *set, size_t *index) {
    const part *p = part_of(set, *index);
    *index -= p->first;
    return p->set;
}

static int is_file(const mr_dataset *set, size_t index) {
    const part *p = part_of(set, index);
    return mr_dataset_is_file(p->set, index - p->first);
}

static mrcnn_status open_masks(mr_masks *masks, mrcnn_error *err) {
    const part *p = part_of(masks->set, masks->index);
    mr_masks *inner = mr_calloc(1, sizeof *inner);
    if (!inner) return mr_fail_memory(err, sizeof *inner, "masks");
    masks->own = inner;
    return mr_masks_open(inner, p->set, masks->index - p->first, masks->height, masks->width, err);
}

static void close_masks(mr_masks *masks) {
    mr_masks_close(masks->own);
    free(masks->own);
}

/* A class of the part as one of the whole's; crowds stay negative. */
static mrcnn_status map_class(const part *p, const mr_masks *masks, size_t object, int id,
                              int *class_id, mrcnn_error *err) {
    if (id <= -p->set->class_count || id >= p->set->class_count)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: object %zu is of class %d; classes are 1 to %d",
                       masks->set->pictures[masks->index].id, object, id, p->set->class_count - 1);
    *class_id = id < 0 ? -p->class_ids[-id] : p->class_ids[id];
    return MRCNN_OK;
}

static mrcnn_status draw(const mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                         mrcnn_error *err) {
    const part *p = part_of(masks->set, masks->index);
    int id = 0;
    mrcnn_status status = mr_masks_draw(masks->own, object, mask, &id, err);
    return status == MRCNN_OK ? map_class(p, masks, object, id, class_id, err) : status;
}

static mrcnn_status encode(const mr_masks *masks, size_t object, uint8_t *scratch, mrcnn_mask *mask,
                           int *class_id, mrcnn_error *err) {
    const part *p = part_of(masks->set, masks->index);
    int id = 0;
    mrcnn_status status = mr_masks_encode(masks->own, object, scratch, mask, &id, err);
    if (status != MRCNN_OK) return status;
    status = map_class(p, masks, object, id, class_id, err);
    if (status != MRCNN_OK) mrcnn_mask_free(mask);
    return status;
}

static void about(const mr_dataset *set, size_t index, size_t object, mr_about_object *told) {
    const part *p = part_of(set, index);
    mr_dataset_about(p->set, index - p->first, object, told);
    told->class_id = p->class_ids[told->class_id];
}

static mrcnn_status polygons(const mr_dataset *set, size_t index, size_t object,
                             mr_polygon_list *list, mrcnn_error *err) {
    const part *p = part_of(set, index);
    return mr_dataset_polygons(p->set, index - p->first, object, list, err);
}

static source *find_source(const joined *j, const char *name) {
    for (size_t i = 0; i < j->source_count; i++)
        if (strcmp(j->sources[i].name, name) == 0) return &j->sources[i];
    return NULL;
}

static const uint8_t *active(const mr_dataset *set, size_t index) {
    return find_source(set->own, set->pictures[index].source)->active;
}

static const char *source_class(const mr_dataset *set, int class_id, const char *source) {
    const joined *j = set->own;
    for (size_t i = 0; i < j->count; i++)
        for (int k = 0; k < j->parts[i].set->class_count; k++) {
            if (j->parts[i].class_ids[k] != class_id) continue;
            const char *id = mrcnn_dataset_source_class(j->parts[i].set, k, source);
            if (id) return id;
        }
    return NULL;
}

/* ------------------------------------------------------------------------------------- joining */

static void close_joined(mr_dataset *set) {
    joined *j = set->own;
    set->picture_count = 0; /* their texts are the parts' */
    for (size_t i = 0; j && i < j->count; i++) {
        mrcnn_dataset_free(&j->parts[i].set);
        free(j->parts[i].class_ids);
    }
    for (size_t i = 0; j && i < j->source_count; i++) free(j->sources[i].active);
    if (j) free(j->sources);
    if (j) free(j->parts);
    free(j);
}

static const mr_dataset_format format_joined = {
    .name = "joined",
    .files = "several data sets",
    .close = close_joined,
    .read = read_picture,
    .is_file = is_file,
    .open_masks = open_masks,
    .close_masks = close_masks,
    .draw = draw,
    .encode = encode,
    .about = about,
    .polygons = polygons,
    .active = active,
    .source_class = source_class,
    .part = find_part,
};

/* Class names in the order in which they first come. */
static mrcnn_status join_classes(mr_dataset *set, mrcnn_dataset **sets, size_t count,
                                 mrcnn_error *err) {
    mr_names seen = {0};
    const char **names = NULL;
    size_t room = 0, total = 0;
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < count; i++) total += (size_t)sets[i]->class_count;
    names = mr_calloc(total, sizeof *names);
    if (!names) return mr_fail_memory(err, total * sizeof *names, "class names");
    for (size_t i = 0; i < count && status == MRCNN_OK; i++)
        for (int k = 1; k < sets[i]->class_count && status == MRCNN_OK; k++) {
            int id = mr_names_add(&seen, sets[i]->class_names[k]);
            if (id < 0) status = mr_fail_memory(err, total, "class names");
            if (id >= 0 && (size_t)id == room) names[room++] = sets[i]->class_names[k];
        }
    if (status == MRCNN_OK) status = mr_dataset_set_classes(set, NULL, names, room, err);
    mr_names_free(&seen);
    free(names);
    return status;
}

static mrcnn_status map_classes(const mr_dataset *set, part *p, const mr_dataset *from,
                                mrcnn_error *err) {
    p->class_ids = mr_calloc((size_t)from->class_count, sizeof *p->class_ids);
    if (!p->class_ids) return mr_fail_memory(err, (size_t)from->class_count, "class names");
    for (int k = 1; k < from->class_count; k++)
        p->class_ids[k] = mr_dataset_class_id(set, from->class_names[k]);
    return MRCNN_OK;
}

static source *add_source(joined *j, const char *name, int class_count) {
    if (!mr_dataset_grow((void **)&j->sources, &j->source_room, j->source_count, 1,
                         sizeof *j->sources))
        return NULL;
    source made = {name, mr_calloc((size_t)class_count, 1)};
    if (!made.active) return NULL;
    made.active[0] = 1;
    j->sources[j->source_count] = made;
    return &j->sources[j->source_count++];
}

/* What each source of a part annotates. */
static mrcnn_status add_sources(mr_dataset *set, const part *p, const mr_dataset *from,
                                mrcnn_error *err) {
    const uint8_t *before = NULL;
    for (size_t i = 0; i < from->picture_count; i++) {
        const uint8_t *annotated = mr_dataset_active_classes(from, i);
        if (annotated == before) continue; /* the same source as the picture before */
        source *s = find_source(set->own, from->pictures[i].source);
        if (!s) s = add_source(set->own, from->pictures[i].source, set->class_count);
        if (!s) return mr_fail_memory(err, (size_t)set->class_count, "a source");
        for (int k = 1; k < from->class_count; k++)
            if (annotated[k]) s->active[p->class_ids[k]] = 1;
        before = annotated;
    }
    return MRCNN_OK;
}

static mrcnn_status add_pictures(mr_dataset *set, const mr_dataset *from, mrcnn_error *err) {
    if (!mr_dataset_grow((void **)&set->pictures, &set->picture_room, set->picture_count,
                         from->picture_count, sizeof *set->pictures))
        return mr_fail_memory(err, from->picture_count * sizeof *set->pictures, "pictures");
    if (from->picture_count)
        memcpy(set->pictures + set->picture_count, from->pictures,
               from->picture_count * sizeof *set->pictures);
    set->picture_count += from->picture_count;
    for (size_t i = 0; i < from->problem_count; i++) {
        const mr_problem *p = &from->problems[i];
        mrcnn_status status =
            mr_dataset_note(set, p->is_error, p->picture, p->object, p->text, err);
        if (status != MRCNN_OK) return status;
    }
    set->without_objects += from->without_objects;
    set->pictures_left_out += from->pictures_left_out;
    set->objects_left_out += from->objects_left_out;
    set->points += from->points;
    return MRCNN_OK;
}

/* All that can fail; the parts' sets are taken over afterwards. */
static mrcnn_status join(mr_dataset *set, mrcnn_dataset **sets, size_t count, mrcnn_error *err) {
    joined *j = mr_calloc(1, sizeof *j);
    set->own = j;
    if (j) j->parts = mr_calloc(count, sizeof *j->parts);
    if (!j || !j->parts) return mr_fail_memory(err, count * sizeof(part), "a joined data set");
    j->count = count;
    mrcnn_status status = join_classes(set, sets, count, err);
    if (status == MRCNN_OK) status = mr_dataset_number_classes(set, err);
    for (size_t i = 0; i < count && status == MRCNN_OK; i++) {
        j->parts[i].first = set->picture_count;
        status = map_classes(set, &j->parts[i], sets[i], err);
        if (status == MRCNN_OK) status = add_sources(set, &j->parts[i], sets[i], err);
        if (status == MRCNN_OK) status = add_pictures(set, sets[i], err);
    }
    return status == MRCNN_OK ? mr_dataset_name_sources(set, err) : status;
}

/* One network reads them all. */
static mrcnn_status check_images(mrcnn_dataset **sets, size_t count, mrcnn_error *err) {
    const mrcnn_image_options *first = &sets[0]->image;
    for (size_t i = 1; i < count; i++) {
        const mrcnn_image_options *other = &sets[i]->image;
        if (other->channels != first->channels || other->low != first->low ||
            other->high != first->high)
            return mr_fail(
                err, MRCNN_E_ARGUMENT,
                "joining data sets: the pictures of one are read with other channels, or "
                "another range of values, than those of the first; open both alike");
    }
    return MRCNN_OK;
}

mrcnn_status mrcnn_dataset_join(mrcnn_dataset **whole, mrcnn_dataset **sets, size_t count,
                                mrcnn_error *err) {
    if (!whole || !sets || count == 0)
        return mr_fail(err, MRCNN_E_ARGUMENT, "joining data sets: there are none");
    for (size_t i = 0; i < count; i++) {
        if (!sets[i]) return mr_fail(err, MRCNN_E_ARGUMENT, "joining data sets: one is NULL");
        for (size_t k = 0; k < i; k++)
            if (sets[k] == sets[i])
                return mr_fail(err, MRCNN_E_ARGUMENT, "joining data sets: one is there twice");
    }
    mrcnn_status same = check_images(sets, count, err);
    if (same != MRCNN_OK) return same;
    mr_dataset *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a joined data set");
    made->format = &format_joined;
    made->image = sets[0]->image;
    mrcnn_status status = join(made, sets, count, err);
    if (status != MRCNN_OK) {
        mrcnn_dataset_free(&made);
        return status;
    }
    joined *j = made->own;
    for (size_t i = 0; i < count; i++) {
        j->parts[i].set = sets[i];
        sets[i] = NULL;
    }
    *whole = made;
    return MRCNN_OK;
}
