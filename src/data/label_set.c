/* label_set.c - see label_set.h. */
#include "data/label_set.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/picture_size.h"
#include "data/place.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- opening */

mrcnn_status mr_label_set_make(mr_dataset *set, char *folder, const mr_label_ending *endings,
                               mrcnn_error *err) {
    mr_label_set *own = mr_calloc(1, sizeof *own);
    set->own = own;
    set->annotations = folder ? mr_strdup(folder) : NULL;
    if (!own || !set->annotations) {
        free(folder);
        return mr_fail_memory(err, sizeof *own, "a data set of labels");
    }
    *own = (mr_label_set){folder, endings};
    return MRCNN_OK;
}

void mr_label_close(mr_dataset *set) {
    mr_label_set *own = set->own;
    if (own) free(own->folder);
    free(own);
}

mrcnn_status mr_label_find(const mr_label_set *own, const char *id, char **path, mrcnn_error *err) {
    size_t length = mr_stem_length(id);
    *path = NULL;
    for (const mr_label_ending *e = own->endings; e->labels; e++) {
        size_t tail = strlen(e->picture);
        if (length < tail || strncmp(id + length - tail, e->picture, tail) != 0) continue;
        char *name = mr_format("%s/%.*s%s", own->folder, (int)(length - tail), id, e->labels);
        if (!name) return mr_fail_memory(err, length, "a path");
        if (mr_is_file(name)) {
            *path = name;
            return MRCNN_OK;
        }
        free(name);
    }
    return MRCNN_OK;
}

mrcnn_status mr_label_add_picture(mr_dataset *set, mr_label_job *job, int *added,
                                  mrcnn_error *err) {
    *added = 0;
    if (job->why) {
        set->pictures_left_out++;
        return mr_dataset_note(set, 1, job->id ? job->id : "", -1, job->why, err);
    }
    mrcnn_status status = mr_dataset_add_picture(set, job->path, job->id, err);
    if (status != MRCNN_OK) return status;
    job->path = NULL;
    *added = 1;
    return MRCNN_OK;
}

mrcnn_status mr_label_add_object(mr_dataset *set, const mr_count *count, int name, int is_crowd,
                                 mrcnn_error *err) {
    double box[4];
    for (int i = 0; i < 4; i++) box[i] = count->box[i];
    mr_object object = {.class_id = name,
                        .region = (uint32_t)count->number,
                        .outline = MR_OUTLINE_OWN,
                        .is_crowd = (uint8_t)is_crowd,
                        .count = 4};
    return mr_dataset_add_object(set, &object, box, err);
}

static mrcnn_status fail_nothing(const mr_dataset *set, mrcnn_error *err) {
    return mr_dataset_fail_unusable(
        set, err,
        "%zu pictures were left out, %zu have no usable object; %zu objects were left out",
        set->pictures_left_out, set->without_objects, set->objects_left_out);
}

/* Sorting by name, as mr_dataset_finish does for names that come as they like, would lose the order
 * that a list gives. */
static mrcnn_status finish_in_order(mr_dataset *set, const mr_names *names,
                                    const char *const *classes, size_t count,
                                    const mrcnn_dataset_options *options, mrcnn_error *err) {
    mrcnn_dataset_options ordered = *options;
    const char **all = mr_calloc(count + 2, sizeof *all);
    if (!all) return mr_fail_memory(err, count * sizeof *all, "class names");
    all[0] = "BG";
    for (size_t i = 0; i < count; i++) all[i + 1] = classes[i];
    if (!ordered.class_names && count) ordered.class_names = all;
    mrcnn_status status = mr_dataset_finish(set, names, &ordered, err);
    free(all);
    return status;
}

