/* coco_segment.c - an object's segmentation, read from where it stands in the annotation file: a list
 * of polygons, or run lengths as numbers or as COCO's string. */

#include "data/coco.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/rle.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------- the file */

static void look(mr_coco_file *file, const struct stat *info) {
    file->size = info->st_size;
    file->seconds = info->st_mtim.tv_sec;
    file->nanoseconds = info->st_mtim.tv_nsec;
}

mrcnn_status mr_coco_file_open(mr_coco_file *file, const char *path, mrcnn_error *err) {
    struct stat info;
    *file = (mr_coco_file){.path = path, .descriptor = -1};
    mrcnn_status status = mr_file_check_plain(path, err);
    if (status != MRCNN_OK) return status;
    file->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (file->descriptor < 0 || fstat(file->descriptor, &info) != 0)
        return mr_fail(err, MRCNN_E_IO, "%s: can't open it: %s", path, strerror(errno));
    look(file, &info);
    return MRCNN_OK;
}

void mr_coco_file_close(mr_coco_file *file) {
    if (file->descriptor >= 0) close(file->descriptor);
    file->descriptor = -1;
}

mrcnn_status mr_coco_file_check(const mr_coco_file *file, mrcnn_error *err) {
    struct stat info;
    mr_coco_file now = *file;
    if (fstat(file->descriptor, &info) != 0)
        return mr_fail(err, MRCNN_E_IO, "%s: can't read it: %s", file->path, strerror(errno));
    look(&now, &info);
    if (now.size == file->size && now.seconds == file->seconds &&
        now.nanoseconds == file->nanoseconds)
        return MRCNN_OK;
    return mr_fail(err, MRCNN_E_IO,
                   "%s: the file was changed after the data set was opened: open it again",
                   file->path);
}

