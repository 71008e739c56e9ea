/* coco.c - data sets in COCO's format: its index becomes pictures and objects; coordinates stay in the
 * file until a mask is drawn. */
#include "data/coco.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/coco_raster.h"
#include "data/place.h"
#include "image/rle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* set->own. An object's `first` is its place in `shapes`. */
typedef struct coco_set {
    mr_coco_file file;
    mr_coco_shape *shapes;
} coco_set;

static const mr_coco_shape *shape_of(const mr_dataset *set, size_t index, size_t object) {
    const coco_set *own = set->own;
    return &own->shapes[mr_dataset_object(set, index, object)->first];
}

/* ------------------------------------------------------------------------------------- pictures */

typedef struct builder {
    mr_dataset *set;
    const mr_coco_index *index;
    mr_coco_folders folders;
    int folder;       /* that had the last picture */
    uint32_t *counts; /* objects of each image; then where its next one belongs */
    int keep_missing;
    mr_names names;
} builder;

/* The picture's path in the first folder that has it; malloc'ed. *why: why it can't be used. */
static char *locate(builder *b, const char *name, const char **why) {
    const mr_coco_folders *folders = &b->folders;
    char *first = NULL;
    double bytes;
    for (int i = 0; i < folders->count; i++) {
        int folder = (b->folder + i) % folders->count;
        char *path = mr_format("%s/%s", folders->paths[folder], name);
        const char *trouble = path ? mr_judge_picture(name, path, &bytes) : NULL;
        if (path && !trouble) {
            free(first);
            b->folder = folder;
            *why = NULL;
            return path;
        }
        if (i == 0) {
            first = path;
            *why = trouble;
        } else {
            free(path);
        }
    }
    return first;
}

/* A picture with room for its objects. Takes `path` over. */
static mrcnn_status push_picture(builder *b, size_t image, char *path, char *id, size_t *objects,
                                 mrcnn_error *err) {
    mr_dataset *set = b->set;
    uint32_t count = b->counts[image];
    mrcnn_status status = mr_dataset_add_picture(set, path, id, err);
    if (status != MRCNN_OK) {
        free(path ? path : id);
        return status;
    }
    b->counts[image] = (uint32_t)*objects;
    set->first_objects[set->picture_count - 1] = *objects;
    set->pictures[set->picture_count - 1].object_count = count;
    *objects += count;
    return MRCNN_OK;
}

static mrcnn_status add_picture(builder *b, size_t image, size_t *objects, mrcnn_error *err) {
    mr_dataset *set = b->set;
    const char *name = b->index->texts + b->index->images[image].name, *why = NULL;
    uint32_t count = b->counts[image];
    char *path = locate(b, name, &why);
    if (!path) return mr_fail_memory(err, strlen(name), "a path");
    if (why && b->keep_missing && *name) {
        free(path);
        char *id = mr_strdup(name);
        return id ? push_picture(b, image, NULL, id, objects, err)
                  : mr_fail_memory(err, strlen(name), "a picture's name");
    }
    if (why) {
        b->counts[image] = UINT32_MAX;
        free(path);
        set->pictures_left_out++;
        set->objects_left_out += count;
        return mr_dataset_note(set, 1, name, -1, why, err);
    }
    return push_picture(b, image, path, path + strlen(path) - strlen(name), objects, err);
}

/* Pictures in the file's order, each with room for its objects; then the objects, in the file's
 * order within each. */
static mrcnn_status add_pictures(builder *b, mrcnn_error *err) {
    const mr_coco_index *index = b->index;
    mr_dataset *set = b->set;
    size_t objects = 0;
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < index->object_count; i++) b->counts[index->marks[i].image]++;
    for (size_t i = 0; i < index->image_count && status == MRCNN_OK; i++)
        status = add_picture(b, i, &objects, err);
    if (status != MRCNN_OK) return status;
    set->objects = mr_calloc(objects, sizeof *set->objects);
    if (!set->objects) return mr_fail_memory(err, objects * sizeof *set->objects, "objects");
    set->object_count = set->object_room = objects;
    for (size_t i = 0; i < index->object_count; i++) {
        const mr_coco_mark *mark = &index->marks[i];
        if (b->counts[mark->image] == UINT32_MAX) continue;
        const mr_coco_category *category = &index->categories[mark->category];
        set->objects[b->counts[mark->image]++] =
            (mr_object){.class_id = mr_names_find(&b->names, index->texts + category->name),
                        .region = index->shapes[i].place,
                        .outline = MR_OUTLINE_OWN,
                        .is_crowd = mark->is_crowd,
                        .first = i};
    }
    return MRCNN_OK;
}

