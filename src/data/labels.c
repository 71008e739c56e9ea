/* labels.c - data sets with one label picture for each picture: the value of a pixel is the number of
 * its object, 0 for none. With a list of classes it is the class's number * 1000 + the object's, and
 * the class's number alone for a crowd, as in Cityscapes' instanceIds. */
#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "data/label_set.h"
#include "data/lines.h"
#include "data/place.h"
#include "data/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASS_STEP = 1000, MOST_CLASSES = 10000, PICTURES_TO_TRY = 200 };

static const mr_label_ending endings[] = {{"", ".png"},
                                          {"", "_instanceIds.png"},
                                          {"_leftImg8bit", "_gtFine_instanceIds.png"},
                                          {NULL, NULL}};

/* ------------------------------------------------------------------------------------- finding */

static const struct {
    const char *pictures, *labels;
} folders[] = {{"images", "labels"},
               {"images", "masks"},
               {"images", "annotations"},
               {"leftImg8bit", "gtFine"}};
enum { FOLDERS = sizeof folders / sizeof *folders };

/* One of the first pictures has a label file. */
static mrcnn_status try_folders(const mr_place *place, int *found, mrcnn_error *err) {
    mr_label_set own = {place->file, endings};
    mr_listing some = {NULL, 0, 0};
    *found = 0;
    if (!mr_is_folder(place->folder) || !mr_is_folder(place->file)) return MRCNN_OK;
    mrcnn_status status = mr_list_pictures(&some, place->folder, PICTURES_TO_TRY, err);
    for (size_t i = 0; i < some.count && status == MRCNN_OK && !*found; i++) {
        char *path = NULL;
        status = mr_label_find(&own, some.names[i], &path, err);
        *found = path != NULL;
        free(path);
    }
    mr_listing_free(&some);
    return status;
}

/* The folders of pictures and labels, with these parts of a path before and after their names. The
 * place's file is the folder of the labels. */
static mrcnn_status look_in(mr_place *place, const char *path, const char *before,
                            const char *after, int *found, mrcnn_error *err) {
    for (int i = 0; i < FOLDERS; i++) {
        mr_place tried = {mr_format("%s%s/%s%s", path, before, folders[i].labels, after),
                          mr_format("%s%s/%s%s", path, before, folders[i].pictures, after)};
        mrcnn_status status = tried.file && tried.folder
                                  ? try_folders(&tried, found, err)
                                  : mr_fail_memory(err, strlen(path), "a path");
        if (status == MRCNN_OK && *found) {
            *place = tried;
            return MRCNN_OK;
        }
        mr_place_free(&tried);
        if (status != MRCNN_OK) return status;
    }
    return MRCNN_OK;
}

/* Subsets come first: a folder of pictures holds those of all subsets below it. */
static mrcnn_status find_labels(mr_place *place, const char *path, const char *subset,
                                mrcnn_error *err) {
    int found = 0;
    if (!mr_is_folder(path)) return mr_nothing_here(path, err);
    char *below = mr_format("/%s", subset ? subset : "train");
    mrcnn_status status = below ? look_in(place, path, "", below, &found, err)
                                : mr_fail_memory(err, strlen(path), "a path");
    if (status == MRCNN_OK && !found) status = look_in(place, path, below, "", &found, err);
    if (status == MRCNN_OK && !found && !subset) status = look_in(place, path, "", "", &found, err);
    free(below);
    if (status != MRCNN_OK) return status;
    return found ? MRCNN_OK : mr_nothing_here(path, err);
}

/* Cuts off what a path ends in; 0 when it ends in something else. */
static int cut(char *path, const char *end) {
    size_t length = strlen(path), tail = strlen(end);
    if (length <= tail + 1 || path[length - tail - 1] != '/') return 0;
    if (strcmp(path + length - tail, end) != 0) return 0;
    path[length - tail - 1] = 0;
    return 1;
}

/* classes.txt lies beside the folder of labels; or, when that is a subset's or in one, beside the
 * folder for all subsets. *path becomes NULL when there is none. */
static mrcnn_status find_list(const char *labels, const char *subset, char **path,
                              mrcnn_error *err) {
    char *folder = mr_strdup(labels);
    mrcnn_status status = MRCNN_OK;
    *path = NULL;
    if (!folder) return mr_fail_memory(err, strlen(labels), "a path");
    int is_last = !cut(folder, subset);
    for (int level = 0; level < 2 && status == MRCNN_OK && !*path; level++) {
        char *slash = strrchr(folder, '/');
        if (level == 0 && slash) *slash = 0;
        if (level == 1 && !(is_last && cut(folder, subset))) break;
        *path = mr_format("%s/classes.txt", folder);
        if (!*path) status = mr_fail_memory(err, strlen(labels), "a path");
        if (*path && !mr_is_file(*path)) {
            free(*path);
            *path = NULL;
        }
    }
    free(folder);
    return status;
}

/* ------------------------------------------------------------------------------------- opening */

typedef struct label_reader {
    mr_dataset *set;
    mr_listing pictures, classes;
    mr_label_job *jobs;
    size_t crowds;
} label_reader;

