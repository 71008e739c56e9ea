/* write_labelme.c - a LabelMe file for each picture, beside the pictures of a subset. An object of
 * several polygons is a group; a crowd has the flag iscrowd. */
#include "data/writer.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/place.h"
#include "data/text_file.h"
#include "data/write.h"
#include "data/write_outline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* LabelMe warns about files of a newer major version. */
static const char *const version = "5.4.1";

typedef struct labelme_writer {
    mr_names names; /* of files that were written, without ".json" */
    int is_done;
} labelme_writer;

static char *picture_folder(const mr_writing *w, const mr_written_picture *picture) {
    (void)picture;
    return mr_strdup(w->subset);
}

static mrcnn_status begin(mr_writing *w, mrcnn_error *err) {
    w->own = mr_calloc(1, sizeof(labelme_writer));
    return w->own ? MRCNN_OK : mr_fail_memory(err, sizeof(labelme_writer), "names of files");
}

/* ----------------------------------------------------------------------------------- one file */

static char *file_path(const mr_writing *w, const char *name) {
    return mr_format("%s/%s/%s.json", w->folder, w->subset, name);
}

/* All files lie in one folder, as LabelMe opens it: "below/a.jpg" has "below_a.json". */
static char *flatten(const char *picture, int with_ending) {
    char *name = with_ending ? mr_strdup(picture) : mr_without_ending(picture);
    for (char *c = name; c && *c; c++)
        if (*c == '/') *c = '_';
    return name;
}

/* The picture's name without its ending, with it, or with a number: the first that is free. */
static char *choose_name(labelme_writer *lw, const char *picture) {
    char *name = flatten(picture, 0);
    for (int i = 1; name && mr_names_find(&lw->names, name) >= 0; i++) {
        free(name);
        char *whole = flatten(picture, 1);
        name = i == 1 || !whole ? whole : mr_format("%s-%d", whole, i);
        if (name != whole) free(whole);
    }
    if (name && mr_names_add(&lw->names, name) >= 0) return name;
    free(name);
    return NULL;
}

static void put_points(mr_json_file_writer *out, const double *xy, size_t count) {
    mr_json_put_text(out, "points");
    mr_json_put_begin(out, '[');
    for (size_t i = 0; i < count; i++) {
        mr_json_put_begin(out, '[');
        mr_json_put_number(out, xy[2 * i]);
        mr_json_put_number(out, xy[2 * i + 1]);
        mr_json_put_end(out, ']');
    }
    mr_json_put_end(out, ']');
}

/* group 0: the shape is an object of its own. */
static void put_shape(mr_json_file_writer *out, const char *label, const double *xy, size_t count,
                      int group, int is_crowd) {
    mr_json_put_begin(out, '{');
    mr_json_put_text(out, "label");
    mr_json_put_text(out, label);
    put_points(out, xy, count);
    mr_json_put_text(out, "group_id");
    if (group)
        mr_json_put_number(out, group);
    else
        mr_json_put_null(out);
    mr_json_put_text(out, "shape_type");
    mr_json_put_text(out, "polygon");
    mr_json_put_text(out, "flags");
    mr_json_put_begin(out, '{');
    if (is_crowd) {
        mr_json_put_text(out, "iscrowd");
        mr_json_put_bool(out, 1);
    }
    mr_json_put_end(out, '}');
    mr_json_put_end(out, '}');
}

static mrcnn_status put_object(const mr_writing *w, mr_json_file_writer *out,
                               const mr_written_object *object, int *groups, mrcnn_error *err) {
    mr_written_outline outline;
    mrcnn_status status = mr_written_outline_open(&outline, object, SIZE_MAX, err);
    if (status == MRCNN_OK) {
        const char *label = mr_written_class(w, object);
        const double *xy = outline.polygons->xy;
        int group = outline.polygons->count > 1 ? ++*groups : 0;
        for (size_t i = 0; i < outline.polygons->count; i++) {
            size_t count = outline.polygons->points[i];
            put_shape(out, label, xy, count, group, object->is_crowd);
            xy += 2 * count;
        }
    }
    mr_written_outline_close(&outline);
    return status;
}

static mrcnn_status put_file(const mr_writing *w, mr_json_file_writer *out,
                             const mr_written_picture *picture, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    int groups = 0;
    mr_json_put_begin(out, '{');
    mr_json_put_text(out, "version");
    mr_json_put_text(out, version);
    mr_json_put_text(out, "flags");
    mr_json_put_begin(out, '{');
    mr_json_put_end(out, '}');
    mr_json_put_text(out, "shapes");
    mr_json_put_begin(out, '[');
    for (size_t i = 0; i < picture->count && status == MRCNN_OK; i++)
        status = put_object(w, out, &picture->objects[i], &groups, err);
    mr_json_put_end(out, ']');
    mr_json_put_text(out, "imagePath");
    mr_json_put_text(out, picture->file);
    mr_json_put_text(out, "imageData");
    mr_json_put_null(out);
    mr_json_put_text(out, "imageHeight");
    mr_json_put_number(out, picture->height);
    mr_json_put_text(out, "imageWidth");
    mr_json_put_number(out, picture->width);
    mr_json_put_end(out, '}');
    return status;
}

/* ------------------------------------------------------------------------------------ the set */

static mrcnn_status add(mr_writing *w, const mr_written_picture *picture, mrcnn_error *err) {
    mr_json_file_writer out = {.generator = NULL};
    char *name = choose_name(w->own, picture->file);
    if (!name) return mr_fail_memory(err, strlen(picture->file), "names of files");
    mrcnn_status status = mr_json_file_open(&out, file_path(w, name), 1, err);
    free(name);
    if (status != MRCNN_OK) return status;
    status = put_file(w, &out, picture, err);
    if (status == MRCNN_OK) return mr_json_file_finish(&out, 0, err);
    mr_json_file_close(&out);
    return status;
}

static mrcnn_status end(mr_writing *w, mrcnn_error *err) {
    (void)err;
    ((labelme_writer *)w->own)->is_done = 1;
    return MRCNN_OK;
}

/* Half a data set is none: its files go, as its pictures do. */
static void close_writer(mr_writing *w) {
    labelme_writer *lw = w->own;
    for (size_t i = 0; lw && !lw->is_done && i < lw->names.count; i++) {
        char *path = file_path(w, lw->names.items[i].text);
        if (path) mr_take_away(path, w->folder);
        free(path);
    }
    if (lw) mr_names_free(&lw->names);
    free(lw);
    w->own = NULL;
}

const mr_dataset_writer mr_writer_labelme = {"labelme", picture_folder, begin, add,
                                             end,       close_writer};
