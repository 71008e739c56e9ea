/* write.c - writes a data set in another format: pictures and masks one at a time, what there is to
 * say about them from the set, how it is said from the format's writer. */
#include "data/write.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "config/nearest.h"
#include "data/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const mr_dataset_writer *const writers[] = {
    &mr_writer_coco, &mr_writer_via,    &mr_writer_labelme, &mr_writer_yolo,
    &mr_writer_png,  &mr_writer_labels, &mr_writer_voc,     NULL};

enum { KINDS = 32 }; /* of things that a format can't say; further ones are not told */

typedef struct loss {
    const char *what;
    size_t count;
} loss;

typedef struct job {
    const mr_dataset *set;
    const mr_dataset_writer *writer;
    const mrcnn_dataset_write_options *options;
    mr_writing writing;
    mrcnn_dataset_written done;
    char **names; /* of pictures */
    char **made;  /* paths of pictures that were put */
    size_t made_count, made_room;
    mr_written_object *objects; /* of one picture */
    size_t object_count, object_room;
    uint8_t *drawn; /* a mask */
    size_t drawn_room;
    loss losses[KINDS];
    size_t loss_count;
    mrcnn_error *err;
} job;

mrcnn_dataset_write_options mrcnn_dataset_write_options_default(void) {
    mrcnn_dataset_write_options options = {
        .size = sizeof options, .format = "coco", .subset = "train"};
    return options;
}

const char *mrcnn_dataset_writer(size_t index) {
    for (size_t i = 0; writers[i]; i++)
        if (i == index) return writers[i]->name;
    return NULL;
}

static void lose(void *user, const char *what) {
    job *j = user;
    size_t i = 0;
    while (i < j->loss_count && strcmp(j->losses[i].what, what) != 0) i++;
    if (i == KINDS) return;
    if (i == j->loss_count) j->losses[j->loss_count++] = (loss){what, 0};
    j->losses[i].count++;
}

