/* write_via.c - VIA 2's via_region_data.json beside the pictures of a subset. A region is one
 * polygon; class and iscrowd are its attributes. */
#include "data/writer.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/text_file.h"
#include "data/write_outline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *picture_folder(const mr_writing *w, const mr_written_picture *picture) {
    (void)picture;
    return mr_strdup(w->subset);
}

static mrcnn_status begin(mr_writing *w, mrcnn_error *err) {
    w->own = mr_calloc(1, sizeof(mr_json_file_writer));
    return w->own ? MRCNN_OK : mr_fail_memory(err, sizeof(mr_json_file_writer), "a JSON file");
}

/* Only when there is something to write: the folder is empty until then. */
static mrcnn_status start_file(const mr_writing *w, mrcnn_error *err) {
    mr_json_file_writer *out = w->own;
    if (out->generator) return MRCNN_OK;
    mrcnn_status status = mr_json_file_open(
        out, mr_format("%s/%s/via_region_data.json", w->folder, w->subset), 0, err);
    if (status == MRCNN_OK) mr_json_put_begin(out, '{');
    return status;
}

static void put_coordinates(mr_json_file_writer *out, const char *key, const double *xy,
                            size_t count) {
    mr_json_put_text(out, key);
    mr_json_put_begin(out, '[');
    for (size_t i = 0; i < count; i++) mr_json_put_number(out, xy[2 * i]);
    mr_json_put_end(out, ']');
}

static mrcnn_status put_region(const mr_writing *w, const mr_written_object *object,
                               mrcnn_error *err) {
    mr_json_file_writer *out = w->own;
    mr_written_outline outline;
    mrcnn_status status = mr_written_outline_open(&outline, object, 1, err);
    if (status == MRCNN_OK) {
        const mr_polygon_list *polygon = outline.polygons;
        mr_json_put_begin(out, '{');
        mr_json_put_text(out, "shape_attributes");
        mr_json_put_begin(out, '{');
        mr_json_put_text(out, "name");
        mr_json_put_text(out, "polygon");
        put_coordinates(out, "all_points_x", polygon->xy, polygon->points[0]);
        put_coordinates(out, "all_points_y", polygon->xy + 1, polygon->points[0]);
        mr_json_put_end(out, '}');
        mr_json_put_text(out, "region_attributes");
        mr_json_put_begin(out, '{');
        mr_json_put_text(out, "class");
        mr_json_put_text(out, mr_written_class(w, object));
        if (object->is_crowd) {
            mr_json_put_text(out, "iscrowd");
            mr_json_put_text(out, "1");
        }
        mr_json_put_end(out, '}');
        mr_json_put_end(out, '}');
    }
    mr_written_outline_close(&outline);
    return status;
}

/* VIA calls an entry after its file and its length, which it doesn't know of files elsewhere. */
static mrcnn_status put_name(const mr_writing *w, const char *name, mrcnn_error *err) {
    mr_json_file_writer *out = w->own;
    struct stat info;
    char *path = mr_format("%s/%s/%s", w->folder, w->subset, name);
    double bytes = path && stat(path, &info) == 0 ? (double)info.st_size : -1;
    char *key = mr_format("%s%.0f", name, bytes);
    int is_short = !path || !key;
    if (!is_short) mr_json_put_text(out, key);
    free(path);
    free(key);
    if (is_short) return mr_fail_memory(err, strlen(name), "a path");
    mr_json_put_begin(out, '{');
    mr_json_put_text(out, "filename");
    mr_json_put_text(out, name);
    mr_json_put_text(out, "size");
    mr_json_put_number(out, bytes);
    return MRCNN_OK;
}

static mrcnn_status add(mr_writing *w, const mr_written_picture *picture, mrcnn_error *err) {
    mr_json_file_writer *out = w->own;
    mrcnn_status status = start_file(w, err);
    if (status == MRCNN_OK) status = put_name(w, picture->file, err);
    if (status != MRCNN_OK) return status;
    mr_json_put_text(out, "regions");
    mr_json_put_begin(out, '[');
    for (size_t i = 0; i < picture->count && status == MRCNN_OK; i++)
        status = put_region(w, &picture->objects[i], err);
    mr_json_put_end(out, ']');
    mr_json_put_text(out, "file_attributes");
    mr_json_put_begin(out, '{');
    mr_json_put_end(out, '}');
    mr_json_put_end(out, '}');
    return status == MRCNN_OK ? mr_json_file_check(out, err) : status;
}

static mrcnn_status end(mr_writing *w, mrcnn_error *err) {
    mrcnn_status status = start_file(w, err);
    if (status != MRCNN_OK) return status;
    mr_json_put_end(w->own, '}');
    return mr_json_file_finish(w->own, 1, err);
}

static void close_writer(mr_writing *w) {
    if (w->own) mr_json_file_close(w->own);
    free(w->own);
    w->own = NULL;
}

const mr_dataset_writer mr_writer_via = {"via", picture_folder, begin, add, end, close_writer};
