/* voc.c - data sets laid out as Pascal VOC's: lists of pictures, a PNG with the object of each pixel
 * and one with the class of each pixel. */
#include "data/voc.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/label_set.h"
#include "data/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const mr_label_ending endings[] = {{"", ".png"}, {NULL, NULL}};

/* ------------------------------------------------------------------------------------- finding */

static int has_folder(const char *path, const char *name) {
    char *folder = mr_format("%s/%s", path, name);
    int is_there = folder && mr_is_folder(folder);
    free(folder);
    return is_there;
}

static int is_root(const char *path) {
    return has_folder(path, "JPEGImages") && has_folder(path, "SegmentationObject");
}

/* The latest year: VOC2012 has the pictures of 2007, too. */
static mrcnn_status find_year(const char *path, char **root, mrcnn_error *err) {
    mr_listing names = {NULL, 0, 0};
    if (!mr_is_folder(path)) return MRCNN_OK;
    mrcnn_status status = mr_list_folder(&names, path, NULL, err);
    for (size_t i = names.count; i-- > 0 && status == MRCNN_OK && !*root;) {
        if (strncmp(names.names[i], "VOC20", 5) != 0) continue;
        char *year = mr_format("%s/%s", path, names.names[i]);
        if (!year) status = mr_fail_memory(err, strlen(path), "a path");
        if (year && is_root(year))
            *root = year;
        else
            free(year);
    }
    mr_listing_free(&names);
    return status;
}

static mrcnn_status find_root(const char *path, char **root, mrcnn_error *err) {
    if (is_root(path)) {
        *root = mr_strdup(path);
        return *root ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
    }
    mrcnn_status status = find_year(path, root, err);
    if (status != MRCNN_OK || *root) return status;
    char *kit = mr_format("%s/VOCdevkit", path);
    if (!kit) return mr_fail_memory(err, strlen(path), "a path");
    status = find_year(kit, root, err);
    free(kit);
    return status;
}

/* The list of a subset. Without a subset: train's, or CVAT's only one, or none: every picture. */
static mrcnn_status find_list(mr_place *place, const char *subset, mrcnn_error *err) {
    const char *const names[] = {subset ? subset : "train", "default"};
    for (int i = 0; i < (subset ? 1 : 2) && !place->file; i++) {
        place->file = mr_format("%s/ImageSets/Segmentation/%s.txt", place->folder, names[i]);
        if (!place->file) return mr_fail_memory(err, strlen(place->folder), "a path");
        if (mr_is_file(place->file)) return MRCNN_OK;
        free(place->file);
        place->file = NULL;
    }
    return subset ? mr_nothing_here(place->folder, err) : MRCNN_OK;
}

static mrcnn_status find_voc(mr_place *place, const char *path, const char *subset,
                             mrcnn_error *err) {
    mr_place found = {NULL, NULL};
    if (!mr_is_folder(path)) return mr_nothing_here(path, err);
    mrcnn_status status = find_root(path, &found.folder, err);
    if (status == MRCNN_OK && !found.folder) return mr_nothing_here(path, err);
    if (status == MRCNN_OK) status = find_list(&found, subset, err);
    if (status == MRCNN_OK)
        *place = found;
    else
        mr_place_free(&found);
    return status;
}

/* ------------------------------------------------------------------------------------- opening */

typedef struct voc_reader {
    mr_dataset *set;
    const char *folder, *list; /* list: NULL for every picture that has labels */
    mr_voc_classes classes;
    mr_listing names;
    mr_label_job *jobs;
} voc_reader;

/* CVAT puts names with blanks between quotation marks. */
static char *unquote(char *name) {
    size_t length = strlen(name);
    if (length < 2 || name[0] != '"' || name[length - 1] != '"') return name;
    name[length - 1] = 0;
    return name + 1;
}

static mrcnn_status list_names(voc_reader *r, mrcnn_error *err) {
    if (r->list) return mr_read_lines(&r->names, r->list, 0, err);
    char *folder = mr_format("%s/SegmentationObject", r->folder);
    if (!folder) return mr_fail_memory(err, strlen(r->folder), "a path");
    mrcnn_status status = mr_list_folder(&r->names, folder, ".png", err);
    for (size_t i = 0; i < r->names.count; i++) *strrchr(r->names.names[i], '.') = 0;
    free(folder);
    return status;
}

/* A file SegmentationClass/NAME.png or SegmentationObject/NAME.png: malloc'ed. */
static mrcnn_status find_labels(const voc_reader *r, const char *name, const char *kind,
                                char **path, char **why, mrcnn_error *err) {
    *path = mr_format("%s/Segmentation%s/%s.png", r->folder, kind, name);
    if (*path && !mr_is_file(*path)) *why = mr_format("there is no %s", *path);
    if (!*path || (!mr_is_file(*path) && !*why)) return mr_fail_memory(err, strlen(name), "a path");
    return MRCNN_OK;
}