/* Something can't be read: left out, if that is wanted. */
static mrcnn_status leave_out(job *j, const mrcnn_error *why) {
    if (why->status == MRCNN_E_MEMORY || !j->options->left_out)
        return mr_fail(j->err, why->status, "%s", why->message);
    j->options->left_out(j->options->user, why->message);
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------- objects */

static void forget_objects(job *j) {
    for (size_t i = 0; i < j->object_count; i++) {
        mrcnn_mask_free(&j->objects[i].mask);
        mr_polygon_list_free(&j->objects[i].polygons);
    }
    j->object_count = 0;
}

static mrcnn_status keep_object(job *j, const mr_masks *masks, size_t k, int class_id) {
    mr_written_object object = {.class_id = abs(class_id), .is_crowd = class_id < 0};
    if (!mr_dataset_grow((void **)&j->objects, &j->object_room, j->object_count, 1, sizeof object))
        return mr_fail_memory(j->err, sizeof object, "objects");
    mrcnn_status status =
        mrcnn_mask_from_bytes(&object.mask, j->drawn, masks->height, masks->width, j->err);
    if (status == MRCNN_OK)
        status = mr_dataset_polygons(j->set, masks->index, k, &object.polygons, j->err);
    if (status != MRCNN_OK)
        mrcnn_mask_free(&object.mask);
    else
        j->objects[j->object_count++] = object;
    return status;
}

/* Objects that have no pixel in their picture are left out, as in training. */
static mrcnn_status take_object(job *j, mr_masks *masks, size_t k) {
    mrcnn_error broken = MRCNN_ERROR_INIT;
    int class_id = 0;
    if (mr_masks_draw(masks, k, j->drawn, &class_id, &broken) != MRCNN_OK) {
        j->done.objects_left_out++;
        return leave_out(j, &broken);
    }
    if (memchr(j->drawn, 1, (size_t)masks->height * (size_t)masks->width))
        return keep_object(j, masks, k, class_id);
    j->done.objects_left_out++;
    return MRCNN_OK;
}

/* *readable becomes 0 when the picture has no masks that can be opened. */
static mrcnn_status take_objects(job *j, size_t index, int32_t height, int32_t width,
                                 int *readable) {
    mr_masks masks;
    mrcnn_error broken = MRCNN_ERROR_INIT;
    mrcnn_status status = MRCNN_OK;
    if (mr_masks_open(&masks, j->set, index, height, width, &broken) != MRCNN_OK) {
        *readable = 0;
        status = leave_out(j, &broken);
    } else {
        size_t count = mr_dataset_picture(j->set, index)->object_count;
        status = mr_scratch_mask(&j->drawn, &j->drawn_room, height, width, j->err);
        for (size_t k = 0; k < count && status == MRCNN_OK; k++) status = take_object(j, &masks, k);
    }
    mr_masks_close(&masks);
    return status;
}

/* ------------------------------------------------------------------------------------ pictures */

/* The folder must hold nothing when the first picture comes. */
static mrcnn_status check_folder(const job *j, const char *folder) {
    mr_listing listing = {NULL, 0, 0};
    if (j->made_count || !mr_is_folder(folder)) return MRCNN_OK;
    mrcnn_status status = mr_list_folder(&listing, folder, NULL, j->err);
    if (status == MRCNN_OK && listing.count)
        status = mr_fail(j->err, MRCNN_E_ARGUMENT,
                         "%s: is not empty: give another folder, or take its files away", folder);
    mr_listing_free(&listing);
    return status;
}

static mrcnn_status put_picture(job *j, size_t index, const mr_written_picture *picture) {
    char *below = j->writer->picture_folder(&j->writing, picture);
    char *folder = below ? mr_format("%s/%s", j->writing.folder, below) : NULL;
    char *path = folder ? mr_format("%s/%s", folder, picture->file) : NULL;
    mrcnn_status status = MRCNN_OK;
    if (!path ||
        !mr_dataset_grow((void **)&j->made, &j->made_room, j->made_count, 1, sizeof *j->made))
        status = mr_fail_memory(j->err, strlen(picture->file), "a path");
    if (status == MRCNN_OK) status = check_folder(j, folder);
    if (status == MRCNN_OK)
        status = mr_put_picture(j->set, index, path, j->options->pictures == MRCNN_PICTURES_LINK,
                                j->err);
    free(folder);
    free(below);
    if (status == MRCNN_OK)
        j->made[j->made_count++] = path;
    else
        free(path);
    return status;
}

/* Which classes were looked for in a picture: no format says it. */
static void look_at_active(job *j, size_t index) {
    const uint8_t *active = mr_dataset_active_classes(j->set, index);
    if (memchr(active, 0, (size_t)j->writing.class_count))
        lose(j, "which classes were not looked for in a picture");
}

static mrcnn_status write_picture(job *j, size_t index) {
    mrcnn_error broken = MRCNN_ERROR_INIT;
    int32_t height = 0, width = 0;
    int readable = 1;
    mrcnn_status status = MRCNN_OK;
    if (mr_dataset_picture_size(j->set, index, &height, &width, &broken) != MRCNN_OK) {
        readable = 0;
        status = leave_out(j, &broken);
    }
    if (status == MRCNN_OK && readable) status = take_objects(j, index, height, width, &readable);
    if (status == MRCNN_OK && readable) {
        mr_written_picture picture = {j->names[index], j->names[index], height,
                                      width,           j->object_count, j->objects};
        if (j->options->pictures != MRCNN_PICTURES_NONE) status = put_picture(j, index, &picture);
        if (status == MRCNN_OK) status = j->writer->add(&j->writing, &picture, j->err);
        look_at_active(j, index);
        j->done.pictures++;
        j->done.objects += j->object_count;
    } else if (!readable) {
        j->done.pictures_left_out++;
        j->done.objects_left_out += mr_dataset_picture(j->set, index)->object_count;
    }
    forget_objects(j);
    return status;
}

static mrcnn_status write_pictures(job *j) {
    const mrcnn_dataset_write_options *o = j->options;
    size_t total = 0, done = 0;
    for (size_t i = 0; i < j->set->picture_count; i++) total += j->names[i] != NULL;
    for (size_t i = 0; i < j->set->picture_count; i++) {
        if (!j->names[i]) continue;
        if (o->progress && o->progress(o->user, done++, total))
            return mr_fail(j->err, MRCNN_E_CANCELLED, "writing the data set was stopped");
        mrcnn_status status = write_picture(j, i);
        if (status != MRCNN_OK) return status;
    }
    if (j->done.pictures) return MRCNN_OK;
    return mr_fail(j->err, MRCNN_E_ARGUMENT,
                   "%s: there is no picture to write for the subset \"%s\"", j->writing.folder,
                   j->writing.subset);
}

/* --------------------------------------------------------------------------------- the data set */

/* Nothing may be there that would be mixed with what is written. */
static mrcnn_status check_destination(const job *j) {
    const mr_writing *w = &j->writing;
    if (!*w->subset || strchr(w->subset, '/') || w->subset[0] == '.')
        return mr_fail(j->err, MRCNN_E_ARGUMENT, "\"%s\" is no name for a subset", w->subset);
    if (!mr_is_folder(w->folder)) return MRCNN_OK;
    char *folder = mr_format("%s/%s", w->folder, w->subset);
    if (!folder) return mr_fail_memory(j->err, strlen(w->folder), "a path");
    mrcnn_status status = check_folder(j, folder);
    free(folder);
    mrcnn_dataset_options there = mrcnn_dataset_options_default();
    there.format = j->writer->name;
    there.subset = w->subset;
    if (status == MRCNN_OK && mrcnn_dataset_is_there(w->folder, &there))
        status =
            mr_fail(j->err, MRCNN_E_ARGUMENT,
                    "%s: there is a subset \"%s\" already: give another folder, or take it away",
                    w->folder, w->subset);
    return status;
}

static mrcnn_status run_writer(job *j) {
    mrcnn_status status = MRCNN_OK;
    if (j->writer->begin) status = j->writer->begin(&j->writing, j->err);
    if (status == MRCNN_OK) status = write_pictures(j);
    if (status == MRCNN_OK && j->writer->end) status = j->writer->end(&j->writing, j->err);
    if (j->writer->close) j->writer->close(&j->writing);
    return status;
}

static mrcnn_status run_job(job *j) {
    mrcnn_status status = check_destination(j);
    if (status == MRCNN_OK)
        status = mr_name_pictures(&j->names, j->set, j->options->chosen, j->err);
    if (status == MRCNN_OK) status = mr_make_directories(j->writing.folder, j->err);
    if (status == MRCNN_OK) status = run_writer(j);
    for (size_t i = 0; i < j->made_count; i++) {
        if (status != MRCNN_OK) mr_take_away(j->made[i], j->writing.folder);
        free(j->made[i]);
    }
    mr_free_picture_names(j->names, j->set->picture_count);
    free(j->made);
    free(j->objects);
    free(j->drawn);
    return status;
}

mrcnn_status mr_dataset_write_as(const mr_dataset *set, const char *folder,
                                 const mr_dataset_writer *writer,
                                 const mrcnn_dataset_write_options *options,
                                 mrcnn_dataset_written *written, mrcnn_error *err) {
    job j = {.set = set, .writer = writer, .options = options, .err = err};
    j.writing = (mr_writing){.folder = folder,
                             .subset = options->subset ? options->subset : "train",
                             .source = set->source,
                             .class_names = (const char *const *)set->class_names,
                             .class_ids = (const char *const *)set->class_ids,
                             .class_count = set->class_count,
                             .prefer_polygons = options->polygons,
                             .lose = lose};
    j.writing.user = &j;
    mrcnn_status status = run_job(&j);
    if (status != MRCNN_OK) return status;
    for (size_t i = 0; i < j.loss_count && options->lost; i++)
        options->lost(options->user, j.losses[i].what, j.losses[i].count);
    if (written) *written = j.done;
    return MRCNN_OK;
}

static mrcnn_status find_writer(const mr_dataset_writer **writer, const char *name,
                                mrcnn_error *err) {
    mr_nearest nearest = mr_nearest_start(name);
    char known[200] = "";
    size_t used = 0;
    for (size_t i = 0; writers[i]; i++) {
        if (strcmp(writers[i]->name, name) == 0) {
            *writer = writers[i];
            return MRCNN_OK;
        }
        mr_nearest_try(&nearest, writers[i]->name);
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                     writers[i]->name);
    }
    return nearest.best
               ? mr_fail(err, MRCNN_E_ARGUMENT,
                         "\"%s\" is no format that can be written; did you mean %s?", name,
                         nearest.best)
               : mr_fail(err, MRCNN_E_ARGUMENT,
                         "\"%s\" is no format that can be written: there are %s", name, known);
}

mrcnn_status mrcnn_dataset_write(const mrcnn_dataset *set, const char *folder,
                                 const mrcnn_dataset_write_options *options,
                                 mrcnn_dataset_written *written, mrcnn_error *err) {
    mrcnn_dataset_write_options o = mrcnn_dataset_write_options_default();
    const mr_dataset_writer *writer = NULL;
    if (!set || !folder || !*folder)
        return mr_fail(err, MRCNN_E_ARGUMENT, "writing a data set: there is no %s",
                       set ? "folder" : "set");
    mrcnn_status status =
        mr_take_options(&o, sizeof o, options, "mrcnn_dataset_write_options", err);
    if (status == MRCNN_OK) status = find_writer(&writer, o.format ? o.format : "coco", err);
    return status == MRCNN_OK ? mr_dataset_write_as(set, folder, writer, &o, written, err) : status;
}