/* -------------------------------------------------------------------------------------- classes */

static mrcnn_status add_names(builder *b, mrcnn_error *err) {
    b->names.keeps_order = 1;
    for (size_t i = 0; i < b->index->category_count; i++) {
        const char *texts = b->index->texts;
        const mr_coco_category *category = &b->index->categories[i];
        size_t before = b->names.count;
        if (mr_names_add(&b->names, texts + category->name) < 0)
            return mr_fail_memory(err, 0, "class names");
        if (b->names.count > before) continue;
        char *text = mr_format("more than one category has the name \"%.100s\", such as the one "
                               "with the id %.100s: they are one class",
                               texts + category->name, texts + category->id);
        if (!text) return mr_fail_memory(err, 0, "class names");
        mrcnn_status status = mr_dataset_note(b->set, 0, "", -1, text, err);
        free(text);
        if (status != MRCNN_OK) return status;
    }
    return MRCNN_OK;
}

/* What the file calls the classes. */
static mrcnn_status add_class_ids(builder *b, mrcnn_error *err) {
    mr_dataset *set = b->set;
    const mr_coco_index *index = b->index;
    set->class_ids = mr_calloc((size_t)set->class_count, sizeof *set->class_ids);
    if (!set->class_ids) return mr_fail_memory(err, 0, "class names");
    for (size_t i = 0; i < index->category_count; i++) {
        int id = mr_dataset_class_id(set, index->texts + index->categories[i].name);
        if (id < 0 || set->class_ids[id]) continue;
        set->class_ids[id] = mr_strdup(index->texts + index->categories[i].id);
        if (!set->class_ids[id]) return mr_fail_memory(err, 0, "class names");
    }
    return MRCNN_OK;
}

/* -------------------------------------------------------------------------------------- opening */

static mrcnn_status fail_nothing(const mr_dataset *set, const mr_coco_index *index,
                                 mrcnn_error *err) {
    return mr_dataset_fail_unusable(
        set, err,
        "of %zu images %zu have no picture and %zu no usable object; %zu annotations were left out",
        index->image_count, set->pictures_left_out, set->without_objects, set->objects_left_out);
}

static mrcnn_status build(builder *b, const mrcnn_dataset_options *options, mrcnn_error *err) {
    mr_dataset *set = b->set;
    b->counts = mr_calloc(b->index->image_count, sizeof *b->counts);
    if (!b->counts) return mr_fail_memory(err, b->index->image_count * 4, "images");
    mrcnn_status status = mr_coco_find_folders(&b->folders, set->annotations, err);
    if (status == MRCNN_OK) status = add_names(b, err);
    if (status == MRCNN_OK) status = add_pictures(b, err);
    if (status == MRCNN_OK) status = mr_dataset_finish(set, &b->names, options, err);
    if (status == MRCNN_OK) status = add_class_ids(b, err);
    if (status == MRCNN_OK && set->picture_count == 0) status = fail_nothing(set, b->index, err);
    return status;
}

static mrcnn_status open_file(mr_dataset *set, coco_set *own, const mrcnn_dataset_options *options,
                              mrcnn_error *err) {
    mr_coco_index index;
    mrcnn_status status = mr_coco_file_open(&own->file, set->annotations, err);
    if (status == MRCNN_OK)
        status = mr_coco_get_index(&index, set, &own->file, options->index_cache, err);
    if (status != MRCNN_OK) return status;
    builder b = {.set = set, .index = &index, .keep_missing = options->keep_missing};
    status = build(&b, options, err);
    mr_coco_folders_free(&b.folders);
    mr_names_free(&b.names);
    free(b.counts);
    own->shapes = index.shapes;
    index.shapes = NULL;
    mr_coco_index_free(&index);
    return status;
}

static mrcnn_status open_coco(mr_dataset *set, mr_place *place,
                              const mrcnn_dataset_options *options, mrcnn_error *err) {
    coco_set *own = set->own = mr_calloc(1, sizeof *own);
    if (!own) return mr_fail_memory(err, sizeof *own, "a data set");
    own->file.descriptor = -1;
    mrcnn_status status = MRCNN_OK;
    if (!place->file) status = mr_coco_choose_file(place, options->subset, options->year, err);
    if (status != MRCNN_OK) return status;
    set->annotations = place->file;
    place->file = NULL;
    set->source =
        options->source ? mr_strdup(options->source) : mr_dataset_name_source(place->folder);
    if (!set->source) return mr_fail_memory(err, 0, "the data set's name");
    return open_file(set, own, options, err);
}