static mrcnn_status make_job(label_reader *r, size_t i, const char *folder, mrcnn_error *err) {
    mr_label_job *job = &r->jobs[i];
    double bytes;
    job->path = mr_format("%s/%s", folder, r->pictures.names[i]);
    if (!job->path) return mr_fail_memory(err, strlen(folder), "a path");
    job->id = job->path + strlen(folder) + 1;
    const char *why = mr_judge_picture(job->id, job->path, &bytes);
    mrcnn_status status = MRCNN_OK;
    if (!why) {
        status = mr_label_find(r->set->own, job->id, &job->labels, err);
        if (status != MRCNN_OK) return status;
        if (!job->labels) why = "there is no label file for it";
    }
    if (!why) return MRCNN_OK;
    job->why = mr_strdup(why);
    return job->why ? MRCNN_OK : mr_fail_memory(err, strlen(why), "a problem");
}

/* What the value of an object says; 0: its class isn't in the list. */
static int judge_value(const label_reader *r, uint64_t value, int *name, int *is_crowd) {
    *name = -1;
    *is_crowd = 0;
    if (r->classes.count == 0) return 1;
    *is_crowd = value < CLASS_STEP;
    uint64_t number = *is_crowd ? value : value / CLASS_STEP;
    if (number < 1 || number > r->classes.count) return 0;
    *name = (int)number - 1;
    return 1;
}

static mrcnn_status add_objects(label_reader *r, const mr_label_job *job, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    size_t strange = 0;
    uint64_t first = 0;
    for (size_t i = 0; i < job->objects.count && status == MRCNN_OK; i++) {
        const mr_count *count = &job->objects.counts[i];
        int name, is_crowd;
        if (judge_value(r, count->number, &name, &is_crowd)) {
            r->crowds += (size_t)is_crowd;
            status = mr_label_add_object(r->set, count, name, is_crowd, err);
        } else if (strange++ == 0) {
            first = count->number;
        }
    }
    if (status != MRCNN_OK || strange == 0) return status;
    char text[200];
    snprintf(
        text, sizeof text,
        "%zu values in its label file are of no class in classes.txt, which has %zu: left out; "
        "the first is %llu",
        strange, r->classes.count, (unsigned long long)first);
    r->set->objects_left_out += strange;
    return mr_dataset_note(r->set, 1, job->id, -1, text, err);
}

static mrcnn_status add_pictures(label_reader *r, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < r->pictures.count && status == MRCNN_OK; i++) {
        int added;
        status = mr_label_add_picture(r->set, &r->jobs[i], &added, err);
        if (status == MRCNN_OK && added) status = add_objects(r, &r->jobs[i], err);
    }
    if (status != MRCNN_OK || r->crowds == 0 || r->crowds < r->set->object_count) return status;
    return mr_dataset_note(r->set, 0, "", -1,
                           "every object is a crowd, from which nothing is learnt: beside a "
                           "classes.txt, an object's value is its class * 1000 + its number",
                           err);
}

/* An empty list would turn all values into crowds of nothing. */
static mrcnn_status read_classes(label_reader *r, const char *subset, mrcnn_error *err) {
    char *path = NULL;
    mrcnn_status status = find_list(r->set->annotations, subset, &path, err);
    if (status == MRCNN_OK && path) status = mr_read_lines(&r->classes, path, 0, err);
    if (status == MRCNN_OK && path && r->classes.count == 0)
        status = mr_fail(err, MRCNN_E_FORMAT, "%s: there is no class in it", path);
    if (status == MRCNN_OK && r->classes.count > MOST_CLASSES)
        status = mr_fail(err, MRCNN_E_FORMAT, "%s: more than %d classes", path, MOST_CLASSES);
    free(path);
    return status;
}

static mrcnn_status read_labels(label_reader *r, const char *folder,
                                const mrcnn_dataset_options *options, mrcnn_error *err) {
    mr_dataset *set = r->set;
    set->source = options->source ? mr_strdup(options->source) : mr_dataset_name_source(folder);
    if (!set->source) return mr_fail_memory(err, 0, "the data set's name");
    mrcnn_status status = read_classes(r, options->subset ? options->subset : "train", err);
    if (status == MRCNN_OK) status = mr_list_pictures(&r->pictures, folder, 0, err);
    if (status != MRCNN_OK) return status;
    r->jobs = mr_calloc(r->pictures.count, sizeof *r->jobs);
    if (!r->jobs) return mr_fail_memory(err, r->pictures.count * sizeof *r->jobs, "pictures");
    for (size_t i = 0; i < r->pictures.count && status == MRCNN_OK; i++)
        status = make_job(r, i, folder, err);
    if (status == MRCNN_OK)
        status = mr_label_scan(r->jobs, r->pictures.count, set->image.max_pixels, err);
    if (status == MRCNN_OK) status = add_pictures(r, err);
    if (status != MRCNN_OK) return status;
    return mr_label_finish(set, (const char *const *)r->classes.names, r->classes.count, options,
                           err);
}

static mrcnn_status open_labels(mr_dataset *set, mr_place *place,
                                const mrcnn_dataset_options *options, mrcnn_error *err) {
    label_reader r = {.set = set};
    char *labels = place->file;
    place->file = NULL;
    mrcnn_status status = mr_label_set_make(set, labels, endings, err);
    if (status == MRCNN_OK) status = read_labels(&r, place->folder, options, err);
    mr_label_jobs_free(r.jobs, r.pictures.count);
    mr_listing_free(&r.pictures);
    mr_listing_free(&r.classes);
    return status;
}

const mr_dataset_format mr_format_labels = {
    .name = "labels",
    .files = "pictures in images/ with label PNGs of the same names in labels/",
    .find = find_labels,
    .open = open_labels,
    .close = mr_label_close,
    .read = mr_dataset_read_file,
    .open_masks = mr_label_open_masks,
    .close_masks = mr_label_close_masks,
    .draw = mr_label_draw,
    .about = mr_label_about,
};