/* The picture, and why it can't be used. */
static mrcnn_status find_picture(const voc_reader *r, const char *name, mr_label_job *job,
                                 mrcnn_error *err) {
    char *pictures = mr_format("%s/JPEGImages", r->folder);
    job->path = pictures ? mr_find_picture(pictures, name) : NULL;
    if (pictures && !job->path) job->path = mr_format("%s/%s", pictures, name);
    size_t length = pictures ? strlen(pictures) : 0;
    free(pictures);
    if (!job->path) return mr_fail_memory(err, strlen(name), "a path");
    double bytes;
    job->id = job->path + length + 1;
    const char *why = mr_judge_picture(job->id, job->path, &bytes);
    if (why) job->why = mr_strdup(why);
    return why && !job->why ? mr_fail_memory(err, strlen(why), "a problem") : MRCNN_OK;
}

static mrcnn_status make_job(const voc_reader *r, const char *name, mr_label_job *job,
                             mrcnn_error *err) {
    job->has_void = 1;
    mrcnn_status status = find_picture(r, name, job, err);
    if (status == MRCNN_OK && !job->why)
        status = find_labels(r, name, "Object", &job->labels, &job->why, err);
    if (status == MRCNN_OK && !job->why)
        status = find_labels(r, name, "Class", &job->classes, &job->why, err);
    return status;
}

/* The class of a value in a file of classes; 0 for none. */
static size_t find_class(const voc_reader *r, const mr_label_job *job, uint32_t value) {
    if (!job->classes_are_colors) return value < r->classes.names.count ? value : 0;
    for (size_t i = 1; i < r->classes.names.count; i++)
        if (r->classes.colors[i] == value) return i;
    return 0;
}

static mrcnn_status leave_out_object(voc_reader *r, const mr_label_job *job, size_t object,
                                     mrcnn_error *err) {
    char text[160];
    uint32_t value = job->class_values[object];
    if (value == 0)
        snprintf(text, sizeof text, "none of its pixels has a class: left out");
    else if (job->classes_are_colors)
        snprintf(text, sizeof text,
                 "its class has the colour %u,%u,%u, which is none of the %zu "
                 "classes': left out",
                 value >> 16, value >> 8 & 255, value & 255, r->classes.names.count - 1);
    else
        snprintf(text, sizeof text, "it is of class %u, but there are %zu: left out", value,
                 r->classes.names.count - 1);
    r->set->objects_left_out++;
    return mr_dataset_note(r->set, 1, job->id, (int64_t)job->objects.counts[object].number, text,
                           err);
}

static mrcnn_status add_picture(voc_reader *r, mr_label_job *job, mrcnn_error *err) {
    int added;
    mrcnn_status status = mr_label_add_picture(r->set, job, &added, err);
    if (!added) return status;
    for (size_t i = 0; i < job->objects.count && status == MRCNN_OK; i++) {
        size_t class_number = find_class(r, job, job->class_values[i]);
        if (class_number)
            status =
                mr_label_add_object(r->set, &job->objects.counts[i], (int)class_number - 1, 0, err);
        else
            status = leave_out_object(r, job, i, err);
    }
    return status;
}

static mrcnn_status read_voc(voc_reader *r, const mrcnn_dataset_options *options,
                             mrcnn_error *err) {
    mr_dataset *set = r->set;
    set->source = options->source ? mr_strdup(options->source) : mr_dataset_name_source(r->folder);
    if (!set->source) return mr_fail_memory(err, 0, "the data set's name");
    mrcnn_status status = mr_voc_read_classes(&r->classes, r->folder, err);
    if (status == MRCNN_OK) status = list_names(r, err);
    if (status != MRCNN_OK) return status;
    r->jobs = mr_calloc(r->names.count, sizeof *r->jobs);
    if (!r->jobs) return mr_fail_memory(err, r->names.count * sizeof *r->jobs, "pictures");
    for (size_t i = 0; i < r->names.count && status == MRCNN_OK; i++)
        status = make_job(r, unquote(r->names.names[i]), &r->jobs[i], err);
    if (status == MRCNN_OK)
        status = mr_label_scan(r->jobs, r->names.count, set->image.max_pixels, err);
    for (size_t i = 0; i < r->names.count && status == MRCNN_OK; i++)
        status = add_picture(r, &r->jobs[i], err);
    if (status != MRCNN_OK) return status;
    return mr_label_finish(set, (const char *const *)r->classes.names.names + 1,
                           r->classes.names.count - 1, options, err);
}

static mrcnn_status open_voc(mr_dataset *set, mr_place *place, const mrcnn_dataset_options *options,
                             mrcnn_error *err) {
    voc_reader r = {.set = set, .folder = place->folder, .list = place->file};
    char *labels = mr_format("%s/SegmentationObject", place->folder);
    mrcnn_status status = mr_label_set_make(set, labels, endings, err);
    if (status == MRCNN_OK && place->file) {
        free(set->annotations);
        set->annotations = place->file;
        place->file = NULL;
    }
    if (status == MRCNN_OK) status = read_voc(&r, options, err);
    mr_label_jobs_free(r.jobs, r.names.count);
    mr_listing_free(&r.names);
    mr_voc_classes_free(&r.classes);
    return status;
}

const mr_dataset_format mr_format_voc = {
    .name = "voc",
    .files = "Pascal VOC: JPEGImages, SegmentationObject and SegmentationClass",
    .find = find_voc,
    .open = open_voc,
    .close = mr_label_close,
    .read = mr_dataset_read_file,
    .open_masks = mr_label_open_masks,
    .close_masks = mr_label_close_masks,
    .draw = mr_label_draw,
    .about = mr_label_about,
};