mrcnn_status mr_label_finish(mr_dataset *set, const char *const *classes, size_t count,
                             const mrcnn_dataset_options *options, mrcnn_error *err) {
    mr_names names = {0};
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < count && status == MRCNN_OK; i++) {
        int id = mr_names_add(&names, classes[i]);
        if (id < 0) status = mr_fail_memory(err, strlen(classes[i]), "class names");
        if (id >= 0 && (size_t)id != i)
            status = mr_fail(err, MRCNN_E_FORMAT, "%s: the list of classes has \"%.100s\" twice",
                             set->annotations, classes[i]);
    }
    if (status == MRCNN_OK) status = finish_in_order(set, &names, classes, count, options, err);
    if (status == MRCNN_OK && set->picture_count == 0) status = fail_nothing(set, err);
    mr_names_free(&names);
    return status;
}

/* --------------------------------------------------------------------------------------- masks */

typedef struct label_masks {
    char *path;
    mr_labels labels; /* read when the first mask is drawn */
} label_masks;

static mrcnn_status check_size(const mr_masks *masks, int32_t height, int32_t width,
                               mrcnn_error *err) {
    const label_masks *own = masks->own;
    if (height == masks->height && width == masks->width) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_FORMAT,
                   "%s: it has %d x %d pixels, but the picture %s %d x %d: was one of them resized "
                   "or turned?",
                   own->path, width, height, masks->set->pictures[masks->index].id, masks->width,
                   masks->height);
}

mrcnn_status mr_label_open_masks(mr_masks *masks, mrcnn_error *err) {
    const mr_picture *picture = &masks->set->pictures[masks->index];
    int32_t height = 0, width = 0;
    label_masks *own = mr_calloc(1, sizeof *own);
    masks->own = own;
    if (!own) return mr_fail_memory(err, sizeof *own, "masks");
    mrcnn_status status = mr_label_find(masks->set->own, picture->id, &own->path, err);
    if (status != MRCNN_OK) return status;
    if (!own->path)
        return mr_fail(err, MRCNN_E_IO, "%s: its label file was there, but isn't any more",
                       picture->id);
    status = mr_picture_size(own->path, &height, &width, err);
    return status == MRCNN_OK ? check_size(masks, height, width, err) : status;
}

void mr_label_close_masks(mr_masks *masks) {
    label_masks *own = masks->own;
    if (!own) return;
    mr_labels_free(&own->labels);
    free(own->path);
    free(own);
}

/* Pixels with that number lie in the object's box. */
static void draw(const mr_labels *labels, const double box[4], uint32_t number, uint8_t *mask) {
    size_t width = (size_t)labels->width, left = (size_t)box[1], right = (size_t)box[3];
    memset(mask, 0, (size_t)labels->height * width);
    for (size_t y = (size_t)box[0]; y < (size_t)box[2]; y++)
        for (size_t i = y * width + left; i < y * width + right; i++)
            mask[i] = mr_label_at(labels, i) == number;
}

mrcnn_status mr_label_draw(const mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                           mrcnn_error *err) {
    const mr_dataset *set = masks->set;
    const mr_object *o = mr_dataset_object(set, masks->index, object);
    const double *box = set->numbers + o->first;
    label_masks *own = masks->own;
    mrcnn_status status = MRCNN_OK;
    if (!own->labels.pixels)
        status = mr_labels_read(&own->labels, own->path, set->image.max_pixels, err);
    if (status == MRCNN_OK) status = check_size(masks, own->labels.height, own->labels.width, err);
    if (status == MRCNN_OK && (box[2] > masks->height || box[3] > masks->width))
        status = mr_fail(err, MRCNN_E_FORMAT, "%s: it was changed while it is in use", own->path);
    if (status != MRCNN_OK) return status;
    draw(&own->labels, box, o->region, mask);
    *class_id = o->is_crowd ? -o->class_id : o->class_id;
    return MRCNN_OK;
}

void mr_label_about(const mr_dataset *set, size_t index, size_t object, mr_about_object *about) {
    const mr_object *o = mr_dataset_object(set, index, object);
    *about = (mr_about_object){
        .class_id = o->class_id, .is_crowd = o->is_crowd, .region = o->region, .has_box = 1};
    memcpy(about->box, set->numbers + o->first, sizeof about->box);
}