static mrcnn_status read_bytes(char *bytes, size_t length, uint64_t begin, const mr_coco_file *file,
                               mrcnn_error *err) {
    for (size_t done = 0; done < length;) {
        ssize_t got = pread(file->descriptor, bytes + done, length - done, (off_t)(begin + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0)
            return mr_fail(err, MRCNN_E_IO, "%s: can't read it: %s", file->path,
                           got < 0 ? strerror(errno) : "it has become shorter");
        done += (size_t)got;
    }
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------- polygons */

typedef struct segment_reader {
    mr_coco_segment *segment;
    const char *name; /* for messages */
} segment_reader;

static mrcnn_status copy_polygon(mr_polygon_list *list, double *xy, const mr_json *polygon,
                                 const char *name, mrcnn_error *err) {
    if (polygon->kind != MR_JSON_ARRAY || polygon->count % 2)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: polygon %zu is %s instead of a list of x, y, ...",
                       name, list->count,
                       polygon->kind == MR_JSON_ARRAY ? "an odd number of values"
                                                      : mr_json_kind_name(polygon));
    for (const mr_json *m = polygon->first; m; m = m->next, xy++)
        if (!mr_json_number(m, xy))
            return mr_fail(err, MRCNN_E_FORMAT, "%s: a coordinate of polygon %zu is %s", name,
                           list->count,
                           m->kind == MR_JSON_NUMBER ? "too large" : mr_json_kind_name(m));
    list->points[list->count++] = polygon->count / 2;
    return MRCNN_OK;
}

/* Polygons that enclose something: those of fewer than three points don't count. */
static mrcnn_status read_polygons(mr_polygon_list *list, const mr_json *value, const char *name,
                                  mrcnn_error *err) {
    size_t numbers = 0, usable = 0;
    for (const mr_json *m = value->first; m; m = m->next)
        if (m->kind == MR_JSON_ARRAY) {
            numbers += m->count;
            usable += m->count >= 6;
        }
    if (numbers == 0 && value->first && value->first->kind == MR_JSON_NUMBER)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s is one list of numbers: put it into a list of polygons", name);
    list->rule = MR_RULE_COCO;
    list->points = mr_calloc(value->count, sizeof *list->points);
    list->xy = mr_calloc(numbers, sizeof *list->xy);
    if (!list->points || !list->xy) return mr_fail_memory(err, numbers * sizeof *list->xy, name);
    mrcnn_status status = MRCNN_OK;
    double *xy = list->xy;
    for (const mr_json *m = value->first; m && status == MRCNN_OK; m = m->next) {
        status = copy_polygon(list, xy, m, name, err);
        xy += m->kind == MR_JSON_ARRAY ? m->count : 0;
    }
    if (status == MRCNN_OK && usable == 0)
        return mr_fail(err, MRCNN_E_FORMAT, "%s has no polygon of three points or more", name);
    return status;
}

/* ---------------------------------------------------------------------------------- run lengths */

static int is_size(double v) {
    return v >= 1 && v <= INT32_MAX && v == floor(v);
}

static mrcnn_status read_size(const mr_json *size, int32_t *height, int32_t *width,
                              const char *name, mrcnn_error *err) {
    double h = 0, w = 0;
    if (!size || size->kind != MR_JSON_ARRAY || size->count != 2 ||
        !mr_json_number(size->first, &h) || !mr_json_number(size->first->next, &w) || !is_size(h) ||
        !is_size(w))
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: the size of its run lengths is not [height, width]", name);
    *height = (int32_t)h;
    *width = (int32_t)w;
    return mr_prefix(err, mr_rle_check_size(*height, *width, err), name);
}

static mrcnn_status read_counts(mrcnn_mask *mask, const mr_json *counts, int32_t height,
                                int32_t width, const char *name, mrcnn_error *err) {
    mr_rle rle = {0};
    double rest = (double)height * width;
    int value = 0;
    for (const mr_json *m = counts->first; m; m = m->next, value = !value) {
        double run = -1;
        if (!mr_json_number(m, &run) || run < 0 || run != floor(run) || run > rest) {
            free(rle.counts);
            return mr_fail(err, MRCNN_E_FORMAT,
                           "%s: a run length is %s; %.0f of %d x %d pixels are left", name,
                           m->kind != MR_JSON_NUMBER ? mr_json_kind_name(m)
                           : run > rest              ? "too large"
                                                     : "no whole number",
                           rest, width, height);
        }
        mr_rle_append(&rle, value, (uint64_t)run);
        rest -= run;
    }
    if (rest > 0) {
        free(rle.counts);
        return mr_fail(err, MRCNN_E_FORMAT,
                       "%s: its run lengths end %.0f pixels before the %d x %d of its size", name,
                       rest, width, height);
    }
    return mr_rle_finish(&rle, mask, height, width, err);
}

static mrcnn_status read_runs(mrcnn_mask *mask, const mr_json *value, const char *name,
                              mrcnn_error *err) {
    const mr_json *counts = mr_json_get(value, "counts");
    int32_t height = 0, width = 0;
    mrcnn_status status = read_size(mr_json_get(value, "size"), &height, &width, name, err);
    if (status != MRCNN_OK) return status;
    if (counts && counts->kind == MR_JSON_ARRAY)
        return read_counts(mask, counts, height, width, name, err);
    if (!mr_json_text(counts))
        return mr_fail(err, MRCNN_E_FORMAT, "%s: counts of its run lengths is %s", name,
                       mr_json_kind_name(counts));
    return mr_prefix(err, mrcnn_mask_from_string(mask, counts->text, height, width, err), name);
}

/* -------------------------------------------------------------------------------------- reading */

static mr_json_choice choose(void *user, const mr_json_place *place) {
    (void)user;
    (void)place;
    return MR_JSON_TAKE;
}

static mrcnn_status record(void *user, const mr_json_place *place, const mr_json *value,
                           mrcnn_error *err) {
    segment_reader *r = user;
    (void)place;
    if (value->kind == MR_JSON_OBJECT) return read_runs(&r->segment->runs, value, r->name, err);
    if (value->kind == MR_JSON_ARRAY)
        return read_polygons(&r->segment->polygons, value, r->name, err);
    return mr_fail(err, MRCNN_E_FORMAT, "%s is %s", r->name, mr_json_kind_name(value));
}

mrcnn_status mr_coco_read_segment(mr_coco_segment *segment, const mr_coco_file *file,
                                  const mr_coco_shape *shape, mrcnn_error *err) {
    *segment = (mr_coco_segment){0};
    segment_reader r = {segment, "its segmentation"};
    char *bytes = malloc(shape->length);
    mrcnn_status status =
        bytes ? mr_coco_file_check(file, err) : mr_fail_memory(err, shape->length, file->path);
    if (status == MRCNN_OK) status = read_bytes(bytes, shape->length, shape->begin, file, err);
    mr_json_reader reader = {choose, record, &r};
    if (status == MRCNN_OK) status = mr_json_read_text(r.name, bytes, shape->length, &reader, err);
    if (status != MRCNN_OK) mr_coco_segment_free(segment);
    free(bytes);
    return status;
}

void mr_coco_segment_free(mr_coco_segment *segment) {
    mr_polygon_list_free(&segment->polygons);
    mrcnn_mask_free(&segment->runs);
}