static void close_coco(mr_dataset *set) {
    coco_set *own = set->own;
    if (!own) return;
    mr_coco_file_close(&own->file);
    free(own->shapes);
    free(own);
    set->own = NULL;
}

/* ---------------------------------------------------------------------------------------- masks */

static mrcnn_status read_segment(mr_coco_segment *segment, const mr_dataset *set, size_t index,
                                 size_t object, mrcnn_error *err) {
    const coco_set *own = set->own;
    const mr_coco_shape *shape = shape_of(set, index, object);
    mrcnn_status status = mr_coco_read_segment(segment, &own->file, shape, err);
    if (status == MRCNN_OK || status == MRCNN_E_IO || status == MRCNN_E_MEMORY) return status;
    char where[400];
    snprintf(where, sizeof where, "%s: %.120s: annotation %u", set->annotations,
             set->pictures[index].id, shape->place);
    return mr_prefix(err, status, where);
}

/* Run lengths of another picture: a crowd covers everything then, as for matterport. */
static mrcnn_status take_runs(const mr_masks *masks, const mr_object *object,
                              const mrcnn_mask *runs, mrcnn_mask *mask, mrcnn_error *err) {
    mr_rle all = {0};
    if (runs->height == masks->height && runs->width == masks->width) {
        for (size_t i = 0; i < runs->count; i++) mr_rle_append(&all, i % 2, runs->counts[i]);
        return mr_rle_finish(&all, mask, masks->height, masks->width, err);
    }
    if (!object->is_crowd)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: annotation %u has run lengths of %d x %d pixels, the picture has %d x "
                       "%d",
                       masks->set->pictures[masks->index].id, object->region, runs->width,
                       runs->height, masks->width, masks->height);
    mr_rle_append(&all, 1, (uint64_t)masks->height * (uint64_t)masks->width);
    return mr_rle_finish(&all, mask, masks->height, masks->width, err);
}

static mrcnn_status encode_coco(const mr_masks *masks, size_t number, uint8_t *scratch,
                                mrcnn_mask *mask, int *class_id, mrcnn_error *err) {
    const mr_dataset *set = masks->set;
    const mr_object *object = mr_dataset_object(set, masks->index, number);
    mr_coco_segment segment;
    (void)scratch;
    mrcnn_status status = read_segment(&segment, set, masks->index, number, err);
    if (status != MRCNN_OK) return status;
    const mr_polygon_list *list = &segment.polygons;
    *class_id = object->is_crowd ? -object->class_id : object->class_id;
    if (list->rule == MR_RULE_NONE)
        status = take_runs(masks, object, &segment.runs, mask, err);
    else
        status = mr_coco_fill(mask, list->xy, list->points, list->count, masks->height,
                              masks->width, err);
    mr_coco_segment_free(&segment);
    return status;
}

static mrcnn_status draw_coco(const mr_masks *masks, size_t number, uint8_t *mask, int *class_id,
                              mrcnn_error *err) {
    mrcnn_mask runs = {0};
    mrcnn_status status = encode_coco(masks, number, NULL, &runs, class_id, err);
    if (status == MRCNN_OK) mrcnn_mask_to_bytes(&runs, mask);
    mrcnn_mask_free(&runs);
    return status;
}

static mrcnn_status coco_polygons(const mr_dataset *set, size_t index, size_t object,
                                  mr_polygon_list *list, mrcnn_error *err) {
    mr_coco_segment segment;
    mrcnn_status status = read_segment(&segment, set, index, object, err);
    if (status != MRCNN_OK) return status;
    *list = segment.polygons;
    mrcnn_mask_free(&segment.runs);
    return MRCNN_OK;
}

static void about_coco(const mr_dataset *set, size_t index, size_t number, mr_about_object *about) {
    const mr_object *object = mr_dataset_object(set, index, number);
    const float *box = shape_of(set, index, number)->box;
    *about = (mr_about_object){
        .class_id = object->class_id, .is_crowd = object->is_crowd, .region = object->region};
    if (isnan(box[0])) return;
    const double sides[4] = {box[1], box[0], (double)box[1] + box[3], (double)box[0] + box[2]};
    about->has_box = 1;
    memcpy(about->box, sides, sizeof sides);
}

const mr_dataset_format mr_format_coco = {
    .name = "coco",
    .files = "a COCO file of images, annotations and categories beside its pictures, or "
             "annotations/instances_SUBSET.json",
    .find = mr_coco_find,
    .open = open_coco,
    .close = close_coco,
    .read = mr_dataset_read_file,
    .draw = draw_coco,
    .encode = encode_coco,
    .about = about_coco,
    .polygons = coco_polygons,
};
